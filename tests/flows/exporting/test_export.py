"""What all formats share: selection, a folder that is whole or not there, a warehouse untouched."""

from __future__ import annotations

import hashlib
import json
import stat
from pathlib import Path

import duckdb
import pytest

from flows.errors import CharthouseError
from flows.exporting.bioc import Bioc
from flows.exporting.export import Format, Order, export
from flows.exporting.fhir.fhir import Fhir
from flows.exporting.folder import new_folder
from flows.exporting.omop.omop import Omop
from flows.exporting.outcome import Written
from flows.exporting.pubtator import Pubtator
from flows.exporting.selection import Selection
from flows.exporting.tables import Tables
from flows.settings import ExecutionSettings
from flows.warehouse.access import Access
from flows.warehouse.connection import Connection, open_warehouse
from tests.flows.conftest import Bench
from tests.flows.exporting.conftest import Export


def formats(folder: Path) -> list[Format]:
    return [Omop(folder / "ids"), Fhir(), Pubtator(), Bioc(), Tables(Selection())]


def digests(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != "export.json"
    }


class Failing:
    """A format that dies when it has written something."""

    name, annotated = "failing", True

    def check(self) -> None:
        pass

    def expect(self, connection: Connection) -> Written:
        raise AssertionError

    def write(self, connection: Connection, folder: Path) -> Written:
        (folder / "half").write_text("half")
        raise OSError(28, "No space left on device")


def test_the_warehouse_is_only_read(filled: Bench, tmp_path: Path) -> None:
    before = filled.warehouse.read_bytes()
    filled.warehouse.chmod(0o400)
    for asked in formats(tmp_path):
        export(Order(filled.warehouse, tmp_path / asked.name, asked))
    assert filled.warehouse.read_bytes() == before
    assert not [p for p in tmp_path.iterdir() if p.name.startswith("w.duckdb.")]


def test_the_same_warehouse_gives_the_same_files(filled: Bench, tmp_path: Path) -> None:
    for asked in formats(tmp_path)[1:4]:
        for name in "ab":
            export(Order(filled.warehouse, tmp_path / f"{asked.name}-{name}", asked))
        one, other = (digests(tmp_path / f"{asked.name}-{name}") for name in "ab")
        assert one
        assert one == other


def test_exports_are_their_owners_alone_and_say_what_they_are(
    run_export: Export, tmp_path: Path
) -> None:
    outcome = run_export(Pubtator())
    out = tmp_path / "out"
    assert stat.S_IMODE(out.stat().st_mode) == 0o700
    manifest = json.loads((out / "export.json").read_text())
    assert manifest["format"] == "pubtator"
    assert manifest["documents"] == outcome.documents == 4
    for file in manifest["files"]:
        assert (out / file["name"]).stat().st_size == file["bytes"] > 0
    assert {p.name for p in out.iterdir()} == {"export.json"} | {
        file["name"] for file in manifest["files"]
    }


@pytest.mark.parametrize(
    ("where", "corpora", "documents"),
    [
        (None, ("notes",), 3),
        (None, ("notes", "abstracts"), 4),
        ("person_id = '5'", (), 1),
        ("document_date >= '2024-01-01' -- a comment", (), 1),
        ("kind = 'note' OR true", ("abstracts",), 1),
        ("true) OR (true", ("abstracts",), 1),
    ],
)
def test_selections(
    run_export: Export, where: str | None, corpora: tuple[str, ...], documents: int
) -> None:
    assert run_export(Bioc(), where=where, corpora=corpora).documents == documents


@pytest.mark.parametrize(
    ("where", "problem"),
    [
        ("nosuch = 1", "nosuch"),
        ("person_id = ", "--where"),
        ("true); ATTACH 'x.duckdb' AS x; SELECT (true", "is no condition"),
        ("CAST(native_id AS DATE) > '2024-01-01'", r"failed while it ran \(ConversionException\)"),
        ("false", "no document is selected"),
    ],
)
def test_bad_conditions_are_told_without_values(
    run_export: Export, tmp_path: Path, where: str, problem: str
) -> None:
    with pytest.raises(CharthouseError, match=problem) as told:
        run_export(Bioc(), where=where)
    assert "77" not in str(told.value)
    assert not (tmp_path / "out").exists()


def test_an_unknown_corpus_is_told_with_those_there_are(run_export: Export) -> None:
    with pytest.raises(CharthouseError, match=r"no such corpus.*abstracts, notes"):
        run_export(Bioc(), corpora=["note"])


def test_an_export_is_replaced_only_when_asked(run_export: Export, tmp_path: Path) -> None:
    run_export(Pubtator())
    before = digests(tmp_path / "out")
    with pytest.raises(CharthouseError, match=r"there already.*--overwrite"):
        run_export(Bioc())
    assert digests(tmp_path / "out") == before
    run_export(Bioc(), overwrite=True)
    assert set(digests(tmp_path / "out")) == {"abstracts.bioc.xml", "notes.bioc.xml"}


def test_nothing_but_an_export_is_ever_replaced(run_export: Export, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.txt").write_text("mine")
    with pytest.raises(CharthouseError, match="something else than an export"):
        run_export(Bioc(), overwrite=True)
    assert (tmp_path / "out" / "thesis.txt").read_text() == "mine"


@pytest.mark.parametrize("former", [True, False])
def test_a_failure_leaves_what_was_there(run_export: Export, tmp_path: Path, former: bool) -> None:
    if former:
        run_export(Pubtator())
    before = sorted(p.name for p in tmp_path.iterdir())
    with pytest.raises(CharthouseError, match="could not be written"):
        run_export(Failing(), overwrite=True)
    assert sorted(p.name for p in tmp_path.iterdir()) == before


def test_what_a_kill_left_is_mended(run_export: Export, tmp_path: Path) -> None:
    run_export(Pubtator())
    before = digests(tmp_path / "out")
    # Killed between the two renames, with half of another one written.
    (tmp_path / "out").rename(tmp_path / ".out.old")
    half = tmp_path / ".out.new"
    half.mkdir()
    (half / "half.xml").write_text("<half")
    with pytest.raises(CharthouseError, match="there already"):
        run_export(Bioc())
    assert digests(tmp_path / "out") == before
    run_export(Bioc(), overwrite=True)
    assert set(digests(tmp_path / "out")) == {"abstracts.bioc.xml", "notes.bioc.xml"}
    assert not [p for p in tmp_path.iterdir() if p.name.startswith(".out")]


def test_two_exports_to_one_folder_do_not_meet(run_export: Export, tmp_path: Path) -> None:
    with new_folder(tmp_path / "out") as held:
        (held / "mine").write_text("mine")
        with pytest.raises(CharthouseError, match="being written by another process"):
            run_export(Bioc())
        assert (held / "mine").exists()
    assert (tmp_path / "out" / "mine").exists()


def test_deleted_and_unannotated_documents_are_left_out(filled: Bench, run_export: Export) -> None:
    with open_warehouse(filled.warehouse) as connection:
        connection.execute("UPDATE documents SET is_deleted = true WHERE native_id = '12'")
        connection.execute("DELETE FROM document_annotations WHERE document_id = 'abstracts:77'")
    assert run_export(Bioc()).documents == 2


def test_an_encrypted_warehouse_is_exported(bench: Bench, notes: object, tmp_path: Path) -> None:
    bench.access = Access(key="k" * 20, unsafe_crypto=True)
    bench.run(notes(a="asthma here", b="gout there"))  # type: ignore[operator]
    for asked in formats(tmp_path):
        outcome = export(Order(bench.warehouse, tmp_path / asked.name, asked), bench.access)
        without_person = outcome.counts.get("documents without a person", 0)
        assert without_person == (2 if asked.name == "fhir" else 0)
        assert outcome.documents + without_person == 2
    with pytest.raises(CharthouseError, match="is encrypted"):
        export(Order(bench.warehouse, tmp_path / "out", Bioc()))


class Big(Failing):
    """A format that needs more memory than it may have."""

    def write(self, connection: Connection, folder: Path) -> Written:
        connection.execute(
            "CREATE TABLE memory.main.big AS "
            "SELECT hash(range)::VARCHAR || repeat('x', 100) AS text FROM range(1_000_000)"
        )
        assert list((folder / "spill").iterdir())
        (folder / "done").write_text("done")
        return Written({"done": 1})


def test_what_does_not_fit_into_memory_goes_to_the_folder_and_not_out_with_it(
    filled: Bench, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    export(Order(filled.warehouse, out, Big()), execution=ExecutionSettings(memory_megabytes=100))
    assert {p.name for p in out.iterdir()} == {"done", "export.json"}
    assert not [p for p in tmp_path.iterdir() if p.name.startswith("w.duckdb.")]


def test_an_older_warehouse_is_to_be_brought_up_to_date(
    filled: Bench, run_export: Export, tmp_path: Path
) -> None:

    with duckdb.connect(str(filled.warehouse)) as connection:
        connection.execute("UPDATE schema_version SET version = version - 1")
    with pytest.raises(CharthouseError, match=r"made by an older charthouse.*charthouse compact"):
        run_export(Bioc())
    assert not (tmp_path / "out").exists()
