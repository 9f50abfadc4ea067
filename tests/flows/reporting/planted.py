"""A warehouse with something in every table that a report reads, and words that it must not show.

Words of documents, names, ids of documents and persons are made up so that they are found nowhere
else; names of corpora and concepts try to break out of the page.
"""

from __future__ import annotations

from pathlib import Path

from flows.derived_settings import DerivedSettings
from flows.warehouse.connection import Connection, open_warehouse
from flows.warehouse.derived.refresh import refresh
from tests.flows.conftest import Bench, write_jsonl

HOSTILE = "</script><img src=x onerror=alert(1)>\u2028'\"&<!--"
"""A concept's name and part of a corpus's."""

SECRETS = ("zyxwort", "qwobbel", "fnordig", "native77", "person88", "gibberfish", "reasonable66")
"""Of documents' text, mentions, unlinked names, ids of documents and persons, a reject's reason."""

_NOTES = [
    {"note_id": f"native77{n}", "text": text, "person_id": f"person88{n % 3}", "note_date": date}
    for n, (text, date) in enumerate(
        [
            ("fever zyxwort gibberfish", "2021-03-04"),
            ("fever and chills", "2021-05-06"),
            ("chills zyxwort", "2022-01-02"),
            ("qwobbel again", "2022-02-03"),
            ("fnordig once", "2023-02-03"),
            ("unreadable zyxwort", None),
            ("chills", None),
        ]
    )
]


def plant(folder: Path) -> Path:
    """Make the warehouse in a folder; returns its path."""
    path = folder / "planted.duckdb"
    bench = Bench(path)
    bench.run(write_jsonl(folder / "wards.jsonl", *_NOTES))
    bench.run(write_jsonl(folder / "more.jsonl", {"note_id": "native77x", "text": "fever more"}))
    with open_warehouse(path) as connection:
        _link(connection)
        _plant_hostile(connection)
        refresh(connection, DerivedSettings())
        _measure(connection)
    return path


def run_ids(connection: Connection) -> list[str]:
    """The runs, in order."""
    return [r for (r,) in connection.execute("SELECT run_id FROM runs ORDER BY 1").fetchall()]


def _link(connection: Connection) -> None:
    connection.execute(
        "INSERT INTO ontology_releases VALUES ('r1', 'MeSH (made up)', 3, 3, 'MeSH: nobody', '')"
    )
    connection.execute("INSERT INTO linksets VALUES ('l1', 'r1', 1, true, '{}', now()::TIMESTAMP)")
    connection.execute(
        "INSERT INTO concepts (release_id, concept_id, concept_name, semantic_types, tree_numbers) "
        "VALUES ('r1', 'MESH:D1', 'Fever', ['C23'], ['C23.888.119', 'G07.1']), "
        "('r1', 'MESH:D2', ?, ['C23'], ['C23.5']), "
        "('r1', 'MESH:D3', 'Pathological Conditions', ['C23'], ['C23'])",
        [HOSTILE],
    )
    connection.execute(
        "INSERT INTO name_links BY NAME FROM (VALUES "
        "('fever', 'Disease', 'l1', 1, 'linked', 'MESH:D1', 1.0, 'exact', 'fever'), "
        "('chills', 'Disease', 'l1', 1, 'linked', 'MESH:D2', 0.8, 'ngram', 'chilly'), "
        "('qwobbel', 'Disease', 'l1', 1, 'below_threshold', 'MESH:D1', 0.4, 'ngram', 'x'), "
        "('fnordig', 'Disease', 'l1', 1, 'no_candidate', NULL, NULL, NULL, NULL)) "
        "t(lookup_text, label, linkset_id, rank, status, concept_id, score, method, matched_name)"
    )
    connection.execute(
        "INSERT INTO mention_links SELECT document_id, annotation_id, mention_id, 'l1', 'MESH:D3', "
        "0.4, 'context' FROM mentions WHERE lookup_text = 'qwobbel'"
    )


def _plant_hostile(connection: Connection) -> None:
    connection.execute(
        "UPDATE documents SET corpus = 'wards' || ? WHERE corpus = 'wards'", [HOSTILE]
    )
    connection.execute("UPDATE rejects SET reason = 'column reasonable66 is odd'")


def _measure(connection: Connection) -> None:
    """Rows as evaluations, measurements of runs, and documents of two mentions leave them."""
    first, second = run_ids(connection)
    connection.execute(
        "INSERT INTO concept_pairs BY NAME SELECT 'MESH:D1' AS first_id, 'MESH:D2' AS second_id, "
        "'l1' AS linkset_id, 3 AS documents, 2 AS sentences, 3 AS first_documents, "
        "3 AS second_documents, 2 AS first_sentences, 2 AS second_sentences, "
        "1.25 AS document_pmi, 0.5 AS sentence_pmi"
    )
    connection.execute(
        "INSERT INTO evaluations BY NAME SELECT 'e' || n AS evaluation_id, 'ner' AS task, "
        "'gold' AS corpus, '' AS corpus_sha256, 9 AS documents, ['m'] AS models, "
        "['f'] AS model_fingerprints, 'strict' AS scope, label, measure, value, "
        "value - 0.1 AS low, value + 0.05 AS high, 50 AS gold, 40 AS found, 30 AS agreed, "
        "'{}' AS settings, "
        "TIMESTAMP '2026-01-01' + INTERVAL (n) DAY AS evaluated_at FROM (VALUES "
        "(1, 'micro', 'f1', 0.111), (2, 'micro', 'f1', 0.777), (2, 'Disease', 'recall', 0.555)) "
        "t(n, label, measure, value)"
    )
    for run, share in ((first, 0.5), (second, 0.625)):
        connection.execute(
            "INSERT INTO quality BY NAME SELECT ? AS run_id, 'warehouse' AS scope, '*' AS corpus, "
            "'*' AS label, 8 AS documents, 99 AS characters, 7 AS mentions, "
            "70.7 AS mentions_per_1000, 1.0 AS label_share, 0.9 AS mean_score, 4 AS linked, "
            "? AS link_share, 1 AS abstained, 0.125 AS abstention_share, 1 AS unknown, "
            "0.25 AS out_of_vocabulary_share, 1 AS rejects, 0.125 AS reject_share, "
            "now()::TIMESTAMP AS measured_at",
            [run, share],
        )
    connection.execute(
        "INSERT INTO quality_drift (run_id, against, against_run_id, corpus, label, measure, "
        "before, after, value, warn, fail, status) VALUES "
        "($new, 'previous', $old, '*', '*', 'link_share', 0.5, 0.625, 0.125, 0.1, 0.3, 'warning'), "
        "($new, 'previous', $old, '*', '*', 'label_js', NULL, NULL, 0.01, 0.1, NULL, 'ok'), "
        "($new, 'previous', $old, '*', '*', 'score_psi', NULL, NULL, 0.5, NULL, NULL, 'too_few')",
        {"new": second, "old": first},
    )
    connection.execute(
        "INSERT INTO quality_histograms (run_id, scope, corpus, label, measure, bin, low, "
        "high, count) VALUES "
        "($run, 'warehouse', '*', 'Disease', 'score', 0, 0.0, 0.5, 1234), "
        "($run, 'warehouse', '*', 'Disease', 'score', 1, 0.5, 1.0, 4321), "
        "($run, 'warehouse', '*', 'Disease', 'score', 2, 1.0, NULL, 777)",
        {"run": second},
    )
