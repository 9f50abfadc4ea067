"""``charthouse check``: a sound warehouse passes, every kind of breach is found by its check."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from flows.cli.main import app
from flows.derived_settings import DerivedSettings
from flows.warehouse.check import CHECKS, Finding, check_warehouse
from flows.warehouse.connection import open_warehouse, read_warehouse
from flows.warehouse.derived.refresh import refresh
from tests.flows.conftest import Bench, write_jsonl

# What a run would add to the bench's tables: the bench has no models and links nothing.
_REST = """
INSERT INTO annotation_sets VALUES ('rule-1', ['rule'], '{}', now()::TIMESTAMP);
INSERT INTO sentences SELECT document_id, 'rule-1', 0, 0, length(text) FROM documents
  WHERE NOT is_deleted;
INSERT INTO sections SELECT document_id, 'rule-1', 0, 'body', 0, length(text), NULL, NULL
  FROM documents WHERE document_id != 'n:c' AND NOT is_deleted;
DELETE FROM sentences WHERE document_id = 'n:c';
INSERT INTO abbreviations
  VALUES ('n:d', 'rule-1', 'CHF', 'Congestive heart failure', 26, 29, 0, 24);
UPDATE mentions SET sentence_id = 0, section_id = 0, negated = (document_id = 'n:a');
INSERT INTO assertion_cues VALUES ('n:a', 'rule-1', 0, 'negated', 'no', 7, 12);
INSERT INTO quantities BY NAME SELECT 'n:a' AS document_id, 'rule-1' AS annotation_id,
  0 AS quantity_id, 7 AS start_char, 12 AS end_char, 'date' AS kind, 0 AS mention_id;
INSERT INTO privacy_spans VALUES ('n:a', 'rule-1', 0, 'text', 'date', 7, 12, 'day');
INSERT INTO concepts BY NAME SELECT 'r' AS release_id, unnest(['X:1', 'X:2']) AS concept_id,
  'x' AS concept_name, [] AS semantic_types, [] AS tree_numbers;
INSERT INTO concept_names BY NAME SELECT 'r' AS release_id, 'X:1' AS concept_id, 'x' AS name,
  true AS is_preferred;
INSERT INTO concept_ancestors BY NAME SELECT 'r' AS release_id,
  unnest(['X:1', 'X:2']) AS concept_id, unnest(['X:1', 'X:2']) AS ancestor_id, 0 AS distance;
UPDATE documents SET person_id = 'p' WHERE native_id = 'd';
INSERT INTO concept_replacements VALUES ('r', 'X:0', 'X:1');
INSERT INTO linksets VALUES ('l', 'r', 1, true, '{}', now()::TIMESTAMP);
INSERT INTO name_links BY NAME SELECT DISTINCT lookup_text, label, 'l' AS linkset_id,
  unnest([1, 2]) AS rank, 'ambiguous' AS status, 'X:' || unnest([1, 2]) AS concept_id,
  1.0 AS score, 'exact' AS method FROM mentions;
INSERT INTO mention_links BY NAME SELECT document_id, annotation_id, mention_id,
  'l' AS linkset_id, 'X:2' AS concept_id, 1.0 AS score, 'context' AS method FROM mentions;
INSERT INTO documents BY NAME SELECT 'n:gone' AS document_id, 'n' AS corpus,
  'gone' AS native_id, 'abstract' AS kind, '' AS text, '' AS source_hash, '' AS metadata_hash,
  9 AS source_order, '{}' AS metadata, true AS is_deleted;
INSERT INTO generation_sets BY NAME SELECT 'gen-1' AS generation_id, 'summarize' AS task,
  'm' AS model, 'f' AS model_fingerprint, '{}' AS parameters, now()::TIMESTAMP AS created_at;
INSERT INTO generation_items SELECT document_id, 'gen-1', document_id, NULL, 'h', run_id, shard_id,
  CASE document_id WHEN 'n:c' THEN 'rejected' ELSE 'done' END FROM document_annotations;
INSERT INTO generations BY NAME SELECT generation_id, item_id, document_id, 'summarize' AS task,
  'a text' AS text, 'stop' AS finish_reason, 'm' AS model, '{}' AS parameters,
  1 AS prompt_tokens, 1 AS completion_tokens, 0 AS truncated_tokens, 1 AS calls, 0.0 AS seconds,
  true AS is_generated FROM generation_items WHERE status = 'done';
INSERT INTO generation_sources VALUES ('gen-1', 'n:a', 1, 'n:a', 0, 6, 1.0, true);
INSERT INTO relations VALUES ('gen-1', 'n:a', 'rule-1', 0, 0, 'causes', 0, 1.0, 'm');
INSERT INTO rejects SELECT 'item:' || item_id, 0, 'gen-1', 'generate', 'no answer', document_id,
  run_id FROM generation_items WHERE status = 'rejected';
INSERT INTO quality BY NAME SELECT run_id, 'run' AS scope, '*' AS corpus, '*' AS label,
  3 AS documents, 50 AS characters, 3 AS mentions, 0 AS linked, 0 AS abstained, 0 AS unknown,
  0 AS rejects, now()::TIMESTAMP AS measured_at FROM runs;
INSERT INTO quality_histograms SELECT run_id, 'run', '*', '*', 'score', 10, 1, NULL, 3 FROM runs;
"""

_TWICE = "INSERT INTO {0} SELECT * FROM {0} LIMIT 1"
_PAIR = (
    "INSERT INTO concept_pairs SELECT 'X:1', 'X:2', 'l', 1, 0, 1, 1, 0, 0, 9, NULL FROM range({})"
)
_STRAY = "UPDATE {} SET annotation_id = 'other' WHERE document_id = 'n:a'"

PLANTED = {
    **{
        f"{table}_unique": _TWICE.format(table)
        for table in (
            *("documents", "sections", "sentences", "abbreviations", "mentions", "mention_links"),
            *("name_links", "concepts", "concept_names", "concept_ancestors"),
            *("concept_replacements", "assertion_cues", "quantities", "privacy_spans"),
            *("generations", "generation_sources", "relations"),
            *("document_concepts", "concept_totals", "branch_totals"),
            *("person_totals", "name_totals", "document_totals"),
        )
    },
    **{
        f"{table}_in_ledger": _STRAY.format(table)
        for table in (
            *("sections", "sentences", "mentions", "mention_links"),
            *("assertion_cues", "quantities", "privacy_spans"),
        )
    },
    "abbreviations_in_ledger": "UPDATE abbreviations SET annotation_id = 'other'",
    "document_ids": "UPDATE documents SET corpus = 'm' WHERE native_id = 'a'",
    "ledger_of_documents": "DELETE FROM documents WHERE native_id = 'a'",
    "ledger_of_this_text": "UPDATE documents SET source_hash = 'x' WHERE native_id = 'a'",
    "one_current_set": "UPDATE document_annotations SET is_current = false "
    "WHERE document_id = 'n:a'",
    "documents_in_ledger": "DELETE FROM document_annotations WHERE document_id = 'n:a'",
    "ledger_of_runs": "UPDATE document_annotations SET shard_id = 'none' WHERE document_id = 'n:a'",
    "ledger_of_sets": "DELETE FROM annotation_sets",
    "tombstones": "INSERT INTO sections VALUES ('n:gone', 'rule-1', 0, 'body', 0, 0, NULL, NULL)",
    "rejects_in_ledger": "UPDATE document_annotations SET status = 'done' "
    "WHERE document_id = 'n:c'",
    "runs_add_up": "UPDATE runs SET skipped = skipped + 1",
    "runs_loaded": "UPDATE shards SET status = 'planned'",
    "sources_closed": "UPDATE sources SET status = 'planned'",
    "mention_links_of_mentions": "UPDATE mention_links SET concept_id = 'X:9' "
    "WHERE document_id = 'n:a'",
    "names_ranked": "UPDATE name_links SET rank = 3 WHERE rank = 2 AND lookup_text = 'asthma'",
    "linked_concepts": "DELETE FROM concepts WHERE concept_id = 'X:2'",
    "current_linksets": "UPDATE linksets SET position = 2",
    "names_linked": "DELETE FROM name_links WHERE lookup_text = 'asthma'",
    "sections_in_text": "UPDATE sections SET end_char = 99 WHERE document_id = 'n:a'",
    "sentences_in_text": "UPDATE sentences SET start_char = -1 WHERE document_id = 'n:a'",
    "mentions_in_text": "UPDATE mentions SET end_char = start_char WHERE document_id = 'n:a'",
    "assertion_cues_in_text": "UPDATE assertion_cues SET end_char = 99",
    "assertion_cues_of_mentions": "UPDATE assertion_cues SET mention_id = 9",
    "assertion_cues_say_so": "UPDATE mentions SET negated = false",
    "quantities_in_text": "UPDATE quantities SET end_char = 99",
    "quantities_numbered": "UPDATE quantities SET quantity_id = 1",
    "quantities_of_mentions": "UPDATE quantities SET mention_id = 9",
    "privacy_spans_in_text": "UPDATE privacy_spans SET end_char = 99",
    "mentions_mention_text": "UPDATE mentions SET mention_text = 'Asthma' "
    "WHERE document_id = 'n:a'",
    "abbreviations_short_form": "UPDATE abbreviations SET short_start_char = 25",
    "abbreviations_long_form": "UPDATE abbreviations SET long_end_char = 23",
    "sections_numbered": "UPDATE sections SET section_id = 1 WHERE document_id = 'n:a'",
    "sentences_numbered": "INSERT INTO sentences SELECT document_id, annotation_id, 2, 0, 1 "
    "FROM sentences LIMIT 1",
    "mentions_numbered": "UPDATE mentions SET mention_id = 1 WHERE document_id = 'n:a'",
    "mentions_in_sentences": "UPDATE mentions SET sentence_id = 7 WHERE document_id = 'n:a'",
    "privacy_ids": "INSERT INTO privacy VALUES ('note', 'mask', '', true); "
    "UPDATE documents SET person_id = 'Miller' WHERE native_id = 'a'",
    "privacy_texts": "INSERT INTO privacy VALUES ('note', 'drop_text', '', true)",
    "generations_in_ledger": "UPDATE generations SET item_id = 'other' WHERE item_id = 'n:a'",
    "generation_sources_in_ledger": "UPDATE generation_sources SET generation_id = 'gen-2'",
    "generation_sources_in_text": "UPDATE generation_sources SET end_char = 99",
    "generations_marked": "UPDATE generations SET is_generated = false WHERE item_id = 'n:a'",
    "items_have_texts": "DELETE FROM generations WHERE item_id = 'n:a'",
    "items_of_documents": "UPDATE generation_sources SET document_id = 'n:gone'",
    "items_of_runs": "UPDATE generation_items SET shard_id = 'none' WHERE item_id = 'n:a'",
    "items_of_sets": "DELETE FROM generation_sets",
    "items_rejected": "DELETE FROM rejects WHERE stage = 'generate'",
    "relations_in_ledger": "UPDATE relations SET generation_id = 'gen-2'",
    "relations_of_mentions": "UPDATE relations SET object_mention_id = 9",
    "quality_of_runs": "INSERT INTO quality_histograms VALUES "
    "('none', 'run', '*', '*', 'score', 0, 0, 0.1, 1)",
    "quality_adds_up": "UPDATE quality SET linked = 1 WHERE label = '*'",
    "derived_current": "UPDATE documents SET document_date = '2026-01-01' WHERE native_id = 'a'",
    "document_concepts_counted": "UPDATE mentions SET negated = true WHERE document_id = 'n:d'",
    "concept_totals_counted": "UPDATE concept_totals SET documents = documents + 1",
    "branch_totals_counted": "DELETE FROM branch_totals WHERE ancestor_id = 'X:2'",
    "concept_pairs_counted": _PAIR.format(1),
    "concept_pairs_unique": _PAIR.format(2),
    "person_totals_counted": "DELETE FROM person_totals",
    "name_totals_counted": "UPDATE name_totals SET mentions = 7 WHERE lookup_text = 'asthma'",
    "document_totals_counted": "UPDATE document_totals SET sentences = 0",
    "mentions_in_sections": "UPDATE sections SET start_char = 2 WHERE document_id = 'n:a'",
}
"""What breaches each check."""


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small warehouse with rows in every table that a check looks at."""
    folder = tmp_path_factory.mktemp("sound")
    bench = Bench(folder / "w.duckdb")
    texts = {
        "a": "asthma today",
        "b": "fièvre 🤒 today",
        "c": "unreadable words",
        "d": "Congestive heart failure (CHF).",
    }
    source = write_jsonl(folder / "n.jsonl", *({"id": k, "text": t} for k, t in texts.items()))
    bench.run(source)
    with open_warehouse(bench.warehouse) as connection:
        connection.execute(_REST)
        refresh(connection, DerivedSettings())
    return bench.warehouse


def breached(warehouse: Path) -> dict[str, Finding]:
    with read_warehouse(warehouse) as connection:
        findings = check_warehouse(connection, show_ids=True)
    return {finding.name: finding for finding in findings if finding.breaches}


def test_a_sound_warehouse_breaches_nothing(sound: Path) -> None:
    assert breached(sound) == {}
    done = CliRunner().invoke(app, ["check", "-w", str(sound), "--format", "json"])
    assert done.exit_code == 0
    rows = json.loads(done.stdout)
    assert [row["check"] for row in rows] == [check.name for check in CHECKS]
    assert {row["breaches"] for row in rows} == {0}
    told = CliRunner().invoke(app, ["check", "-w", str(sound)]).stdout
    assert told.splitlines()[-1] == f"Sound: none of {len(CHECKS)} checks is breached"


def test_every_check_has_something_that_breaches_it() -> None:
    assert set(PLANTED) == {check.name for check in CHECKS}
    assert len(CHECKS) == len(PLANTED), "two checks of one name"


@pytest.mark.parametrize("name", sorted(PLANTED))
def test_a_breach_is_found_by_its_check(sound: Path, tmp_path: Path, name: str) -> None:
    warehouse = tmp_path / "w.duckdb"
    shutil.copyfile(sound, warehouse)
    with open_warehouse(warehouse) as connection:
        connection.execute(PLANTED[name])
    found = breached(warehouse)
    assert name in found
    assert found[name].subjects


def test_ids_are_shown_only_where_asked_for(sound: Path, tmp_path: Path) -> None:
    warehouse = tmp_path / "w.duckdb"
    shutil.copyfile(sound, warehouse)
    with open_warehouse(warehouse) as connection:
        connection.execute(PLANTED["mentions_mention_text"])
    call = ["check", "-w", str(warehouse), "--format", "csv"]
    silent = CliRunner().invoke(app, call)
    told = CliRunner().invoke(app, [*call, "--show-ids"])
    assert silent.exit_code == told.exit_code == 1
    assert "n:a" not in silent.stdout and "n:a" in told.stdout
    assert "1 of" in silent.stderr
    assert "Asthma" not in silent.stdout + told.stdout


def test_links_are_not_asked_for_while_a_run_is_open(sound: Path, tmp_path: Path) -> None:
    warehouse = tmp_path / "w.duckdb"
    shutil.copyfile(sound, warehouse)
    with open_warehouse(warehouse) as connection:
        connection.execute(PLANTED["names_linked"])
        connection.execute("DELETE FROM mention_links WHERE document_id = 'n:a'")
        connection.execute("UPDATE runs SET status = 'running'")
        findings = {f.name: f.breaches for f in check_warehouse(connection)}
    waiting = {check.name for check in CHECKS if check.settled_only}
    assert "names_linked" in waiting
    assert {name for name, breaches in findings.items() if breaches is None} == waiting
    assert {findings[name] for name in set(findings) - waiting} == {0}


def test_offsets_far_into_a_long_text_are_looked_up(tmp_path: Path) -> None:
    """Long texts are cut into blocks for the look-up: spans over a block's end count too."""
    bench = Bench(tmp_path / "w.duckdb")
    text = "asthma é " * 8_000
    bench.run(write_jsonl(tmp_path / "n.jsonl", {"id": "a", "text": text}))
    with open_warehouse(bench.warehouse) as connection:
        connection.execute("DELETE FROM mentions")
        rows = [(n, n * 9, n * 9 + 8) for n in range(8_000)]
        connection.executemany(
            "INSERT INTO mentions BY NAME SELECT 'n:a' AS document_id, 'rule-1' AS annotation_id, "
            "$1 AS mention_id, $2 AS start_char, $3 AS end_char, 'asthma é' AS mention_text, "
            "'Disease' AS label, 1.0 AS score, 'rule' AS model, 'asthma é' AS lookup_text",
            rows[::40] + rows[1815:1825],  # 16,384 lies between
        )
        found = {f.name: f.breaches for f in check_warehouse(connection)}
        assert found["mentions_mention_text"] == 0
        connection.execute(
            "UPDATE mentions SET start_char = start_char + 1, end_char = end_char + 1"
        )
        found = {f.name: f.breaches for f in check_warehouse(connection)}
        ((mentions,),) = connection.execute("SELECT count(*) FROM mentions").fetchall()
        assert found["mentions_mention_text"] == mentions
