"""From our concepts to OMOP's: through a download from Athena, or a file the user made.

Athena's files are tab-separated, with a header and without quotes (OHDSI, CONCEPT.csv and
CONCEPT_RELATIONSHIP.csv). A source concept leads to its standard concept by ``Maps to``; where it
leads to several, the one of the lowest id is taken.
"""

from __future__ import annotations

from pathlib import Path

import duckdb

from flows.errors import CharthouseError
from flows.exporting.selection import SELECTED
from flows.warehouse.ddl import literal
from flows.warehouse.layout import Connection
from flows.warehouse.views import ENTITY_JOINS, FIRST_LINKSET

CONCEPT_MAP = "memory.main.concept_map"
"""source (CURIE), concept_id (standard, else 0), source_concept_id (else 0), targets (standard
concepts it maps to)."""

_CONCEPT, _RELATIONSHIP = "CONCEPT.csv", "CONCEPT_RELATIONSHIP.csv"

_VOCABULARIES = {
    **{"mesh": "MeSH", "snomed": "SNOMED", "snomedct": "SNOMED", "sct": "SNOMED"},
    **{"rxnorm": "RxNorm", "loinc": "LOINC", "lnc": "LOINC", "icd10cm": "ICD10CM"},
    **{"icd9cm": "ICD9CM", "atc": "ATC", "hp": "HPO", "hpo": "HPO", "ndc": "NDC"},
    **{"mondo": "Mondo", "omim": "OMIM", "hgnc": "HGNC", "meddra": "MedDRA"},
}
"""Prefix of a CURIE, in lower case, to Athena's vocabulary_id; others are looked up as they are."""


def check_files(vocabulary: Path | None, concept_map: Path | None) -> None:
    """Check at the door that the files are there.

    Raises:
        CharthouseError: one is missing.
    """
    for name in (_CONCEPT, _RELATIONSHIP) if vocabulary is not None else ():
        if not (vocabulary / name).is_file():  # type: ignore[operator]
            raise CharthouseError(
                f"--vocabulary {vocabulary} holds no {name}",
                "Give the folder of an unpacked download from athena.ohdsi.org",
            )
    if concept_map is not None and not concept_map.is_file():
        raise CharthouseError(f"--concept-map {concept_map} does not exist", "Check the path")


def map_concepts(
    connection: Connection, vocabulary: Path | None, concept_map: Path | None
) -> dict[str, int]:
    """Make the table :data:`CONCEPT_MAP` for the concepts and sections of the selected documents.

    Returns:
        What is worth telling of the user's own mapping: words to a number.

    Raises:
        CharthouseError: a file is not in its form (file and row named).
    """
    _find_wanted(connection)
    connection.execute(
        f"CREATE OR REPLACE TABLE {CONCEPT_MAP} "
        "(source VARCHAR, concept_id INTEGER, source_concept_id INTEGER, targets INTEGER)"
    )
    if vocabulary is not None:
        try:
            _from_athena(connection, vocabulary)
        except duckdb.Error as error:
            raise CharthouseError(
                f"--vocabulary {vocabulary}: its files are not as Athena writes them "
                f"({type(error).__name__})",
                "Download the vocabularies again from athena.ohdsi.org",
            ) from None
    return {} if concept_map is None else _from_file(connection, concept_map)


def _find_wanted(connection: Connection) -> None:
    """Concepts and LOINC codes of sections in the selected documents."""
    connection.execute(
        "CREATE OR REPLACE TABLE memory.main.wanted AS SELECT *, "
        "split_part(source, ':', 1).lower() AS prefix, "
        "substr(source, strpos(source, ':') + 1) AS code FROM ("
        "SELECT coalesce(ml.concept_id, n.concept_id) AS source "
        f"{ENTITY_JOINS.format(linksets=FIRST_LINKSET)} JOIN {SELECTED} e "
        "ON e.document_id = m.document_id AND e.annotation_id = m.annotation_id "
        "UNION SELECT 'LOINC:' || loinc_code FROM sections SEMI JOIN "
        f"{SELECTED} s USING (document_id, annotation_id)) WHERE source IS NOT NULL"
    )


def _from_athena(connection: Connection, folder: Path) -> None:
    concepts, relationships = _athena(folder / _CONCEPT), _athena(folder / _RELATIONSHIP)
    known = "MAP {" + ", ".join(f"'{k}': '{v}'" for k, v in _VOCABULARIES.items()) + "}"
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE found AS SELECT w.source, c.concept_id::INTEGER AS id "
        f"FROM {concepts} c JOIN memory.main.wanted w ON c.concept_code = w.code "
        f"AND lower(c.vocabulary_id) = lower(coalesce({known}[w.prefix], w.prefix))"
    )
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE targets AS SELECT f.source, "
        f"r.concept_id_2::INTEGER AS target FROM {relationships} r "
        "JOIN found f ON r.concept_id_1 = f.id::VARCHAR WHERE r.relationship_id = 'Maps to' "
        "AND coalesce(r.invalid_reason, '') = ''"
    )
    connection.execute(
        f"INSERT INTO {CONCEPT_MAP} SELECT f.source, coalesce(min(t.target), 0), min(f.id), "
        "count(DISTINCT t.target) FROM found f LEFT JOIN (SELECT source, target FROM targets "
        f"SEMI JOIN (FROM {concepts} c WHERE c.standard_concept = 'S' "
        "AND coalesce(c.invalid_reason, '') = '') c ON c.concept_id = target::VARCHAR) t "
        "USING (source) GROUP BY f.source"
    )


def _athena(path: Path) -> str:
    return (
        f"read_csv({literal(str(path))}, delim = '\t', quote = '', escape = '', header = true, "
        "all_varchar = true)"
    )


def _from_file(connection: Connection, path: Path) -> dict[str, int]:
    """Lay the user's mapping over that of the vocabulary, without regard to case."""
    wrong = CharthouseError(
        f"--concept-map {path} is no table of the columns source and concept_id",
        "Write them as a header, then a CURIE, a tab and an OMOP concept_id in each line",
    )
    read = (
        f"read_csv({literal(str(path))}, delim = '\t', quote = '', header = true, "
        "all_varchar = true)"
    )
    try:
        names = {name for name, *_ in connection.execute(f"DESCRIBE FROM {read}").fetchall()}
        if not {"source", "concept_id"} <= names:
            raise wrong
        connection.execute(
            "CREATE OR REPLACE TEMP TABLE given AS SELECT row_number() OVER () + 1 AS line, "
            f"trim(source) AS source, TRY_CAST(concept_id AS INTEGER) AS id FROM {read}"
        )
    except duckdb.Error:
        raise wrong from None
    bad = connection.execute(
        "SELECT line FROM given WHERE id IS NULL OR coalesce(source, '') = '' ORDER BY line LIMIT 1"
    ).fetchall()
    if bad:
        raise CharthouseError(
            f"--concept-map {path}, line {bad[0][0]}: no source, or concept_id is no integer",
            "Mend that line",
        )
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE matched AS SELECT g.line, g.id, w.source FROM given g "
        "JOIN memory.main.wanted w ON upper(g.source) = upper(w.source) "
        "UNION SELECT g.line, g.id, w.source FROM given g "
        "JOIN memory.main.wanted w ON upper(g.source) = upper(w.code)"
    )
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE chosen AS SELECT source, min(id) AS id, "
        "count(DISTINCT id) AS targets FROM matched GROUP BY source"
    )
    connection.execute(
        f"UPDATE {CONCEPT_MAP} m SET concept_id = c.id, targets = c.targets FROM chosen c "
        "WHERE c.source = m.source"
    )
    connection.execute(
        f"INSERT INTO {CONCEPT_MAP} SELECT source, id, 0, targets FROM chosen "
        f"ANTI JOIN {CONCEPT_MAP} USING (source)"
    )
    ((unmatched,),) = connection.execute(
        "SELECT count(*) FROM given ANTI JOIN matched USING (line)"
    ).fetchall()
    return {"rows of --concept-map that match no concept in use": unmatched}
