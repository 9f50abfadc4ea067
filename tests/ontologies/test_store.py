from __future__ import annotations

import json
import shutil
import time
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from ontologies.errors import OntologyError
from ontologies.labels import LABEL_TYPES, allowed_types
from ontologies.store import ALLOWED, ALLOWED_UNTYPED, FORBIDDEN, open_store


@pytest.fixture
def copy(small_store, tmp_path: Path) -> Path:
    return Path(shutil.copytree(small_store.path, tmp_path / "store"))


def test_names_and_concepts_come_back(small_store) -> None:
    names = pl.read_parquet(small_store.table_path("concept_names"))
    rows = np.arange(names.height)
    assert small_store.name_texts(rows) == names["name"].to_list()
    assert small_store.concept_ids(small_store.names.concept[rows]) == names["concept_id"].to_list()
    assert small_store.names.preferred.tolist() == names["is_preferred"].to_list()


def test_a_store_knows_what_it_holds(small_store) -> None:
    there = small_store.concept_ids(np.arange(small_store.release.concepts))
    assert small_store.holds(there).all()
    strangers = ["", "MESH:D9", "MESH:D0039200", "OMIM:123456", "ZZZZ:" + "9" * 40]
    assert not small_store.holds(strangers).any()
    assert small_store.holds([strangers[2], there[3], strangers[4]]).tolist() == [
        False,
        True,
        False,
    ]
    assert small_store.holds([]).tolist() == []


def test_permits(small_store) -> None:
    ids = small_store.concept_ids(np.arange(small_store.release.concepts))

    def permits(label: str) -> dict[str, int]:
        types = allowed_types(label, LABEL_TYPES)
        return dict(zip(ids, small_store.permits(types).tolist(), strict=True))

    disease, chemical, species = permits("DISEASE"), permits("Chemical"), permits("Species")
    assert disease["MESH:D003920"] == ALLOWED
    assert disease["MESH:C000002"] == ALLOWED
    assert disease["MESH:D003080"] == FORBIDDEN
    assert disease["MESH:C000001"] == FORBIDDEN, "its heading is a protein"
    assert disease["MESH:C565588"] == ALLOWED_UNTYPED
    assert chemical["MESH:C565588"] == ALLOWED
    assert chemical["MESH:C000001"] == ALLOWED
    assert chemical["MESH:C000003"] == FORBIDDEN
    assert species["MESH:C000003"] == ALLOWED
    assert set(permits("Anything else").values()) == {ALLOWED}


def test_opening_a_mesh_is_quick(mesh_store) -> None:
    start = time.perf_counter()
    open_store(mesh_store.path)
    assert time.perf_counter() - start < 1


@pytest.mark.parametrize("name", ["absent", "empty", "foreign"])
def test_no_store_there(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    if name != "absent":
        path.mkdir()
    if name == "foreign":
        (path / "release.json").write_text('{"name": "left-pad"}')
    with pytest.raises(OntologyError, match="charthouse ontology build --mesh") as caught:
        open_store(path)
    assert str(path) in str(caught.value)


def test_every_missing_or_cut_file_is_noticed(copy: Path) -> None:
    for file in sorted(path for path in copy.rglob("*") if path.is_file()):
        content = file.read_bytes()
        for damage in (None, content[:-2], b""):
            file.unlink()
            if damage is not None:
                file.write_bytes(damage)
            with pytest.raises(OntologyError) as caught:
                open_store(copy)
            assert "charthouse ontology build" in str(caught.value)
            assert "\n" not in str(caught.value)
            file.write_bytes(content)
    open_store(copy)


def test_another_index_version(copy: Path) -> None:
    manifest = json.loads((copy / "release.json").read_text())
    manifest["index_version"] = "0.9"
    (copy / "release.json").write_text(json.dumps(manifest))
    with pytest.raises(OntologyError, match=r"index version 0\.9, this release reads"):
        open_store(copy)


def test_a_manifest_that_forgets_its_files(copy: Path) -> None:
    manifest = json.loads((copy / "release.json").read_text())
    manifest["files"] = {}
    (copy / "release.json").write_text(json.dumps(manifest))
    with pytest.raises(OntologyError, match="index files are missing"):
        open_store(copy)


def test_a_damaged_array_header(copy: Path) -> None:
    file = copy / "index" / "name.concept.npy"
    file.write_bytes(b"\0" * file.stat().st_size)
    with pytest.raises(OntologyError, match=r"name\.concept\.npy"):
        open_store(copy)
