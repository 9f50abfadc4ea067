"""Erasing documents, annotation and generation sets from all tables, in one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from flows.comparing.rows import NAMES
from flows.comparing.schema import DIFFS
from flows.errors import CharthouseError
from flows.generating.schema import GENERATION_SETS
from flows.schema import ANNOTATION_SETS, TABLES
from flows.warehouse.ddl import literal, quoted
from flows.warehouse.derived.refresh import refresh_within
from flows.warehouse.generated import conditions, items_about
from flows.warehouse.layout import Connection, tables_there, transaction
from flows.warehouse.tombstones import add_tombstones
from nlp.schema import DOCUMENTS
from ontologies.schema import NAME_LINKS
from ontologies.table import Table


@dataclass(frozen=True)
class Subjects:
    """Whom and what to forget. Ids of people: they show in no representation and no output."""

    documents: tuple[str, ...] = ()
    persons: tuple[str, ...] = ()
    annotation_sets: tuple[str, ...] = ()
    generation_sets: tuple[str, ...] = ()

    def __repr__(self) -> str:
        """Counts only."""
        return (
            f"Subjects({len(self.documents)} documents, {len(self.persons)} persons, "
            f"{len(self.annotation_sets)} annotation sets, "
            f"{len(self.generation_sets)} generation sets)"
        )


@dataclass(frozen=True)
class Erased:
    """Counts of what was erased, or would be.

    ``ids_found`` of ``ids_given`` had documents; ``rows`` are by table; ``tombstones`` are new.
    """

    ids_given: int
    ids_found: int
    documents: int
    rows: dict[str, int]
    tombstones: int


def count_erasure(connection: Connection, subjects: Subjects) -> Erased:
    """What erasing the subjects would remove; changes nothing.

    Raises:
        CharthouseError: an annotation set is unknown or still current.
    """
    return _erase(connection, subjects, dry_run=True)


def erase(connection: Connection, subjects: Subjects) -> Erased:
    """Erase the subjects' rows from all tables and leave tombstones, in one transaction.

    Names come from texts: links of names that no mention is left of go as well, and so do all names
    that ``charthouse diff`` was told to store, since none tells whose text it is from. So does what
    models wrote about the subjects, or were given passages of their documents for.

    Raises:
        CharthouseError: a set is unknown, or an annotation set still current; nothing was erased.
    """
    with transaction(connection):
        return _erase(connection, subjects, dry_run=False)


def _erase(connection: Connection, subjects: Subjects, *, dry_run: bool) -> Erased:
    _check_annotation_sets(connection, subjects.annotation_sets)
    _check_generation_sets(connection, subjects.generation_sets)
    found = _collect(connection, subjects)
    in_document = "document_id IN (SELECT document_id FROM to_erase)"
    in_set = "annotation_id IN (SELECT annotation_id FROM sets_to_erase)"
    generated = conditions("items_to_erase") if _generates(connection) else {}
    rows: dict[str, int] = {}
    for table in _about_documents(connection):
        either = [in_document]
        if "annotation_id" in {column.name for column in table.columns}:
            either.append(in_set)
        if table.name in generated:
            either.append(f"({generated[table.name]})")
        condition = " OR ".join(either)
        rows[table.name] = _remove(connection, table.name, condition, dry_run=dry_run)
    rows[ANNOTATION_SETS.name] = _remove(connection, ANNOTATION_SETS.name, in_set, dry_run=dry_run)
    if subjects.generation_sets:
        these = "generation_id IN (SELECT generation_id FROM generation_sets_to_erase)"
        rows[GENERATION_SETS.name] = _remove(
            connection, GENERATION_SETS.name, these, dry_run=dry_run
        )
    left, tombstones = "", 0
    if dry_run:  # the mentions are still there
        left = f"AND NOT ({in_document}) AND NOT ({in_set})"
    else:
        documents = connection.execute("SELECT document_id FROM to_erase").fetchall()
        forgotten = {*subjects.documents, *(identifier for (identifier,) in documents)}
        if forgotten:
            tombstones += add_tombstones(connection, "document", forgotten)
        if subjects.persons:
            tombstones += add_tombstones(connection, "person", subjects.persons)
    rows[NAME_LINKS.name] = _remove(
        connection,
        NAME_LINKS.name,
        f"NOT EXISTS (FROM mentions m WHERE m.lookup_text = {NAME_LINKS.name}.lookup_text "
        f"AND m.label = {NAME_LINKS.name}.label {left})",
        dry_run=dry_run,
    )
    if DIFFS.name in tables_there(connection):
        rows[DIFFS.name] = _remove(
            connection, DIFFS.name, f"starts_with(part, {literal(NAMES)})", dry_run=dry_run
        )
    if not dry_run:  # counts by person and by name tell of what is forgotten
        refresh_within(connection)
    for name in ("to_erase", "sets_to_erase", "generation_sets_to_erase", "items_to_erase"):
        connection.execute(f"DROP TABLE IF EXISTS {name}")
    return Erased(
        ids_given=len(set(subjects.documents)) + len(set(subjects.persons)),
        ids_found=found,
        documents=rows[DOCUMENTS.name],
        rows={name: count for name, count in rows.items() if count},
        tombstones=tombstones,
    )


def _check_annotation_sets(connection: Connection, sets: Sequence[str]) -> None:
    for annotation_id in sets:
        known, current = connection.execute(
            "SELECT (SELECT count(*) FROM annotation_sets WHERE annotation_id = $set), "
            "(SELECT count(*) FROM document_annotations WHERE annotation_id = $set AND is_current)",
            {"set": annotation_id},
        ).fetchall()[0]
        if not known:
            raise CharthouseError(
                "an annotation set to forget is not in the warehouse",
                "The table annotation_sets lists those that are",
            )
        if current:
            raise CharthouseError(
                f"annotation set {annotation_id} is the current one of {current:,} documents",
                "Run with the models that are to be current first",
            )


def _check_generation_sets(connection: Connection, sets: Sequence[str]) -> None:
    if not sets:
        return
    known = {
        generation_id
        for (generation_id,) in (
            connection.execute(f"SELECT generation_id FROM {GENERATION_SETS.name}").fetchall()
            if _generates(connection)
            else ()
        )
    }
    if not set(sets) <= known:
        raise CharthouseError(
            "a generation set to forget is not in the warehouse",
            "The table generation_sets lists those that are",
        )


def _generates(connection: Connection) -> bool:
    """Whether the warehouse has tables of generation: an older one that is only read has none."""
    return GENERATION_SETS.name in tables_there(connection)


def _about_documents(connection: Connection) -> list[Table]:
    """Tables with a document_id, as far as the warehouse has them."""
    there = tables_there(connection)
    return [
        table
        for table in TABLES
        if table.name in there and "document_id" in {column.name for column in table.columns}
    ]


def _collect_items(connection: Connection) -> None:
    """Put the items of generation to erase into a temporary table."""
    about = items_about(
        "SELECT document_id FROM to_erase",
        "SELECT document_id, annotation_id FROM relations "
        "WHERE annotation_id IN (SELECT annotation_id FROM sets_to_erase)",
    )
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE items_to_erase AS {about} "
        "UNION SELECT item_id, generation_id FROM generation_items "
        "WHERE person_id IN (SELECT id FROM asked_persons) "
        "OR generation_id IN (SELECT generation_id FROM generation_sets_to_erase)"
    )


def _collect(connection: Connection, subjects: Subjects) -> int:
    """Put the documents and sets to erase into temporary tables; returns how many ids had any."""
    text = {"id": pl.String}
    asked = {
        "asked_documents": pl.DataFrame({"id": sorted(set(subjects.documents))}, schema=text),
        "asked_persons": pl.DataFrame({"id": sorted(set(subjects.persons))}, schema=text),
        "asked_sets": pl.DataFrame({"id": sorted(set(subjects.annotation_sets))}, schema=text),
        "asked_generated": pl.DataFrame({"id": sorted(set(subjects.generation_sets))}, schema=text),
    }
    for name, frame in asked.items():
        connection.register(name, frame.to_arrow())
    # A document that could not be annotated, or was withdrawn, has rows elsewhere alone.
    elsewhere = " UNION ".join(
        f"SELECT document_id FROM {quoted(table.name)}" for table in _about_documents(connection)
    )
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE to_erase AS SELECT DISTINCT document_id FROM ({elsewhere}) "
        "WHERE document_id IN (SELECT id FROM asked_documents) UNION SELECT document_id "
        "FROM documents WHERE person_id IN (SELECT id FROM asked_persons)"
    )
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE sets_to_erase AS SELECT id AS annotation_id FROM asked_sets"
    )
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE generation_sets_to_erase AS "
        "SELECT id AS generation_id FROM asked_generated"
    )
    if _generates(connection):
        _collect_items(connection)
    ((found,),) = connection.execute(
        "SELECT (SELECT count(*) FROM asked_documents "
        "WHERE id IN (SELECT document_id FROM to_erase)) + (SELECT count(*) FROM asked_persons "
        "WHERE id IN (SELECT person_id FROM documents))"
    ).fetchall()
    for name in asked:
        connection.unregister(name)
    return int(found)


def _remove(connection: Connection, table: str, condition: str, *, dry_run: bool) -> int:
    what = "SELECT count(*) FROM" if dry_run else "DELETE FROM"
    ((count,),) = connection.execute(f"{what} {quoted(table)} WHERE {condition}").fetchall()
    return int(count)
