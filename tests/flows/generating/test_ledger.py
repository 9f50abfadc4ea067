"""Exactly once: what is generated, skipped, replaced and removed, whatever comes between."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flows.errors import CharthouseError, UsageError
from flows.generating.where import check_where, one_expression
from flows.run import _recover
from flows.warehouse import runs
from flows.warehouse.connection import open_warehouse, read_warehouse
from flows.warehouse.erasing import Subjects, count_erasure, erase
from flows.warehouse.snapshots import publish_if_changed
from flows.work import WorkFolder, make_private
from tests.flows.conftest import Bench, write_jsonl
from tests.flows.generating.bench import Generating
from tests.flows.generating.echo import REASON, Echo
from tests.flows.runs import contents

Notes = Callable[..., Path]

LEDGER = "SELECT item_id, status FROM generation_items ORDER BY ALL"
OF_GENERATION = ("generation_sets", "generation_items", "generations", "generation_sources")


def test_second_run_does_nothing(bench: Bench, notes: Notes, generating: Generating) -> None:
    bench.run(notes(a="asthma today", b="gout today"))
    first = generating.run()
    before = {name: bench.query(f"FROM {name} ORDER BY ALL") for name in OF_GENERATION}
    second = generating.run()
    assert first is not None and (first.new, first.skipped) == (2, 0)
    assert second is not None and (second.read, second.new, second.skipped) == (2, 0, 2)
    assert generating.texts() == {"notes:a": "asthma", "notes:b": "gout"}
    assert {name: bench.query(f"FROM {name} ORDER BY ALL") for name in OF_GENERATION} == before
    assert generating.breaches() == []


def test_condition_and_limit_choose_items(
    bench: Bench, notes: Notes, generating: Generating
) -> None:
    bench.run(notes(a="asthma today", b="gout today", c="fever today"))
    generating.run(generating.order("text LIKE '%e%' OR native_id = 'a'", limit=1))
    assert set(generating.texts()) == {"notes:a"}
    generating.run(generating.order("native_id = 'c'"))
    assert set(generating.texts()) == {"notes:a", "notes:c"}


def test_text_that_changed_is_generated_anew_and_alone(
    bench: Bench, notes: Notes, generating: Generating
) -> None:
    bench.run(notes(a="asthma today", b="gout today"))
    generating.run()
    bench.run(notes(a="asthma today", b="fever today"))
    assert generating.texts() == {"notes:a": "asthma"}, "nothing tells of a text that is gone"
    assert generating.breaches() == []
    counts = generating.run()
    assert counts is not None and (counts.skipped, counts.new) == (1, 1)
    assert generating.texts() == {"notes:a": "asthma", "notes:b": "fever"}


def test_input_that_changed_replaces_the_item(
    bench: Bench, notes: Notes, generating: Generating
) -> None:
    """As with a prompt into which more than the text goes: set and document are the same."""
    bench.run(notes(a="asthma today", b="gout today"))
    generating.run()
    with open_warehouse(bench.warehouse) as connection:
        connection.execute(
            "UPDATE generation_items SET source_hash = 'another' WHERE item_id = 'notes:b'"
        )
        connection.execute("UPDATE generations SET text = 'stale' WHERE item_id = 'notes:b'")
    preview = generating.preview()
    assert (preview.new, preview.changed, preview.done) == (0, 1, 1)
    counts = generating.run()
    assert counts is not None and (counts.replaced, counts.skipped) == (1, 1)
    assert generating.texts() == {"notes:a": "asthma", "notes:b": "gout"}
    assert generating.breaches() == []


def test_two_models_stand_side_by_side_and_the_view_shows_the_last(
    bench: Bench, notes: Notes, generating: Generating
) -> None:
    from flows.generating.tasks import TASKS

    bench.run(notes(a="asthma today"))
    generating.run()
    TASKS["text"] = Echo(version="2")
    generating.run()
    assert bench.query("SELECT count(*) FROM generations") == [(2,)]
    assert bench.query("SELECT model FROM generations_current") == [("echo-2",)]


def test_reject_is_told_once_and_tried_again_where_asked(
    bench: Bench, notes: Notes, generating: Generating
) -> None:
    bench.run(notes(a="asthma is bad", b="gout today"))
    generating.run()
    assert bench.query(LEDGER) == [("notes:a", "rejected"), ("notes:b", "done")]
    assert bench.query("SELECT path, stage, reason, document_id FROM rejects") == [
        ("item:notes:a", "generate", REASON, "notes:a")
    ]
    ((first,),) = bench.query("SELECT run_id FROM rejects")
    generating.run()
    assert bench.query("SELECT run_id FROM rejects") == [(first,)]
    counts = generating.run(generating.order(retry=True))
    assert counts is not None and (counts.replaced, counts.skipped) == (1, 1)
    ((second,),) = bench.query("SELECT run_id FROM rejects")
    assert second != first
    assert generating.breaches() == []


def test_document_of_the_main_job_that_is_withdrawn_takes_its_text_along(
    bench: Bench, tmp_path: Path, generating: Generating
) -> None:
    source = tmp_path / "notes.jsonl"
    write_jsonl(source, {"id": "a", "text": "asthma today"}, {"id": "b", "text": "gout is bad"})
    bench.run(source)
    generating.run()
    write_jsonl(source, {"id": "c", "text": "rash today"})
    bench.run(source, prune=True, prune_limit=1.0)
    assert bench.query(LEDGER) == []
    assert bench.query("SELECT count(*) FROM rejects") == [(0,)]
    assert generating.breaches() == []


def test_new_annotation_set_takes_relations_of_the_former_along(
    bench: Bench, notes: Notes, generating: Generating
) -> None:
    source = notes(a="asthma today", b="gout today")
    bench.run(source)
    generating.run()
    with open_warehouse(bench.warehouse) as connection:
        _relate(connection, "notes:a", bench.annotation_id)
    assert generating.breaches() == []
    assert bench.query("SELECT subject_text, object_text FROM relation_entities") == [
        ("asthma", "asthma")
    ]
    bench.annotation_id = "rule-2"
    bench.run(source)
    assert bench.query("SELECT count(*) FROM relations") == [(0,)]
    assert bench.query(LEDGER) == [("notes:b", "done")]
    assert generating.breaches() == []


def _relate(connection: object, document_id: str, annotation_id: str) -> None:
    connection.execute(  # type: ignore[attr-defined]
        "INSERT INTO relations BY NAME SELECT generation_id, document_id, ? AS annotation_id, "
        "0 AS relation_id, 0 AS subject_mention_id, 'causes' AS relation, 0 AS object_mention_id, "
        "1.0 AS score, 'm' AS model FROM generation_items WHERE document_id = ?",
        [annotation_id, document_id],
    )


def test_interrupted_run_goes_on_with_its_plan(
    bench: Bench, notes: Notes, generating: Generating, tmp_path: Path
) -> None:
    texts = {f"n{i}": f"word{i} of a note that is long enough for a shard" for i in range(5)}
    source = notes(**texts)
    bench.run(source)
    quiet = Generating(Bench(tmp_path / "quiet.duckdb"))
    quiet.bench.run(source)
    quiet.run()
    order = generating.order()
    generating.run(order, loads=2)
    assert len(generating.texts()) == 2
    assert generating.breaches() == []
    generating.run(order, loads=1)
    assert generating.run(order) is None, "a plan is not made again"
    assert contents(bench.warehouse) == contents(quiet.bench.warehouse)


def test_interrupted_plan_is_given_up_where_documents_have_changed(
    bench: Bench, notes: Notes, generating: Generating
) -> None:
    bench.run(notes(a="asthma of long standing and more", b="gout of long standing and more"))
    generating.run(loads=1)
    bench.run(notes(a="asthma of long standing and more", b="fever of long standing and more"))
    assert generating.run() is not None
    assert generating.texts() == {"notes:a": "asthma", "notes:b": "fever"}
    assert bench.query(
        "SELECT status FROM runs WHERE starts_with(annotation_id, 'gen-') ORDER BY run_id"
    ) == [("abandoned",), ("done",)]
    assert generating.breaches() == []


def test_main_job_leaves_an_interrupted_generation_alone_and_the_other_way_round(
    bench: Bench, notes: Notes, generating: Generating
) -> None:
    source = notes(a="asthma of long standing and more", b="gout of long standing and more")
    bench.run(source)
    order = generating.order()
    generating.run(order, loads=1)
    work = WorkFolder.beside(bench.warehouse)
    main = bench.order(source)
    with open_warehouse(bench.warehouse) as connection:
        assert _recover(connection, main, work) == []
        (left,) = runs.open_runs(connection)
        assert left.generates and list(work.shards(left.run_id).glob("*.parquet"))
        # An interrupted run of the main job.
        run_id = runs.next_run_id(connection)
        runs.begin_run(connection, run_id, main)
        connection.execute(
            "UPDATE runs SET seconds = {plan: 0, annotate: 0, link: 0, total: 0, derive: 0, "
            "quality: 0} WHERE run_id = ?",
            [run_id],
        )
        shard = make_private(work.shards(run_id)) / "00001.parquet"
        shard.touch()
    assert generating.run(order) is None, "it went on"
    assert shard.exists()
    with open_warehouse(bench.warehouse) as connection:
        assert [run.run_id for run in runs.open_runs(connection)] == [run_id]
        assert _recover(connection, main, work) == [run_id]


def test_forgetting_a_document_takes_what_rests_on_it(
    bench: Bench, tmp_path: Path, generating: Generating
) -> None:
    source = write_jsonl(
        tmp_path / "notes.jsonl",
        {"id": "a", "text": "asthma today", "person_id": "p1"},
        {"id": "b", "text": "gout today", "person_id": "p2"},
        {"id": "c", "text": "rash today", "person_id": "p3"},
    )
    bench.run(source)
    generating.run()
    with open_warehouse(bench.warehouse) as connection:
        # That of b was also given a passage of a; an answer is about the person of c alone.
        connection.execute(
            "INSERT INTO generation_sources "
            "SELECT * REPLACE (2 AS number, 'notes:a' AS document_id) "
            "FROM generation_sources WHERE item_id = 'notes:b'"
        )
        for table in ("generation_items", "generations"):
            connection.execute(
                f"INSERT INTO {table} SELECT * REPLACE ('q@p3' AS item_id, NULL AS document_id) "
                f"FROM {table} WHERE item_id = 'notes:c'"
            )
    assert generating.breaches() == []
    for subjects, left in (
        (Subjects(documents=("notes:a",)), ["notes:c", "q@p3"]),
        (Subjects(persons=("p3",)), []),
    ):
        with open_warehouse(bench.warehouse) as connection:
            told = count_erasure(connection, subjects)
            assert erase(connection, subjects).rows == told.rows
        assert [item for item, _ in bench.query(LEDGER)] == left
        assert generating.breaches() == []
    assert bench.query("SELECT count(*) FROM generation_sources") == [(0,)]


def test_forgetting_sets(bench: Bench, notes: Notes, generating: Generating) -> None:
    from flows.generating.tasks import TASKS

    bench.run(notes(a="asthma today", b="gout is bad"))
    generating.run()
    TASKS["text"] = Echo(version="2")
    order = generating.order()
    generating.run(order)
    kept = Echo().identify(order.generation.request(order.settings)).generation_id  # type: ignore[union-attr]
    gone = Subjects(generation_sets=(order.annotation.annotation_id,))
    with open_warehouse(bench.warehouse) as connection:
        told = count_erasure(connection, gone)
        erased = erase(connection, gone)
    assert erased == told
    assert erased.rows == {
        "generations": 1,
        "generation_sources": 1,
        "generation_items": 2,
        "rejects": 1,
        "generation_sets": 1,
    }
    assert bench.query("SELECT DISTINCT generation_id FROM generation_items") == [(kept,)]
    assert generating.breaches() == []


def test_documents_without_text_are_left_out_and_counted(
    bench: Bench, notes: Notes, generating: Generating
) -> None:
    bench.run(notes(a="asthma today", b="gout today"))
    with open_warehouse(bench.warehouse) as connection:
        connection.execute("UPDATE documents SET text = NULL WHERE native_id = 'b'")
    preview = generating.preview()
    assert (preview.items, preview.without_text, preview.characters) == (1, 1, len("asthma today"))


@pytest.mark.parametrize(
    "where",
    ["", "true; DROP TABLE documents", "true) OR (true", "kind, text", "true ORDER BY 1", "SELECT"],
)
def test_condition_is_one_expression(where: str) -> None:
    with pytest.raises(UsageError, match="--where is no condition"):
        one_expression(where)


@pytest.mark.parametrize(
    "where",
    ["no_column = 1", "text", "document_id IN (SELECT content FROM read_text('/etc/passwd'))"],
)
def test_condition_is_checked_at_the_door(bench: Bench, notes: Notes, where: str) -> None:
    bench.run(notes(a="asthma today"))
    with read_warehouse(bench.warehouse) as connection, pytest.raises(UsageError, match="--where"):
        check_where(connection, one_expression(where))


def test_condition_with_a_comment_and_a_subquery_is_fine(bench: Bench, notes: Notes) -> None:
    bench.run(notes(a="asthma today"))
    where = one_expression("document_id IN (SELECT document_id FROM mentions) -- those with any")
    with read_warehouse(bench.warehouse) as connection:
        check_where(connection, where)
        assert connection.execute(f"SELECT count(*) FROM documents WHERE ({where})").fetchall() == [
            (1,)
        ]


WORDS = st.sampled_from(["asthma", "gout", "fever is bad", "rash"])
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("generate"), st.one_of(st.none(), st.integers(0, 3)), st.booleans()),
        st.tuples(
            st.just("notes"), st.dictionaries(st.sampled_from("abcde"), WORDS), st.booleans()
        ),
        st.tuples(st.just("forget"), st.sampled_from("abcde"), st.booleans()),
    ),
    max_size=6,
)


@given(STEPS)
@settings(max_examples=6, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_happens_the_tables_tell_of_the_documents_that_are_there(
    echo: Echo, steps: list[tuple[str, object, bool]]
) -> None:
    """Kills, changed and vanished documents, forgetting: in the end as if generated at once."""
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder) / "w.duckdb")
        generating = Generating(bench)
        source = Path(folder) / "notes.jsonl"
        write_jsonl(source, {"id": "z", "text": "always there, and so long that it stands alone"})
        bench.run(source)
        for what, value, flag in steps:
            if what == "generate":
                order = generating.order(retry=flag)
                generating.run(order, loads=value)  # type: ignore[arg-type]
            elif what == "notes":
                records = [{"id": key, "text": f"{word} of {key}"} for key, word in value.items()]  # type: ignore[attr-defined]
                write_jsonl(source, *records, {"id": "z", "text": "always there"})
                bench.run(source, prune=flag, prune_limit=1.0)
            else:
                with open_warehouse(bench.warehouse) as connection:
                    erase(connection, Subjects(documents=(f"notes:{value}",)))
                    for run in runs.open_runs(connection):
                        runs.abandon_run(connection, run.run_id)
            assert generating.breaches() == []
        generating.run()
        expected = {
            (document_id, str(text).split()[0])
            for document_id, text in bench.query("SELECT document_id, text FROM documents")
            if "bad" not in str(text)
        }
        assert set(generating.texts().items()) == expected
        assert generating.breaches() == []


def test_snapshot_is_out_of_date_once_something_was_generated(
    bench: Bench, notes: Notes, generating: Generating
) -> None:
    bench.run(notes(a="asthma today"))
    snapshot = bench.warehouse.with_name("s.duckdb")

    def publish() -> bool:
        with open_warehouse(bench.warehouse) as connection:
            return publish_if_changed(connection, bench.warehouse, snapshot, bench.access)

    assert (publish(), publish()) == (True, False)
    generating.run()
    assert (publish(), publish()) == (True, False)
    generating.run()  # finds all done
    assert not publish()
    with read_warehouse(snapshot) as connection:
        assert connection.execute("SELECT text FROM generations_current").fetchall() == [
            ("asthma",)
        ]


def test_what_was_written_follows_a_document_to_another_person(
    bench: Bench, tmp_path: Path, generating: Generating
) -> None:
    source = tmp_path / "notes.jsonl"

    def notes_of(person: str, annotation_id: str = bench.annotation_id) -> None:
        write_jsonl(source, {"id": "a", "text": "asthma today", "person_id": person})
        bench.annotation_id = annotation_id
        bench.run(source)

    persons = (
        "SELECT i.person_id, g.person_id FROM generation_items i "
        "JOIN generations g USING (item_id, generation_id)"
    )
    notes_of("p1")
    generating.run()
    notes_of("p2")
    assert bench.query(persons) == [("p2", "p2")]
    counts = generating.run()
    assert counts is not None and (counts.skipped, counts.pruned) == (1, 0)
    notes_of("p3", "rule-2")
    assert bench.query(persons) == [("p3", "p3")]
    with open_warehouse(bench.warehouse) as connection:
        connection.execute("UPDATE generation_items SET document_id = NULL")
    notes_of("p4", "rule-2")
    assert bench.query(LEDGER) == [], "an answer about p3 does not tell of a note of p4"


def test_plan_with_another_person_in_it_is_given_up(
    bench: Bench, tmp_path: Path, generating: Generating
) -> None:
    source = tmp_path / "notes.jsonl"
    long = "asthma of long standing and more"
    for person in ("p1", "p2"):
        notes = [{"id": key, "text": long, "person_id": person} for key in "ab"]
        write_jsonl(source, *notes)
        bench.run(source)
        generating.run(loads=1 if person == "p1" else None)
    assert bench.query("SELECT DISTINCT person_id FROM generations") == [("p2",)]
    assert len(generating.texts()) == 2


def test_condition_that_a_document_without_text_does_not_bear_is_told_at_the_start(
    bench: Bench, notes: Notes, generating: Generating
) -> None:
    bench.run(notes(a="asthma today", b="gout today"))
    with open_warehouse(bench.warehouse) as connection:
        connection.execute("UPDATE documents SET title = '5'")
        connection.execute(
            "UPDATE documents SET text = NULL, title = 'Mrs Zqxvkjw' WHERE native_id = 'b'"
        )
    with pytest.raises(CharthouseError) as told:
        generating.run(generating.order("CAST(title AS INTEGER) > 1"))
    assert "Zqxvkjw" not in str(told.value)
    assert generating.texts() == {}


def test_older_warehouse_without_tables_of_generation_is_checked(
    bench: Bench, notes: Notes, generating: Generating
) -> None:
    bench.run(notes(a="asthma today"))
    with open_warehouse(bench.warehouse) as connection:
        connection.execute("UPDATE schema_version SET version = 4")
        connection.execute("ALTER TABLE shards DROP COLUMN seconds.generate")
        connection.execute("DROP VIEW generations_current")
        connection.execute("DROP VIEW relation_entities")
        for table in (*OF_GENERATION, "relations"):
            connection.execute(f"DROP TABLE {table}")
    assert generating.breaches() == []
