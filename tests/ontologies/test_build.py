from __future__ import annotations

import gzip
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from ontologies.build import build_store
from ontologies.errors import OntologyError
from ontologies.schema import CONCEPT_ANCESTORS, CONCEPT_NAMES, CONCEPTS
from ontologies.store import open_store

TABLES = (CONCEPTS, CONCEPT_NAMES, CONCEPT_ANCESTORS)


def test_tables_are_as_declared(small_store) -> None:
    for table in TABLES:
        frame = pl.read_parquet(small_store.table_path(table.name))
        assert frame.schema == pl.Schema(table.schema)
        assert frame.equals(table.conform(frame))
        assert not frame.is_empty()
        assert not frame.select(table.key).is_duplicated().any()
        assert frame["release_id"].unique().to_list() == [small_store.release.release_id]


def test_names_keep_the_preferred_one_apart(small_store) -> None:
    names = pl.read_parquet(small_store.table_path("concept_names"))
    found = names.filter(concept_id="MESH:D003924").select("name", "is_preferred").rows()
    assert found == [
        ("Diabetes Mellitus, Type 2", True),
        ("Diabetes, Maturity-Onset", False),
        ("NIDDM", False),
    ]


def test_mapped_records_take_over_branches(small_store) -> None:
    concepts = pl.read_parquet(small_store.table_path("concepts"))
    types = dict(concepts.select("concept_id", "semantic_types").iter_rows())
    assert types["MESH:C000001"] == ["D12", "SCR1"]
    assert types["MESH:C000002"] == ["C08", "C19", "SCR3"]
    assert types["MESH:C565588"] == ["SCR1"]


def test_release_describes_its_sources(small_mesh, tmp_path: Path) -> None:
    lines: list[str] = []
    release = build_store(small_mesh, tmp_path / "store", progress=lines.append)
    assert open_store(tmp_path / "store").release == release
    assert [list(source.files) for source in release.sources] == [["desc.xml"], ["supp.xml"]]
    assert [source.concepts for source in release.sources] == [11, 5]
    assert release.concepts == 16
    assert release.names == sum(source.names for source in release.sources)
    assert "National Library of Medicine" in release.attribution
    assert any("desc.xml: 11 concepts" in line for line in lines)


def test_release_id_depends_on_content_only(small_mesh, tmp_path: Path) -> None:
    first = build_store(small_mesh, tmp_path / "a")
    moved = []
    for kind, path in reversed(small_mesh):
        copy = tmp_path / f"copy-{path.name}.gz"
        copy.write_bytes(gzip.compress(path.read_bytes()))
        moved.append((kind, copy))
    again = build_store(moved, tmp_path / "b")
    assert again.release_id == first.release_id
    for table in TABLES:
        name = f"{table.name}.parquet"
        assert pl.read_parquet(tmp_path / "a" / name).equals(pl.read_parquet(tmp_path / "b" / name))
    desc = small_mesh[0][1]
    desc.write_text(desc.read_text().replace("NIDDM", "NIDDX"))
    assert build_store(small_mesh, tmp_path / "c").release_id != first.release_id


def test_release_id_form(small_store) -> None:
    kind, fingerprint = small_store.release.release_id.split("-")
    assert kind == "mesh"
    assert len(fingerprint) == 12
    int(fingerprint, 16)


def test_a_concept_defined_twice(tmp_path: Path, write_mesh, mesh_record) -> None:
    records = [mesh_record("D1", "One"), mesh_record("D2", "Two"), mesh_record("D1", "Uno")]
    path = write_mesh(tmp_path / "desc.xml", *records)
    with pytest.raises(OntologyError, match=r"desc\.xml:4: MESH:D1 is already .*desc\.xml:2"):
        build_store([("mesh", path)], tmp_path / "store")


def test_a_file_given_twice(small_mesh, tmp_path: Path) -> None:
    with pytest.raises(OntologyError, match="give each release file once"):
        build_store([*small_mesh, small_mesh[0]], tmp_path / "store")


def test_unknown_format_and_no_source(small_mesh, tmp_path: Path) -> None:
    with pytest.raises(OntologyError, match=r"unknown format owl; known formats: .*mesh"):
        build_store([("owl", small_mesh[0][1])], tmp_path / "store")
    with pytest.raises(OntologyError, match="no ontology given"):
        build_store([], tmp_path / "store")


def test_a_failed_build_leaves_nothing(small_mesh, tmp_path: Path) -> None:
    out = tmp_path / "out" / "store"
    with pytest.raises(OntologyError):
        build_store([*small_mesh, ("mesh", tmp_path / "absent.xml")], out)
    assert not out.exists()


def test_a_failed_build_leaves_the_old_store(small_mesh, tmp_path: Path) -> None:
    out = tmp_path / "store"
    release = build_store(small_mesh, out)
    with pytest.raises(OntologyError):
        build_store([("mesh", tmp_path / "absent.xml")], out)
    assert open_store(out).release == release


def test_a_store_is_replaced(small_mesh, tmp_path: Path) -> None:
    out = tmp_path / "out" / "store"
    old = build_store(small_mesh, out)
    before = open_store(out)
    new = build_store(small_mesh[:1], out)
    assert open_store(out).release == new != old
    assert before.name_texts(np.array([0])), "an open store stays readable"
    assert [path.name for path in out.parent.iterdir()] == ["store"]


def test_an_empty_folder_is_used_and_a_foreign_one_is_not(small_mesh, tmp_path: Path) -> None:
    out = tmp_path / "store"
    out.mkdir()
    build_store(small_mesh, out)
    foreign = tmp_path / "thesis"
    foreign.mkdir()
    (foreign / "chapter.txt").write_text("x")
    (foreign / "release.json").write_text("{}")
    with pytest.raises(OntologyError, match="not overwritten"):
        build_store(small_mesh, foreign)
    assert (foreign / "chapter.txt").read_text() == "x"
    file = tmp_path / "file"
    file.write_text("x")
    with pytest.raises(OntologyError, match="is a file"):
        build_store(small_mesh, file)


# Dies once everything is written, before any of it is synced and takes the old store's place.
DIES = """
import os, signal, sys
from pathlib import Path
from ontologies.build import build_store
os.fsync = lambda descriptor: os.kill(os.getpid(), signal.SIGKILL)
build_store([("mesh", Path(path)) for path in sys.argv[2:]], Path(sys.argv[1]))
"""


def test_a_killed_build_does_no_harm(small_mesh, tmp_path: Path) -> None:
    out = tmp_path / "out" / "store"
    old = build_store(small_mesh[:1], out)
    paths = [str(path) for _, path in small_mesh]
    died = subprocess.run([sys.executable, "-c", DIES, str(out), *paths])
    assert died.returncode == -signal.SIGKILL
    assert len(list(out.parent.iterdir())) == 2, "the kill left its folder"
    assert open_store(out).release == old
    new = build_store(small_mesh, out)
    assert open_store(out).release == new
    assert [path.name for path in out.parent.iterdir()] == ["store"]


def test_whole_mesh(mesh_store) -> None:
    assert mesh_store.release.concepts == 69_029
    names = pl.read_parquet(mesh_store.table_path("concept_names"))
    assert names.filter(pl.col("is_preferred")).height == 69_029
    assert not names["name"].str.contains(r"^(DOID|HP|CHEBI|GO):\d+$").any()
