from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from ontologies import index
from ontologies.build import build_store
from ontologies.linker import LinkSettings, link_names
from ontologies.store import open_store
from tests.ontologies.test_linker import frame


def index_bytes(store: Path) -> dict[str, str]:
    return {
        file.name: hashlib.sha256(file.read_bytes()).hexdigest()
        for file in (store / "index").iterdir()
    }


def test_the_index_does_not_depend_on_chunks_or_workers(
    small_mesh, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    release = build_store(small_mesh, tmp_path / "whole")
    whole = index_bytes(tmp_path / "whole")
    assert len(whole) > 20
    monkeypatch.setattr(index, "_CHUNK", 3)
    build_store(small_mesh, tmp_path / "chunks", workers=1)
    assert index_bytes(tmp_path / "chunks") == whole
    monkeypatch.setattr(index, "_FEW", 0)
    assert build_store(small_mesh, tmp_path / "two", workers=2).release_id == release.release_id
    assert index_bytes(tmp_path / "two") == whole


def test_nothing_but_the_index_is_left(small_mesh, tmp_path: Path) -> None:
    build_store(small_mesh, tmp_path / "store")
    assert all(file.suffix == ".npy" for file in (tmp_path / "store" / "index").iterdir())
    open_store(tmp_path / "store")


def test_small_blocks_link_alike(
    small_mesh, small_store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ontologies.blocks.BLOCK_SIZE", 4)
    monkeypatch.setattr("ontologies.blocks._OWN", 2)
    build_store(small_mesh, tmp_path / "store")
    parts = open_store(tmp_path / "store")
    assert len(parts.grams.block) > len(small_store.grams.block)
    names = frame(
        *(
            (text, label)
            for text in ("diabetic state", "epidermolysis w. hernia", "rhinitic", "p99", "cold")
            for label in ("Disease", "Chemical", "Species", "Anything")
        )
    )
    settings = LinkSettings(floor=0.0)
    assert link_names(parts, names, settings).equals(link_names(small_store, names, settings))
