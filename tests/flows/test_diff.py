"""``charthouse diff``: two annotation sets of one warehouse side by side."""

from __future__ import annotations

import csv
import io
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flows.cli.main import _run
from flows.comparing.concepts import ConceptCounts, ConceptDiff
from flows.comparing.mentions import LabelDiff, Relabelling, all_labels
from flows.comparing.rows import rows_of
from flows.comparing.store import store_diff
from flows.diff import Diff, SameSet, diff
from flows.errors import CharthouseError
from flows.forget import forget, preview
from flows.warehouse.access import Access
from flows.warehouse.connection import Connection, open_warehouse
from flows.warehouse.erasing import Subjects
from flows.warehouse.load import insert
from nlp.schema import MENTIONS
from ontologies.table import Table
from tests.flows.conftest import Bench
from tests.flows.runs import within

Notes = Callable[..., Path]
Mention = tuple[str, int, int, str]
"""Document, start, end and label."""


def write_set(bench: Bench, annotation_id: str, mentions: Sequence[Mention], **ledger: str) -> None:
    """An annotation set beside those that are there, for all documents of the warehouse."""
    frame = pl.DataFrame(
        [
            {
                "document_id": document,
                "annotation_id": annotation_id,
                "mention_id": number,
                "start_char": start,
                "end_char": end,
                "mention_text": f"{start}-{end}",
                "label": label,
                "score": 1.0,
                "model": "rule",
                "lookup_text": f"name {start}",
            }
            for number, (document, start, end, label) in enumerate(mentions)
        ],
        schema=MENTIONS.schema,
    )
    values = {"source_hash": "source_hash", "status": "'done'", **ledger}
    with open_warehouse(bench.warehouse) as connection:
        connection.execute("DELETE FROM mentions WHERE annotation_id = ?", [annotation_id])
        connection.execute(
            "INSERT OR REPLACE INTO document_annotations BY NAME SELECT document_id, "
            f"'{annotation_id}' AS annotation_id, {values['source_hash']} AS source_hash, "
            f"'r' AS run_id, 's' AS shard_id, {values['status']} AS status, true AS is_current "
            "FROM documents"
        )
        connection.register("rows_here", frame.to_arrow())
        connection.execute("INSERT INTO mentions BY NAME FROM rows_here")
        connection.execute(
            "INSERT INTO annotation_sets VALUES (?, ['rule'], ?, now()::TIMESTAMP) "
            "ON CONFLICT DO NOTHING",
            [annotation_id, json.dumps({"engine": annotation_id, "pipeline": "blank"})],
        )


@pytest.fixture
def two_notes(bench: Bench, notes: Notes) -> Bench:
    """A warehouse of documents ``notes:a`` and ``notes:b``, annotated by set rule-1."""
    bench.run(notes(a="asthma today", b="gout today"))
    return bench


def compared(
    bench: Bench, before: Sequence[Mention], after: Sequence[Mention], **more: int
) -> Diff:
    write_set(bench, "set-1", before)
    write_set(bench, "set-2", after)
    outcome = diff(bench.warehouse, "set-1", "set-2", **more)
    assert isinstance(outcome, Diff)
    return outcome


def test_every_kind_of_change_is_told_by_label(two_notes: Bench) -> None:
    outcome = compared(
        two_notes,
        [
            ("notes:a", 0, 6, "Disease"),  # kept
            ("notes:a", 10, 16, "Disease"),  # relabelled
            ("notes:a", 20, 26, "Disease"),  # cut otherwise
            ("notes:a", 30, 36, "Disease"),  # lost
            ("notes:b", 0, 6, "Gene"),  # lost, though the other document has the same span
        ],
        [
            ("notes:a", 0, 6, "Disease"),
            ("notes:a", 10, 16, "Gene"),
            ("notes:a", 20, 29, "Disease"),
            ("notes:b", 0, 6, "Chemical"),
            ("notes:b", 8, 12, "Disease"),  # gained
        ],
    )
    assert outcome.labels == (
        LabelDiff("Chemical", 0, 1, 0, 0, 0, 1, 0, 0),
        LabelDiff("Disease", 4, 3, 1, 1, 1, 0, 1, 1),
        LabelDiff("Gene", 1, 1, 0, 0, 1, 1, 0, 0),
    )
    assert outcome.relabellings == (
        Relabelling("Disease", "Gene", 1),
        Relabelling("Gene", "Chemical", 1),
    )
    assert outcome.labels[1].shares == {"kept": 0.25, "lost": 0.25, "gained": 0.3333}
    assert outcome.labels[0].shares == {"kept": None, "lost": None, "gained": 0.0}
    assert outcome.settings == ("engine",)


def test_one_long_mention_takes_the_place_of_one_short_one(two_notes: Bench) -> None:
    """Of two that overlap it, the one that it overlaps most; the other was lost."""
    outcome = compared(
        two_notes,
        [("notes:a", 0, 4, "Disease"), ("notes:a", 5, 20, "Disease")],
        [("notes:a", 0, 20, "Disease")],
    )
    (label,) = outcome.labels
    assert (label.boundary, label.lost, label.gained) == (1, 1, 0)


spans = st.tuples(
    st.sampled_from(["notes:a", "notes:b"]),
    st.integers(0, 6),
    st.integers(1, 4),
    st.sampled_from(["Disease", "Gene", "Cell"]),
).map(lambda drawn: (drawn[0], drawn[1], drawn[1] + drawn[2], drawn[3]))


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(spans, unique=True), st.lists(spans, unique=True))
def test_every_mention_is_counted_once(
    two_notes: Bench, before: list[Mention], after: list[Mention]
) -> None:
    outcome = compared(two_notes, before, after)
    total = all_labels(list(outcome.labels))
    assert (total.before, total.after) == (len(before), len(after))
    assert total.kept == len(set(before) & set(after))
    for label in (*outcome.labels, total):
        gone = label.boundary + label.relabelled_from + label.lost
        come = label.boundary + label.relabelled_to + label.gained
        assert (label.kept + gone, label.kept + come) == (label.before, label.after)
        assert min(asdict(label)[name] for name in ("kept", "lost", "gained")) >= 0
    assert total.relabelled_from == total.relabelled_to
    assert sum(moved.mentions for moved in outcome.relabellings) == total.relabelled_to
    # The other way round what was lost is gained.
    back = diff(two_notes.warehouse, "set-2", "set-1")
    assert isinstance(back, Diff)
    turned = all_labels(list(back.labels))
    assert (turned.lost, turned.gained, turned.boundary) == (
        total.gained,
        total.lost,
        total.boundary,
    )


def test_only_documents_that_both_annotated_from_one_text_are_compared(
    bench: Bench, notes: Notes
) -> None:
    bench.run(notes(a="asthma", b="gout", c="rash", d="fever"))
    everywhere = [(f"notes:{name}", 0, 4, "Disease") for name in "abcd"]
    write_set(bench, "set-1", everywhere)
    write_set(bench, "set-2", everywhere)
    for document, change in (
        ("notes:a", "DELETE FROM document_annotations WHERE annotation_id = 'set-1' AND"),
        ("notes:b", "UPDATE document_annotations SET source_hash = 'x' WHERE"),
        ("notes:c", "UPDATE document_annotations SET status = 'rejected' WHERE"),
    ):
        which = "" if document == "notes:a" else "annotation_id = 'set-1' AND"
        bench.query(f"{change} {which} document_id = '{document}'")
    outcome = diff(bench.warehouse, "set-1", "set-2")
    assert isinstance(outcome, Diff)
    assert asdict(outcome.documents) == {
        "both": 1,
        "only_before": 0,
        "only_after": 1,
        "other_text": 1,
        "failed": 1,
    }
    assert [label.kept for label in outcome.labels] == [1]


def test_concepts_are_compared_by_document(two_notes: Bench) -> None:
    two_notes.query(
        "INSERT INTO linksets (linkset_id, release_id, position, is_current, settings, created_at) "
        "VALUES ('l', 'r', 1, true, '{}', now()::TIMESTAMP), "
        "('old', 'r', 1, false, '{}', now()::TIMESTAMP)"
    )
    two_notes.query("INSERT INTO ontology_releases VALUES ('r', 'mesh', 2, 2, '', 'sample')")
    two_notes.query(
        "INSERT INTO concepts BY NAME SELECT 'r' AS release_id, 'MESH:1' AS concept_id, "
        "'Asthma' AS concept_name, []::VARCHAR[] AS semantic_types, []::VARCHAR[] AS tree_numbers"
    )
    for linkset, concept in (("l", "MESH:1"), ("old", "MESH:2")):
        two_notes.query(
            "INSERT INTO name_links BY NAME SELECT 'name 0' AS lookup_text, 'Disease' AS label, "
            f"'{linkset}' AS linkset_id, 1 AS rank, 'linked' AS status, "
            f"'{concept}' AS concept_id, 1.0 AS score, 'exact' AS method, 'x' AS matched_name"
        )
    # In b context chose another concept than the name alone.
    two_notes.query(
        "INSERT INTO mention_links VALUES ('notes:b', 'set-2', 1, 'l', 'MESH:2', 1.0, 'context')"
    )
    outcome = compared(
        two_notes,
        [("notes:b", 0, 3, "Disease"), ("notes:b", 0, 4, "Disease")],
        [("notes:a", 0, 4, "Disease"), ("notes:b", 0, 4, "Disease")],
    )
    (ontology,) = outcome.concepts
    assert (ontology.ontology, ontology.before, ontology.after) == ("mesh", 1, 2)
    assert (ontology.kept, ontology.lost, ontology.gained, ontology.documents) == (0, 1, 2, 2)
    assert [
        (c.change, c.concept_id, c.concept_name, c.documents) for c in outcome.top_concepts
    ] == [
        ("lost", "MESH:1", "Asthma", 1),
        ("gained", "MESH:1", "Asthma", 1),
        ("gained", "MESH:2", "", 1),
    ]


def test_names_are_told_only_when_asked_for(two_notes: Bench) -> None:
    before = [
        ("notes:a", 0, 4, "Disease"),
        ("notes:b", 0, 4, "Disease"),
        ("notes:a", 9, 12, "Gene"),
    ]
    after = [("notes:a", 20, 24, "Cell")]
    assert compared(two_notes, before, after).names == ()
    found = compared(two_notes, before, after, names=1).names
    assert [(n.change, n.name, n.mentions, n.documents) for n in found] == [
        ("lost", "name 0", 2, 2),
        ("gained", "name 20", 1, 1),
    ]


def run_ids(bench: Bench) -> list[str]:
    return [str(run) for (run,) in bench.query("SELECT run_id FROM runs ORDER BY run_id")]


def test_runs_of_one_set_differ_in_documents(bench: Bench, notes: Notes) -> None:
    bench.run(notes(a="asthma", b="gout"))
    bench.query("UPDATE runs SET run_id = '20260101T000000-aaaaaa'")
    bench.query("UPDATE document_annotations SET run_id = '20260101T000000-aaaaaa'")
    bench.run(notes(a="asthma", b="rash", c="fever"))
    outcome = diff(bench.warehouse, "previous", "latest")
    assert isinstance(outcome, SameSet)
    assert outcome.side.annotation_id == "rule-1"
    assert [(run.new, run.replaced, run.documents) for run in outcome.runs] == [
        (2, 0, 1),
        (1, 1, 2),
    ]


def test_sides_are_found_by_the_start_of_an_id(two_notes: Bench) -> None:
    write_set(two_notes, "set-1", [])
    (run_id,) = run_ids(two_notes)
    outcome = diff(two_notes.warehouse, run_id[:12], "set")
    assert isinstance(outcome, Diff)
    assert (outcome.before.run_id, outcome.before.annotation_id) == (run_id, "rule-1")
    assert (outcome.after.run_id, outcome.after.annotation_id) == (None, "set-1")
    write_set(two_notes, "set-10", [])
    exact = diff(two_notes.warehouse, run_id, "set-1")
    assert isinstance(exact, Diff) and exact.after.annotation_id == "set-1"


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("set-", "set- is the start of 2 runs or annotation sets: set-1, set-2"),
        ("nothing", "no run and no annotation set begins with nothing"),
        ("previous", "there is no previous run: this warehouse has 1 that ended"),
        ("rule-1", "the warehouse holds nothing of annotation set rule-1 (rule) any more"),
    ],
)
def test_a_side_that_cannot_be_compared_is_told(two_notes: Bench, asked: str, said: str) -> None:
    write_set(two_notes, "set-1", [])
    write_set(two_notes, "set-2", [])
    two_notes.query(
        "INSERT INTO annotation_sets VALUES ('rule-1', ['rule'], '{}', now()::TIMESTAMP)"
    )
    two_notes.query("DELETE FROM document_annotations WHERE annotation_id = 'rule-1'")
    with pytest.raises(CharthouseError) as error:
        diff(two_notes.warehouse, asked, "set-1")
    assert said in str(error.value)


KEYS = "SELECT diff_id, part, item, measure FROM diffs GROUP BY ALL HAVING count(*) > 1"
"""What the key of ``diffs`` forbids."""


def run_command(monkeypatch: pytest.MonkeyPatch, *arguments: str | Path) -> int:
    """Call the command line in this process; gives its exit code."""
    monkeypatch.setattr(sys, "argv", ["charthouse", *map(str, arguments)])
    return _run()


def test_a_stored_diff_is_what_is_printed_as_csv(
    two_notes: Bench, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write_set(two_notes, "set-1", [("notes:a", 0, 4, "Disease"), ("notes:b", 0, 4, "Gene")])
    write_set(two_notes, "set-2", [("notes:a", 0, 6, "Disease"), ("notes:b", 0, 4, "Cell")])
    command = ("diff", "set-1", "set-2", "-w", two_notes.warehouse, "-f", "csv")
    assert run_command(monkeypatch, *command) == 0
    assert two_notes.query("SELECT count(*) FROM diffs") == [(0,)]
    printed = list(csv.reader(io.StringIO(capsys.readouterr().out)))[1:]
    assert run_command(monkeypatch, *command, "--store") == 0
    said = capsys.readouterr()
    assert list(csv.reader(io.StringIO(said.out)))[1:] == printed
    ((diff_id,),) = two_notes.query("SELECT DISTINCT diff_id FROM diffs")
    assert said.err == f"stored in diffs as {diff_id}\n"
    stored = two_notes.query("SELECT part, item, measure, value, before_id, after_id FROM diffs")
    assert sorted(
        (part, item, measure, float(value) if value else None)
        for part, item, measure, value in printed
    ) == sorted(row[:4] for row in stored)
    assert ("mentions", "Disease", "boundary", 1.0, "set-1", "set-2") in stored
    assert ("relabelled", "Gene to Cell", "mentions", 1.0, "set-1", "set-2") in stored
    assert not [row for row in stored if str(row[0]).startswith("names")]
    assert two_notes.query(KEYS) == []


def test_each_call_stores_its_rows_and_the_view_has_the_last_of_each_two_sets(
    two_notes: Bench,
) -> None:
    access = Access()
    before = compared(two_notes, [("notes:a", 0, 4, "Disease")], [])
    first = store_diff(two_notes.warehouse, before, access)
    back = diff(two_notes.warehouse, "set-2", "set-1")
    turned = store_diff(two_notes.warehouse, back, access)
    after = compared(two_notes, [("notes:a", 0, 4, "Gene"), ("notes:b", 0, 4, "Gene")], [])
    second = store_diff(two_notes.warehouse, after, access)
    assert len({first, turned, second}) == 3
    counts = two_notes.query("SELECT diff_id, count(*) FROM diffs GROUP BY ALL")
    assert dict(counts) == {
        diff_id: len(list(rows_of(outcome)))
        for diff_id, outcome in ((first, before), (turned, back), (second, after))
    }
    assert set(two_notes.query("SELECT DISTINCT before_id, diff_id FROM diffs_latest")) == {
        ("set-1", second),
        ("set-2", turned),
    }
    assert two_notes.query(
        "SELECT item, value FROM diffs_latest WHERE before_id = 'set-1' AND measure = 'lost'"
    ) == [
        ("Gene", 2.0),
    ]


def test_runs_of_one_set_are_stored_by_run_and_words_left_out(two_notes: Bench) -> None:
    same = diff(two_notes.warehouse, "latest", "latest")
    store_diff(two_notes.warehouse, same, Access())
    (run_id,) = run_ids(two_notes)
    rows = two_notes.query("SELECT part, item, measure, value, before_id = after_id FROM diffs")
    assert ("runs", run_id, "documents", 2.0, True) in rows
    assert "status" not in {measure for _, _, measure, *_ in rows}


def test_things_called_alike_have_rows_of_their_own(two_notes: Bench) -> None:
    """Two releases of one ontology may both be current."""
    outcome = compared(two_notes, [], [])
    counts = ConceptCounts("MeSH", 1, 1, 1, 0, 0, 0)
    gone = ConceptDiff("MeSH", "lost", "MESH:1", "Asthma", 1)
    twice = replace(outcome, concepts=(counts, counts), top_concepts=(gone, gone))
    store_diff(two_notes.warehouse, twice, Access())
    assert two_notes.query(KEYS) == []
    assert two_notes.query(
        "SELECT DISTINCT part, item FROM diffs WHERE part NOT IN ('documents') ORDER BY ALL"
    ) == [
        ("concepts lost", "MESH:1"),
        ("concepts lost", "MESH:1 (2)"),
        ("document concepts", "MeSH"),
        ("document concepts", "MeSH (2)"),
    ]


@pytest.mark.parametrize("side", ["nothing", "rule-1"])
def test_nothing_is_stored_where_nothing_can_be_compared(
    two_notes: Bench, monkeypatch: pytest.MonkeyPatch, side: str
) -> None:
    write_set(two_notes, "set-1", [])
    two_notes.query("DELETE FROM document_annotations WHERE annotation_id = 'rule-1'")
    command = ("diff", side, "set-1", "-w", two_notes.warehouse, "--store")
    assert run_command(monkeypatch, *command) == 1
    assert two_notes.query("SELECT count(*) FROM diffs") == [(0,)]


def test_a_failure_while_storing_leaves_no_row(
    two_notes: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    outcome = compared(two_notes, [("notes:a", 0, 4, "Disease")], [])

    def half_way(connection: Connection, table: Table, source: str) -> None:
        insert(connection, table, f"(FROM {source} LIMIT 3)")
        raise OSError("disk full")

    monkeypatch.setattr("flows.comparing.store.insert", half_way)
    with pytest.raises(OSError, match="disk full"):
        store_diff(two_notes.warehouse, outcome, Access())
    assert two_notes.query("SELECT count(*) FROM diffs") == [(0,)]


def test_storing_makes_no_warehouse(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    missing = tmp_path / "missing.duckdb"
    assert run_command(monkeypatch, "diff", "a", "b", "-w", missing, "--store") == 1
    assert not missing.exists()


def test_stored_names_go_when_anything_is_forgotten(two_notes: Bench) -> None:
    before = [("notes:a", 0, 4, "Disease"), ("notes:b", 9, 12, "Disease")]
    store_diff(two_notes.warehouse, compared(two_notes, before, [], names=5), Access())
    stored = two_notes.query("SELECT item FROM diffs WHERE part = 'names lost' ORDER BY 1")
    assert stored == [("name 0 (Disease)",), ("name 9 (Disease)",)]
    ((numbers,),) = two_notes.query("SELECT count(*) FROM diffs WHERE part NOT LIKE 'names%'")
    who = Subjects(documents=("notes:b",))
    expected = preview(two_notes.warehouse, who, Access())
    assert expected.rows["diffs"] == 2
    forgotten = forget(two_notes.warehouse, who, Access(say=lambda line: None))
    assert forgotten.erased.rows == expected.rows
    assert two_notes.query("SELECT count(*), count(*) FILTER (part LIKE 'names%') FROM diffs") == [
        (numbers, 0)
    ]


def test_the_command_prints_tables_csv_and_json(two_notes: Bench, tmp_path: Path) -> None:
    write_set(two_notes, "set-1", [("notes:a", 0, 4, "Disease")])
    write_set(two_notes, "set-2", [("notes:a", 0, 6, "Disease"), ("notes:b", 0, 4, "Gene")])
    command = ("diff", "set-1", "set-2", "-w", two_notes.warehouse)
    shown = within(tmp_path, *command)
    assert shown.returncode == 0, shown.stderr
    assert "documents: both 2, only before 0" in shown.stdout
    assert "name 0" not in shown.stdout
    assert "name 0" in within(tmp_path, *command, "--names", "5").stdout
    rows = list(csv.DictReader(io.StringIO(within(tmp_path, *command, "-f", "csv").stdout)))
    assert {"part": "mentions", "item": "Disease", "measure": "boundary", "value": "1"} in rows
    described = json.loads(within(tmp_path, *command, "-f", "json").stdout)
    assert described["documents"]["both"] == 2
    assert [label["gained"] for label in described["labels"]] == [0, 1]
    assert "diff_id" not in described
    stored = json.loads(within(tmp_path, *command, "-f", "json", "--store").stdout)
    assert two_notes.query("SELECT DISTINCT diff_id FROM diffs") == [(stored["diff_id"],)]
    same = within(tmp_path, "diff", "latest", "latest", "-w", two_notes.warehouse)
    assert "Both are annotation set rule-1" in same.stdout
