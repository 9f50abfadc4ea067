"""Forgetting: rows, bytes, snapshots and work folder; what stays forgotten, and what comes back."""

from __future__ import annotations

import io
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.cli.main import _run
from flows.errors import CharthouseError
from flows.forget import compact_warehouse, forget, preview, remember
from flows.handover import Handover
from flows.plan import Planner
from flows.schema import FORGOTTEN, SALTS
from flows.storage import Storage
from flows.warehouse import runs
from flows.warehouse.access import Access
from flows.warehouse.check import check_warehouse
from flows.warehouse.connection import open_warehouse
from flows.warehouse.ddl import create_table
from flows.warehouse.erasing import Subjects
from flows.warehouse.session import connect
from flows.warehouse.snapshots import publish
from flows.warehouse.tombstones import add_tombstones, is_forgotten
from flows.work import WorkFolder, make_private
from tests.flows.conftest import Bench, write_jsonl
from tests.flows.holding import start
from tests.flows.runs import contents

ACCESS = Access(say=lambda line: None)
MARKER = "Zqxvkjw"
"""Stands in the text, the id, the mention and the name of whom is to be forgotten."""

WHO = Subjects(documents=(f"notes:{MARKER}-id",))

Command = Callable[..., int]


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch) -> Command:
    """Call the command line in this process; gives its exit code."""

    def call(*arguments: str | Path) -> int:
        monkeypatch.setattr(sys, "argv", ["charthouse", *map(str, arguments)])
        return _run()

    return call


def notes(folder: Path, *ids: str, name: str = "notes", person_id: str = "") -> Path:
    """A source of notes; the text begins with the id's name."""
    records = [
        {"id": i, "text": f"{i.split('-')[0]} is what it says.", "person_id": person_id}
        for i in ids
    ]
    return write_jsonl(folder / f"{name}.jsonl", *records)


def link_names(bench: Bench) -> None:
    """A link of each name, as linking would write them."""
    with open_warehouse(bench.warehouse) as connection:
        connection.execute(
            "INSERT INTO name_links BY NAME SELECT DISTINCT lookup_text, label, 'l' AS linkset_id, "
            "1 AS rank, 'no_candidate' AS status FROM mentions m WHERE NOT EXISTS ("
            "FROM name_links n WHERE n.lookup_text = m.lookup_text AND n.label = m.label)"
        )


def leave_open(bench: Bench, source: Path) -> None:
    """Begin a run, plan it, and stop as a kill does."""
    with open_warehouse(bench.warehouse) as connection:
        order = bench.order(source)
        work = WorkFolder.beside(bench.warehouse)
        make_private(work.root)
        (make_private(work.spool("left-by-a-kill")) / "0.parquet").write_text(MARKER)
        run_id = runs.new_run_id()
        runs.begin_run(connection, run_id, order)
        planner = Planner(connection, order, work, run_id)
        planner.commit(planner.read(), 0.0)


def files_with(marker: str, folder: Path, *, but: tuple[Path, ...] = ()) -> set[str]:
    """Names of files below a folder that hold the marker anywhere in their bytes or path."""
    return {
        str(path.relative_to(folder))
        for path in folder.rglob("*")
        if path.is_file()
        and path not in but
        and (marker.encode() in path.read_bytes() or marker in str(path.relative_to(folder)))
    }


def below(folder: Path) -> list[str]:
    """Files below a folder."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


@pytest.fixture
def remembered(bench: Bench, tmp_path: Path) -> tuple[Bench, Path]:
    """A warehouse, a snapshot, a log and a work folder that all hold the marker; and the source."""
    source = notes(tmp_path, "Asthma-1", f"{MARKER}-id", "Fever-2")
    bench.run(source)
    link_names(bench)
    with open_warehouse(bench.warehouse) as connection:
        publish(connection, bench.warehouse, tmp_path / "s.duckdb", ACCESS)
    bench.run(notes(tmp_path, f"{MARKER}-other", name="later"))
    leave_open(bench, notes(tmp_path, f"{MARKER}-third", name="third"))
    # A killed process leaves its log: the rows in it are not in the file yet.
    writer = start(
        "import duckdb, os, sys\n"
        "connection = duckdb.connect(sys.argv[1])\n"
        f"connection.execute(\"INSERT INTO rejects VALUES ('p', 7, 'a', 'annotate', '{MARKER}', "
        f"'notes:{MARKER}-id', 'r')\")\n"
        "os.kill(os.getpid(), 9)\n",
        bench.warehouse,
    )
    writer.communicate()
    assert writer.returncode == -signal.SIGKILL
    return bench, source


EVERYTHING = Subjects(
    documents=(f"notes:{MARKER}-id", f"later:{MARKER}-other", f"third:{MARKER}-third")
)


def test_not_a_byte_is_left(remembered: tuple[Bench, Path], tmp_path: Path) -> None:
    bench, _ = remembered
    sources = tuple(tmp_path.glob("*.jsonl"))
    before = files_with(MARKER, tmp_path, but=sources)
    assert {"w.duckdb", "w.duckdb.wal", "s.duckdb"} <= before
    assert any(name.startswith("w.duckdb.work") for name in before)
    outcome = forget(bench.warehouse, EVERYTHING, ACCESS)
    assert files_with(MARKER, tmp_path, but=sources) == set()
    assert outcome.abandoned_runs == 1 and outcome.snapshots == 1
    assert outcome.erased.tombstones == 3
    assert not WorkFolder.beside(bench.warehouse).root.exists()
    assert contents(tmp_path / "s.duckdb") == contents(bench.warehouse) | {"salts": []}


def test_the_tables_are_those_of_a_warehouse_that_never_saw_them(
    bench: Bench, tmp_path: Path
) -> None:
    bench.run(notes(tmp_path, "Asthma-1", f"{MARKER}-id", "Fever-2", "unreadable-3"))
    link_names(bench)
    forget(bench.warehouse, WHO, ACCESS)
    other = Bench(tmp_path / "other.duckdb")
    (tmp_path / "other").mkdir()
    other.run(notes(tmp_path / "other", "Asthma-1", "Fever-2", "unreadable-3"))
    link_names(other)
    found, expected = contents(bench.warehouse), contents(other.warehouse)
    for table in set(found) - {"runs", "sources", "shards", "forgotten", "salts", "rejects"}:
        kept = list(found[table])
        if table == "documents":  # the position in the file differs
            assert [row[0] for row in kept] == [row[0] for row in expected[table]]
        else:
            assert kept == expected[table], table
    assert len(found["forgotten"]) == 1 and len(found["rejects"]) == 1


@pytest.mark.parametrize("by", ["document", "person"])
def test_the_next_run_does_not_bring_them_back(bench: Bench, tmp_path: Path, by: str) -> None:
    bench.run(notes(tmp_path, f"{MARKER}-id", person_id="p-1"))
    who = WHO if by == "document" else Subjects(persons=("p-1",))
    assert forget(bench.warehouse, who, ACCESS).erased.documents == 1
    notes(tmp_path, f"{MARKER}-id", "Fever-2", person_id="p-2" if by == "document" else "p-1")
    counts = bench.run(tmp_path / "notes.jsonl")
    assert counts.read == 2
    assert (counts.forgotten, counts.new) == ((1, 1) if by == "document" else (2, 0))
    assert bench.query("SELECT forgotten FROM runs ORDER BY started_at") == [
        (0,),
        (counts.forgotten,),
    ]
    assert bench.query(f"SELECT count(*) FROM documents WHERE text LIKE '%{MARKER}%'") == [(0,)]
    later = notes(tmp_path, f"{MARKER}-new", name="later", person_id="p-1")
    assert bench.run(later).forgotten == (0 if by == "document" else 1)


def test_a_person_takes_the_documents_along_even_where_they_lose_the_name(
    bench: Bench, tmp_path: Path
) -> None:
    bench.run(notes(tmp_path, f"{MARKER}-id", person_id="p-1"))
    forget(bench.warehouse, Subjects(persons=("p-1",)), ACCESS)
    assert bench.run(notes(tmp_path, f"{MARKER}-id", person_id="")).forgotten == 1


def test_a_deletion_of_what_is_forgotten_leaves_no_row(bench: Bench, tmp_path: Path) -> None:
    source = tmp_path / "pubmed24n0002.xml"
    source.write_text(
        "<PubmedArticleSet><DeleteCitation><PMID>77</PMID></DeleteCitation></PubmedArticleSet>"
    )
    bench.run(notes(tmp_path, "Asthma-1"))
    forget(bench.warehouse, Subjects(documents=("pubmed:77",)), ACCESS)
    counts = bench.run(source)
    assert (counts.read, counts.forgotten, counts.deleted) == (1, 1, 0)
    assert bench.query("SELECT count(*) FROM documents WHERE is_deleted") == [(0,)]


def test_the_tables_are_sound_afterwards(remembered: tuple[Bench, Path]) -> None:
    bench, _ = remembered

    def breached() -> set[str]:
        with open_warehouse(bench.warehouse) as connection:
            return {found.name for found in check_warehouse(connection) if found.breaches}

    before = breached()  # nothing has described the annotation set
    forget(bench.warehouse, EVERYTHING, ACCESS)
    assert breached() <= before


def test_every_record_is_counted_once(bench: Bench, tmp_path: Path) -> None:
    bench.run(notes(tmp_path, "Asthma-1", f"{MARKER}-id"))
    forget(bench.warehouse, WHO, ACCESS)
    twice = notes(tmp_path, f"{MARKER}-id", "Asthma-1", f"{MARKER}-id", "New-1", "Asthma-1", "", "")
    counts = bench.run(twice)
    outcomes = (counts.skipped, counts.duplicates, counts.superseded, counts.new, counts.replaced)
    more = (counts.metadata_updated, counts.deleted, counts.rejected, counts.forgotten)
    assert counts.read == 7 == sum(outcomes) + sum(more)
    assert counts.forgotten == 1 and counts.rejected == 2


def test_links_of_names_that_no_text_has_go(bench: Bench, tmp_path: Path) -> None:
    bench.run(notes(tmp_path, f"{MARKER}-id", "Fever-1", "Fever-2"))
    link_names(bench)
    forget(bench.warehouse, Subjects(documents=(*WHO.documents, "notes:Fever-1")), ACCESS)
    assert bench.query("SELECT lookup_text FROM name_links") == [("Fever",)]


def test_a_dry_run_says_the_same_and_writes_nothing(
    remembered: tuple[Bench, Path], tmp_path: Path
) -> None:
    bench, _ = remembered
    bench.query("SELECT 1")  # so that the log is taken in
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    said = preview(bench.warehouse, EVERYTHING, ACCESS)
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before
    done = forget(bench.warehouse, EVERYTHING, ACCESS).erased
    assert said.rows == done.rows and said.documents == done.documents == 2
    assert said.ids_found == done.ids_found == 2 and said.ids_given == 3


_FORGET = """
import os, sys
from pathlib import Path
from flows.forget import forget
from flows.warehouse import compacting, copying, erasing, snapshots
from flows.warehouse.access import Access
from flows.warehouse.ddl import create_table
from flows.warehouse.erasing import Subjects
import flows.forget
def kill(*arguments, **more):
    os.kill(os.getpid(), 9)
moments = {
    "erasing": (erasing, "add_tombstones"),
    "rewriting": (flows.forget, "_rewrite"),
    "copying a snapshot": (copying, "sync_file"),
    "compacting": (flows.forget, "compact"),
    "renaming": (compacting, "sync_folder"),
}
where, what = moments[sys.argv[2]]
setattr(where, what, kill)
forget(Path(sys.argv[1]), Subjects(documents=tuple(sys.argv[3:])), Access())
"""


@pytest.mark.parametrize(
    "moment", ["erasing", "rewriting", "copying a snapshot", "compacting", "renaming"]
)
def test_after_a_kill_the_same_command_does_the_rest(
    remembered: tuple[Bench, Path], tmp_path: Path, moment: str
) -> None:
    bench, _ = remembered
    killed = start(_FORGET, bench.warehouse, moment, *EVERYTHING.documents)
    _, errors = killed.communicate(timeout=120)
    assert killed.returncode == -signal.SIGKILL, errors
    forget(bench.warehouse, EVERYTHING, ACCESS)
    sources = tuple(tmp_path.glob("*.jsonl"))
    assert files_with(MARKER, tmp_path, but=sources) == set()
    assert bench.query("SELECT native_id FROM documents ORDER BY 1") == [
        ("Asthma-1",),
        ("Fever-2",),
    ]
    assert {path.name for path in tmp_path.iterdir()} - {path.name for path in sources} == {
        "w.duckdb",
        "s.duckdb",
    }


def test_what_workers_elsewhere_were_given_goes_too(
    remembered: tuple[Bench, Path], tmp_path: Path
) -> None:
    bench, _ = remembered
    work, storage = WorkFolder.beside(bench.warehouse), Storage(f"{tmp_path.as_uri()}/shared")
    ((run_id,),) = bench.query("SELECT run_id FROM runs WHERE status = 'running'")
    handover = Handover(work, str(run_id), storage)
    handover.open(bench.order(tmp_path / "third.jsonl"))
    handover.give(work.shard(str(run_id), 1))
    assert any(name.endswith(".parquet") for name in below(tmp_path / "shared"))
    forget(bench.warehouse, EVERYTHING, ACCESS)
    assert below(tmp_path / "shared") == []


def test_compaction_can_be_put_off(remembered: tuple[Bench, Path], tmp_path: Path) -> None:
    bench, _ = remembered
    outcome = forget(bench.warehouse, EVERYTHING, ACCESS, defer_compaction=True)
    assert outcome.compacted is None
    assert bench.query("SELECT count(*) FROM documents") == [(2,)]
    assert "s.duckdb" in files_with(MARKER, tmp_path)
    assert compact_warehouse(bench.warehouse, ACCESS)[0] == 1
    assert not {"s.duckdb", "w.duckdb"} & files_with(MARKER, tmp_path)


def test_a_snapshot_that_cannot_be_renewed_is_told_and_the_rest_is_done(
    remembered: tuple[Bench, Path], tmp_path: Path
) -> None:
    bench, _ = remembered
    snapshot = tmp_path / "s.duckdb"
    snapshot.unlink()
    snapshot.write_text("something else by now")
    with pytest.raises(CharthouseError, match="is no snapshot"):
        forget(bench.warehouse, EVERYTHING, ACCESS)
    assert "w.duckdb" not in files_with(MARKER, tmp_path)


def test_an_annotation_set_goes_whole_unless_it_is_current(bench: Bench, tmp_path: Path) -> None:
    source = notes(tmp_path, "Asthma-1", "Fever-2")
    bench.run(source)
    link_names(bench)
    with open_warehouse(bench.warehouse) as connection:
        runs.record_annotation_set(connection, bench.order(source).annotation)
        for table in ("mentions", "document_annotations"):
            changed = ", false AS is_current" if table == "document_annotations" else ""
            connection.execute(
                f"INSERT INTO {table} SELECT * REPLACE ('old' AS annotation_id{changed}) "
                f"FROM {table}"
            )
        connection.execute(
            "INSERT INTO annotation_sets SELECT * REPLACE ('old' AS annotation_id) "
            "FROM annotation_sets"
        )
    before = contents(bench.warehouse)
    with pytest.raises(CharthouseError, match="current one of 2 documents"):
        forget(bench.warehouse, Subjects(annotation_sets=("rule-1",)), ACCESS)
    with pytest.raises(CharthouseError, match="not in the warehouse"):
        forget(bench.warehouse, Subjects(annotation_sets=("none",)), ACCESS)
    assert contents(bench.warehouse) == before
    erased = forget(bench.warehouse, Subjects(annotation_sets=("old",)), ACCESS).erased
    assert erased.rows == {"mentions": 2, "document_annotations": 2, "annotation_sets": 1}
    assert erased.tombstones == 0
    after = contents(bench.warehouse)
    assert [row[1] for row in after["document_annotations"]] == ["rule-1", "rule-1"]
    assert after["documents"] == before["documents"]
    assert after["name_links"] == before["name_links"]


def test_what_is_remembered_comes_back(bench: Bench, tmp_path: Path) -> None:
    source = notes(tmp_path, f"{MARKER}-id", "Fever-2", person_id="p-1")
    bench.run(source)
    forget(bench.warehouse, Subjects(persons=("p-1",)), ACCESS)
    who = Subjects(documents=(f"notes:{MARKER}-id",), persons=("p-1",))
    assert remember(bench.warehouse, who, ACCESS) == 2
    counts = bench.run(source)
    assert (counts.new, counts.forgotten) == (1, 1), "the other document has a tombstone of its own"
    assert remember(bench.warehouse, who, ACCESS) == 0


def test_the_command_prints_counts_and_never_ids(
    bench: Bench,
    tmp_path: Path,
    command: Command,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bench.run(notes(tmp_path, f"{MARKER}-id", "Fever-2", person_id="p-1"))
    ids = tmp_path / "ids.txt"
    ids.write_bytes(f"\ufeffnotes:{MARKER}-id\r\n\nnotes:{MARKER}-unknown\n".encode())
    where = ("-w", bench.warehouse)
    assert command("forget", *where, "--document-file", ids, "--dry-run") == 0
    assert "1 of 2 ids" in (said := capsys.readouterr().out)
    assert MARKER not in said
    assert command("forget", *where, "--document-file", ids) == 0
    assert "2 new tombstones" in (said := capsys.readouterr().out)
    assert MARKER not in said
    assert command("forget", *where, "--document", MARKER) == 2
    assert command("forget", *where) == 2
    assert command("forget", "-w", tmp_path / "none.duckdb", "--document", f"a:{MARKER}") == 1
    assert MARKER not in "".join(capsys.readouterr())
    assert not (tmp_path / "none.duckdb").exists()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"p-1\n")))
    assert command("forget", *where, "--person-file", "-", "--json") == 0
    assert '"documents": 1' in capsys.readouterr().out
    assert bench.query("SELECT count(*) FROM documents") == [(0,)]


IDS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1)


@given(documents=st.lists(IDS, max_size=4), persons=st.lists(IDS, max_size=4), other=IDS)
def test_tombstones_are_recognised_whatever_the_ids(
    documents: list[str], persons: list[str], other: str
) -> None:
    with connect(None) as connection:
        for table in (FORGOTTEN, SALTS):
            connection.execute(create_table(table, keyed=True))
        add_tombstones(connection, "document", documents)
        add_tombstones(connection, "person", persons)
        connection.execute("CREATE TABLE r (document_id VARCHAR, person_id VARCHAR)")
        rows: list[tuple[str, str | None]] = [(d, None) for d in [*documents, *persons, other]]
        rows += [("none of them", p) for p in [*documents, *persons, other]]
        for row in rows:
            connection.execute("INSERT INTO r VALUES (?, ?)", row)
        condition = is_forgotten(connection, "r")
        found = connection.execute(f"SELECT {condition} FROM r ORDER BY rowid").fetchall()
    assert [known for (known,) in found] == [
        document in documents or person in persons for document, person in rows
    ]
