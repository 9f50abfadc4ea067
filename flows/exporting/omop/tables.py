"""Tables ``note`` and ``note_nlp`` of the OMOP CDM v5.4, column by column as OHDSI defines them.

The definition is that of OHDSI's CommonDataModel, ``inst/ddl/5.4/duckdb``: names, types, order and
which columns may not be null.
"""

from __future__ import annotations

from typing import NamedTuple


class CdmColumn(NamedTuple):
    """A column, its type in OHDSI's DDL, and whether it may not be null."""

    name: str
    type: str
    required: bool = False


NOTE = (
    CdmColumn("note_id", "integer", True),
    CdmColumn("person_id", "integer", True),
    CdmColumn("note_date", "date", True),
    CdmColumn("note_datetime", "TIMESTAMP"),
    CdmColumn("note_type_concept_id", "integer", True),
    CdmColumn("note_class_concept_id", "integer", True),
    CdmColumn("note_title", "varchar(250)"),
    CdmColumn("note_text", "TEXT", True),
    CdmColumn("encoding_concept_id", "integer", True),
    CdmColumn("language_concept_id", "integer", True),
    CdmColumn("provider_id", "integer"),
    CdmColumn("visit_occurrence_id", "integer"),
    CdmColumn("visit_detail_id", "integer"),
    CdmColumn("note_source_value", "varchar(50)"),
    CdmColumn("note_event_id", "integer"),
    CdmColumn("note_event_field_concept_id", "integer"),
)

NOTE_NLP = (
    CdmColumn("note_nlp_id", "integer", True),
    CdmColumn("note_id", "integer", True),
    CdmColumn("section_concept_id", "integer"),
    CdmColumn("snippet", "varchar(250)"),
    CdmColumn("offset", "varchar(50)"),
    CdmColumn("lexical_variant", "varchar(250)", True),
    CdmColumn("note_nlp_concept_id", "integer"),
    CdmColumn("note_nlp_source_concept_id", "integer"),
    CdmColumn("nlp_system", "varchar(250)"),
    CdmColumn("nlp_date", "date", True),
    CdmColumn("nlp_datetime", "TIMESTAMP"),
    CdmColumn("term_exists", "varchar(1)"),
    CdmColumn("term_temporal", "varchar(50)"),
    CdmColumn("term_modifiers", "varchar(2000)"),
)

TABLES = {"note": NOTE, "note_nlp": NOTE_NLP}


def ddl(schema: str, table: str) -> str:
    """``CREATE TABLE`` of one of :data:`TABLES` in a schema."""
    # OFFSET is a word of SQL: OHDSI quotes it too.
    columns = (
        f'"{column.name}" {column.type} {"NOT NULL" if column.required else "NULL"}'
        for column in TABLES[table]
    )
    return f"CREATE TABLE {schema}.{table} (\n  " + ",\n  ".join(columns) + "\n)"
