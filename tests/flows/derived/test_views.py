"""What the views over derived tables show, on a warehouse small enough to count by hand."""

from __future__ import annotations

import math
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from flows.derived_settings import DerivedSettings
from flows.warehouse.connection import Connection, open_warehouse, read_warehouse
from flows.warehouse.derived.refresh import refresh

# Neoplasms (N) are above lung cancer (L) and melanoma (M); aspirin (A) is by itself.
_ROWS = """
INSERT INTO linksets VALUES ('old', 'r1', 1, false, '{}', now()::TIMESTAMP),
  ('new', 'r2', 1, true, '{}', now()::TIMESTAMP), ('second', 's', 2, true, '{}', now()::TIMESTAMP);
INSERT INTO concepts BY NAME SELECT release_id, concept_id, concept_name, [] AS semantic_types,
  [] AS tree_numbers FROM (VALUES ('r1', 'N', 'Cancer'), ('r2', 'N', 'Neoplasms'),
  ('r2', 'L', 'Lung Neoplasms'), ('r2', 'M', 'Melanoma'), ('r2', 'A', 'Aspirin'), ('s', 'A', 'a'))
  t(release_id, concept_id, concept_name);
INSERT INTO concept_ancestors BY NAME SELECT 'r2' AS release_id, * FROM (VALUES ('N', 'N', 0),
  ('L', 'L', 0), ('L', 'N', 1), ('M', 'M', 0), ('M', 'N', 1), ('A', 'A', 0))
  t(concept_id, ancestor_id, distance);
INSERT INTO documents BY NAME SELECT *, '' AS source_hash, '' AS metadata_hash,
  0 AS source_order, '{}' AS metadata, 'abcd' AS text, split_part(document_id, ':', 2) AS native_id
  FROM (VALUES
  ('n:1', 'n', 'note', 'CT', DATE '2020-05-01', 'p', false),
  ('n:2', 'n', 'note', 'CT', DATE '2021-05-01', 'p', false),
  ('n:3', 'n', 'note', NULL, NULL, 'q', false),
  ('b:1', 'b', 'abstract', 'Review', DATE '2020-07-01', NULL, false),
  ('b:2', 'b', 'abstract', 'Review', DATE '2020-08-01', NULL, false),
  ('b:3', 'b', 'abstract', 'Review', DATE '2020-09-01', NULL, true)) t(document_id, corpus, kind,
    document_type, document_date, person_id, is_deleted);
INSERT INTO document_annotations SELECT document_id, 'a', '', 'r', 'r:1',
  if(document_id = 'b:2', 'rejected', 'done'), true FROM documents WHERE NOT is_deleted;
INSERT INTO document_annotations VALUES ('n:1', 'former', '', 'r', 'r:0', 'done', false);
INSERT INTO sentences SELECT document_id, 'a', unnest([0, 1]), 0, 1 FROM document_annotations
  WHERE status = 'done' AND annotation_id = 'a';
INSERT INTO mentions BY NAME SELECT *, 'a' AS annotation_id, lookup_text AS mention_text,
  0 AS start_char, 1 AS end_char, 1.0 AS score, 'm' AS model
  FROM (VALUES
  ('n:1', 0, 'lung cancer', 'Disease', 0, true, 'patient'),
  ('n:1', 1, 'melanoma', 'Disease', 0, false, 'patient'),
  ('n:1', 2, 'melanoma', 'Disease', 1, false, 'family'),
  ('n:1', 3, 'aspirin', 'Chemical', 1, false, 'patient'),
  ('n:2', 0, 'melanoma', 'Disease', 0, false, 'patient'),
  ('n:2', 1, 'aspirin', 'Chemical', 0, false, 'patient'),
  ('n:3', 0, 'lung cancer', 'Disease', 0, false, 'patient'),
  ('n:3', 1, 'the thing', 'Disease', 1, false, 'patient'),
  ('b:1', 0, 'lung cancer', 'Disease', 0, NULL, NULL),
  ('b:1', 1, 'cold', 'Disease', 0, NULL, NULL),
  ('b:1', 2, 'cold', 'Disease', 1, NULL, NULL)) t(document_id, mention_id, lookup_text, label,
    sentence_id, negated, experiencer);
UPDATE mentions SET historical = document_id IN ('n:2', 'n:3') AND lookup_text != 'aspirin'
  OR negated OR experiencer = 'family' WHERE document_id LIKE 'n:%';
INSERT INTO mentions BY NAME SELECT * REPLACE ('former' AS annotation_id) FROM mentions
  WHERE document_id = 'n:1';
INSERT INTO name_links BY NAME SELECT * FROM (VALUES
  ('lung cancer', 'Disease', 'new', 1, 'linked', 'L'),
  ('melanoma', 'Disease', 'new', 1, 'linked', 'M'),
  ('aspirin', 'Chemical', 'new', 1, 'linked', 'A'),
  ('aspirin', 'Chemical', 'second', 1, 'linked', 'A'),
  ('the thing', 'Disease', 'new', 1, 'no_candidate', NULL),
  ('cold', 'Disease', 'new', 1, 'ambiguous', 'M'),
  ('cold', 'Disease', 'new', 2, 'ambiguous', 'L'),
  ('lung cancer', 'Disease', 'old', 1, 'linked', 'N')) t(lookup_text, label, linkset_id, rank,
    status, concept_id);
"""


@pytest.fixture(scope="module")
def views(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Connection]:
    path: Path = tmp_path_factory.mktemp("views") / "w.duckdb"
    with open_warehouse(path) as connection:
        connection.execute(_ROWS)
        refresh(connection, DerivedSettings())
    with read_warehouse(path) as connection:
        yield connection


def test_concepts_are_counted_by_what_a_document_is_and_its_year(views: Connection) -> None:
    rows = views.execute(
        "SELECT concept_name, corpus, kind, document_type, year, documents, mentions, affirmed, "
        "historical, negated, persons FROM concept_counts WHERE concept_id IN ('L', 'M') "
        "ORDER BY ALL"
    ).fetchall()
    assert rows == [
        ("Lung Neoplasms", "b", "abstract", "Review", 2020, 1, 1, 0, 0, 0, 0),
        ("Lung Neoplasms", "n", "note", "CT", 2020, 1, 1, 0, 0, 1, 1),
        ("Lung Neoplasms", "n", "note", None, None, 1, 1, 1, 1, 0, 1),
        ("Melanoma", "n", "note", "CT", 2020, 1, 2, 1, 0, 0, 1),
        ("Melanoma", "n", "note", "CT", 2021, 1, 1, 1, 1, 0, 1),
    ]


def test_a_document_counts_once_in_a_branch(views: Connection) -> None:
    rows = views.execute(
        "SELECT ancestor_name, corpus, year, documents, mentions, affirmed, historical, negated, "
        "persons FROM concept_rollup WHERE ancestor_id = 'N' ORDER BY ALL"
    ).fetchall()
    assert rows == [
        ("Neoplasms", "b", 2020, 1, 1, 0, 0, 0, 0),
        ("Neoplasms", "n", 2020, 1, 3, 1, 0, 1, 1),
        ("Neoplasms", "n", 2021, 1, 1, 1, 1, 0, 1),
        ("Neoplasms", "n", None, 1, 1, 1, 1, 0, 1),
    ]


def test_pairs_are_shown_from_either_side_with_their_information(views: Connection) -> None:
    rows = views.execute(
        "SELECT concept_id, other_name, documents, sentences, concept_documents, other_documents, "
        "document_pmi, sentence_pmi FROM concept_cooccurrence ORDER BY ALL"
    ).fetchall()
    # Four documents of two sentences each; A and M stand together in two and in two sentences.
    expected = math.log2(4 * 2 / (2 * 2)), math.log2(8 * 2 / (2 * 3))
    assert rows == [
        ("A", "Melanoma", 2, 2, 2, 2, *map(pytest.approx, expected)),
        ("M", "Aspirin", 2, 2, 2, 2, *map(pytest.approx, expected)),
    ]


def test_first_and_last_mention_of_each_person(views: Connection) -> None:
    rows = views.execute(
        "SELECT person_id, concept_id, year(first_date), year(last_date), documents, mentions, "
        "affirmed, historical, negated FROM person_concepts ORDER BY ALL"
    ).fetchall()
    assert rows == [
        ("p", "A", 2020, 2021, 2, 2, 2, 0, 0),
        ("p", "L", 2020, 2020, 1, 1, 0, 0, 1),
        ("p", "M", 2020, 2021, 2, 3, 2, 1, 0),
        ("q", "L", None, None, 1, 1, 1, 1, 0),
    ]


def test_conditions_are_affirmed_diseases_of_the_patient(views: Connection) -> None:
    rows = views.execute("SELECT person_id, concept_name FROM person_conditions ORDER BY ALL")
    assert rows.fetchall() == [("p", "Melanoma"), ("q", "Lung Neoplasms")]


def test_what_is_there_is_told_from_what_was(views: Connection) -> None:
    """The melanoma of 2020 is history in 2021; the lung cancer was never told as anything else."""
    rows = views.execute(
        "SELECT person_id, concept_name, affirmed > historical, year(last_affirmed), "
        "year(last_current) FROM person_concepts WHERE affirmed > 0 ORDER BY ALL"
    ).fetchall()
    assert rows == [
        ("p", "Aspirin", True, 2021, 2021),
        ("p", "Melanoma", True, 2021, 2020),
        ("q", "Lung Neoplasms", False, None, None),
    ]


@contextmanager
def changed(views: Connection, folder: Path, statements: str) -> Iterator[Connection]:
    """A copy of the warehouse with its tables derived anew after statements."""
    ((file,),) = views.execute(
        "SELECT path FROM duckdb_databases() WHERE database_name = current_database()"
    ).fetchall()
    copy = shutil.copyfile(file, folder / "copy.duckdb")
    with open_warehouse(copy) as connection:
        connection.execute(statements)
        refresh(connection, DerivedSettings())
        yield connection


def test_what_context_linked_needs_no_new_name(views: Connection, tmp_path: Path) -> None:
    statements = """
    INSERT INTO mention_links BY NAME SELECT *, 'a' AS annotation_id, 1.0 AS score,
      'context' AS method FROM (VALUES ('b:1', 1, 'new', 'L'), ('n:3', 1, 'new', 'M'),
      ('n:1', 1, 'new', 'L'), ('n:2', 0, 'old', 'L'), ('n:2', 0, 'second', 'A'))
      t(document_id, mention_id, linkset_id, concept_id)"""
    with changed(views, tmp_path, statements) as connection:
        rows = connection.execute(
            "SELECT lookup_text, mentions, linked_by_context FROM unlinked_names"
        ).fetchall()
        assert rows == [("cold", 2, 1)]
        rows = connection.execute(
            "SELECT lookup_text, rank, mentions, linked_by_context FROM ambiguous_names "
            "ORDER BY rank"
        ).fetchall()
        assert rows == [("cold", 1, 2, 1), ("cold", 2, 2, 1)]
        rows = connection.execute(
            "SELECT lookup_text, linked_by_context FROM name_totals ORDER BY lookup_text"
        ).fetchall()
        assert rows == [
            ("aspirin", 0), ("cold", 1), ("lung cancer", 0), ("melanoma", 1), ("the thing", 1)
        ]  # fmt: skip


def test_conditions_of_labels_that_models_call_otherwise(views: Connection, tmp_path: Path) -> None:
    statements = ";".join(
        f"UPDATE {table} SET label = '{label}' WHERE lookup_text = '{name}'"
        for table in ("mentions", "name_links")
        for name, label in (("lung cancer", "DISEASE"), ("melanoma", "problem"))
    )
    with changed(views, tmp_path, statements) as connection:
        asked = "SELECT person_id, concept_name, label FROM "
        rows = connection.execute(f"{asked} person_conditions").fetchall()
        assert rows == [("q", "Lung Neoplasms", "DISEASE")]
        rows = connection.execute(
            f"{asked} person_concepts WHERE affirmed > 0 AND lower(label) IN ('problem')"
        ).fetchall()
        assert rows == [("p", "Melanoma", "problem")]


def test_names_without_a_concept_and_names_of_several(views: Connection) -> None:
    rows = views.execute(
        "SELECT lookup_text, status, mentions, documents, candidate_name FROM unlinked_names "
        "ORDER BY mentions DESC"
    ).fetchall()
    assert rows == [
        ("cold", "ambiguous", 2, 1, "Melanoma"),
        ("the thing", "no_candidate", 1, 1, None),
    ]
    rows = views.execute(
        "SELECT lookup_text, rank, candidate_name, mentions FROM ambiguous_names ORDER BY rank"
    ).fetchall()
    assert rows == [("cold", 1, "Melanoma", 2), ("cold", 2, "Lung Neoplasms", 2)]


def test_current_views_leave_out_former_sets_linksets_releases_and_withdrawn_documents(
    views: Connection,
) -> None:
    assert views.execute(
        "SELECT (SELECT count(*) FROM current_mentions), (SELECT count(*) FROM current_documents), "
        "(SELECT count(*) FROM current_name_links), (SELECT count(*) FROM current_concepts)"
    ).fetchall() == [(11, 5, 7, 5)]
    assert views.execute("SELECT DISTINCT annotation_id FROM current_mentions").fetchall() == [
        ("a",)
    ]


def test_what_to_divide_by(views: Connection) -> None:
    """Rejected and withdrawn documents are not among those that could name anything."""
    rows = views.execute(
        "SELECT corpus, year, documents, persons, characters, sentences, mentions, linked "
        "FROM document_totals ORDER BY ALL"
    ).fetchall()
    assert rows == [
        ("b", 2020, 1, 0, 4, 2, 3, 1),
        ("n", 2020, 1, 1, 4, 2, 4, 4),
        ("n", 2021, 1, 1, 4, 2, 2, 2),
        ("n", None, 1, 1, 4, 2, 2, 1),
    ]


def test_all_current_linksets_are_derived_and_the_first_is_shown(views: Connection) -> None:
    rows = views.execute("SELECT linkset_id, count(*) FROM document_concepts GROUP BY 1 ORDER BY 1")
    assert rows.fetchall() == [("new", 7), ("second", 2)]
