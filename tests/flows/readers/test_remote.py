"""Sources on storage: found, recognised and read as files of this machine are."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import fsspec
import polars as pl
import pytest
from fsspec.implementations.local import LocalFileSystem

from flows.errors import SourceError
from flows.readers.discover import discover
from flows.sources import known_sources
from flows.storage import StorageError
from flows.warehouse.connection import open_warehouse
from tests.flows.conftest import Bench, write_jsonl


class Lake(LocalFileSystem):
    """A folder behind a protocol of its own, which counts the files that are fetched whole."""

    protocol = "lake"
    root: ClassVar[Path]
    fetched: ClassVar[list[str]]

    @classmethod
    def _strip_protocol(cls, path: Any) -> str:
        name = str(path).removeprefix("lake://").rstrip("/")
        return name if name.startswith("/") else f"{cls.root}/{name}"

    def unstrip_protocol(self, name: str) -> str:
        return f"lake://{Path(name).relative_to(self.root)}"

    def get_file(self, path: str, *more: Any, **named: Any) -> None:
        self.fetched.append(Path(path).name)
        super().get_file(path, *more, **named)


@pytest.fixture
def lake(tmp_path: Path) -> Iterator[type[Lake]]:
    Lake.root, Lake.fetched = tmp_path / "lake", []
    Lake.root.mkdir()
    fsspec.register_implementation("lake", Lake, clobber=True)
    Lake.clear_instance_cache()
    yield Lake


def test_files_of_a_glob_are_those_of_the_same_glob_on_disk(
    lake: type[Lake], tmp_path: Path
) -> None:
    folder = lake.root / "ward"
    (folder / "deep").mkdir(parents=True)
    write_jsonl(folder / "a.jsonl", {"id": "1", "text": "Asthma."})
    (folder / "b.csv").write_text("note_id,text\n2,Fever.\n")
    (folder / "deep" / "c.jsonl").write_text('{"id": "3", "text": "Cough."}\n')
    (folder / ".hidden.jsonl").write_text("{}")
    (folder / "README.txt").write_text("nothing")
    for named in ("ward/*", "ward", "ward/**"):
        here = discover([str(lake.root / named)])
        there = discover([f"lake://{named}"])
        assert [(f.format, f.corpus, f.columns) for f in there] == [
            (f.format, f.corpus, f.columns) for f in here
        ]
        assert [f.name for f in there] == [f"lake://{f.path.relative_to(lake.root)}" for f in here]
    assert not lake.fetched, "heads were enough"


def test_notes_in_a_folder_are_named_by_their_place_below_it(
    lake: type[Lake], bench: Bench
) -> None:
    (lake.root / "ward" / "x").mkdir(parents=True)
    (lake.root / "ward" / "x" / "1.txt").write_text("Asthma.")
    bench.run("lake://ward")
    assert bench.query("SELECT document_id FROM documents") == [("ward:x/1",)]


def test_a_large_table_is_recognised_by_its_ends(lake: type[Lake], bench: Bench) -> None:
    rows = 40_000
    frame = pl.DataFrame(
        {"note_id": range(rows), "text": [f"Fever {n * n}, then {n * 7919}." for n in range(rows)]}
    )
    frame.write_parquet(lake.root / "notes.parquet", compression="uncompressed", row_group_size=999)
    size = (lake.root / "notes.parquet").stat().st_size
    assert size > 1_300_000
    (file,) = discover(["lake://notes.parquet"])
    assert file.columns is not None and file.columns.id == "note_id"
    assert not lake.fetched


def test_a_compressed_file_whose_head_does_not_do_is_fetched(lake: type[Lake]) -> None:
    first = '{"a": "' + "".join(chr(65 + (i * i) % 57 % 26) for i in range(2_000_000)) + '"}\n'
    with gzip.open(lake.root / "n.jsonl.gz", "wt", compresslevel=0) as stream:
        stream.write(first + '{"note_id": "1", "text": "Fever."}\n')
    (file,) = discover(["lake://n.jsonl.gz"])
    assert file.problem is None
    assert lake.fetched == ["n.jsonl.gz"]


def test_an_unchanged_file_is_not_fetched_again(lake: type[Lake], bench: Bench) -> None:
    write_jsonl(lake.root / "n.jsonl", {"note_id": "1", "text": "Asthma."})
    assert bench.run("lake://n.jsonl").new == 1
    assert lake.fetched == ["n.jsonl"]
    assert bench.run("lake://n.jsonl").skipped == 1
    assert lake.fetched == ["n.jsonl"]
    write_jsonl(lake.root / "n.jsonl", {"note_id": "1", "text": "Asthma, mild."})
    assert bench.run("lake://n.jsonl").replaced == 1
    assert lake.fetched == ["n.jsonl"] * 2
    ((path, size, tagged),) = bench.query("SELECT path, size, etag IS NOT NULL FROM sources")
    assert (path, size, tagged) == (
        "lake://n.jsonl",
        (lake.root / "n.jsonl").stat().st_size,
        True,
    )


def test_files_are_fetched_one_at_a_time_and_removed(
    lake: type[Lake], bench: Bench, tmp_path: Path
) -> None:
    for number in range(3):
        write_jsonl(lake.root / f"{number}.jsonl", {"note_id": "1", "text": "Fever."})
    order = bench.order("lake://*.jsonl")
    folder = tmp_path / "fetched"
    with open_warehouse(bench.warehouse) as connection:
        for state in known_sources(connection, order, folder):
            assert [p for p in folder.rglob("*") if p.is_file()] == [state.file.path]
    assert not list(folder.iterdir())


def test_what_storage_lacks_or_refuses_is_told_with_a_way_out(
    lake: type[Lake], monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(SourceError, match=r"nothing at lake://none/\*"):
        discover(["lake://none/*"])
    with pytest.raises(SourceError, match="nothing at lake://none"):
        discover(["lake://none"])
    with pytest.raises(StorageError, match="nothing here speaks nowhere"):
        discover(["nowhere://a/b"])
    with pytest.raises(StorageError) as told:
        discover(["s3://key:geheim@bucket/x.jsonl"])
    assert "geheim" not in str(told.value) and "environment" in str(told.value)

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError("token geheim expired")

    (lake.root / "n.jsonl").write_text("{}")
    monkeypatch.setattr(lake, "info", refuse)
    with pytest.raises(SourceError, match="PermissionError") as told_too:
        discover(["lake://n.jsonl"])
    assert "geheim" not in str(told_too.value)


def test_a_document_gone_from_storage_is_pruned(lake: type[Lake], bench: Bench) -> None:
    write_jsonl(lake.root / "a.jsonl", {"note_id": "1", "text": "Asthma."})
    write_jsonl(lake.root / "b.jsonl", {"note_id": "2", "text": "Fever."})
    bench.run("lake://*.jsonl")
    (lake.root / "b.jsonl").unlink()
    bench.run("lake://*.jsonl", prune=True, prune_limit=1.0)
    assert bench.query("SELECT document_id FROM documents") == [("a:1",)]


def test_the_checksum_beside_a_file_is_checked(lake: type[Lake], bench: Bench) -> None:
    note = write_jsonl(lake.root / "n.jsonl", {"note_id": "1", "text": "Asthma."})
    digest = hashlib.md5(note.read_bytes()).hexdigest()
    (lake.root / "n.jsonl.md5").write_text(f"MD5(n.jsonl)= {digest}\n")
    assert bench.run("lake://*.jsonl").new == 1
    (lake.root / "n.jsonl.md5").write_text(f"MD5(n.jsonl)= {'0' * 32}\n")
    note.write_text(note.read_text().replace("Asthma", "Fevers"))
    assert bench.run("lake://*.jsonl").rejected == 1
    ((path, reason),) = bench.query("SELECT path, reason FROM rejects")
    assert path == "lake://n.jsonl" and "checksum" in str(reason)
