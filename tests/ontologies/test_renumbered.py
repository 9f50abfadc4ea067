"""Concepts under another id in the next release."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from ontologies.build import build_store
from ontologies.opening import is_curie
from ontologies.renumbered import promoted_records, renumbered
from ontologies.store import ConceptStore, open_store


def store(folder: Path, *rows: str, replaced: pl.DataFrame | None = None) -> ConceptStore:
    folder.mkdir()
    (folder / "table.tsv").write_text("\n".join(["id\tname\tsynonyms", *rows]) + "\n")
    build_store([("table", folder / "table.tsv")], folder / "store", replaced=replaced)
    return open_store(folder / "store")


def test_names_tell_what_took_a_concepts_place(tmp_path: Path) -> None:
    old = store(
        tmp_path / "old",
        "X:C1\tcelecoxib\tSC 58635|Celebrex",
        "X:C2\tcold\t",
        "X:C3\tsalt\tNaCl|table salt|halite|sal",
        "X:C4\tgone\t",
        "X:D5\tkept\t",
    )
    new = store(
        tmp_path / "new",
        "X:D1\tCelecoxib\tcelebrex",
        "X:D2\tCold temperature\tcold",
        "X:D3\tCommon cold\tcold",
        "X:D4\tSalt\t",
        "X:D5\tkept\tgone too",
    )
    found = renumbered(old, new)
    # Two carry the name of C2, and D4 only one of five names of C3.
    assert found.rows() == [("X:C1", "X:D1", "celecoxib", 3, 2)]
    again = store(
        tmp_path / "again",
        "X:D1\tCelecoxib\t",
        replaced=found.select("old_id", "concept_id"),
    )
    assert again.current_ids(["X:C1"]) == ["X:D1"]
    assert renumbered(old, again).is_empty()


def test_nothing_changes_between_a_release_and_itself(small_store: ConceptStore) -> None:
    assert renumbered(small_store, small_store).is_empty()


def test_the_list_in_the_box_is_well_formed() -> None:
    found = promoted_records()
    assert len(found)
    assert found["old_id"].is_unique().all()
    assert all(is_curie(concept_id) for row in found.rows() for concept_id in row)
    assert found["old_id"].str.starts_with("MESH:C").all()
    assert found["concept_id"].str.starts_with("MESH:D").all()


def test_a_mesh_store_follows_promoted_records(tmp_path: Path, write_mesh, mesh_record) -> None:
    path = write_mesh(tmp_path / "desc.xml", mesh_record("D000068579", "Celecoxib", trees=("D02",)))
    build_store([("mesh", path)], tmp_path / "store")
    assert open_store(tmp_path / "store").current_ids(["MESH:C105934"]) == ["MESH:D000068579"]


@pytest.mark.parametrize("record", ["C105934"])
def test_an_older_mesh_goes_by_the_new_id(tmp_path: Path, write_mesh, mesh_record, record) -> None:
    path = write_mesh(
        tmp_path / "supp.xml", mesh_record(record, "celecoxib"), root="SupplementalRecordSet"
    )
    build_store([("mesh", path)], tmp_path / "store")
    opened = open_store(tmp_path / "store")
    assert opened.holds(["MESH:D000068579", f"MESH:{record}"]).tolist() == [True, False]
