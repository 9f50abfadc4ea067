"""What the user may choose by a word. Light to import: the command line does so at every start."""

from __future__ import annotations

from enum import StrEnum


class BiocFile(StrEnum):
    """Forms of BioC."""

    xml = "xml"
    json = "json"


class OmopFile(StrEnum):
    """In which forms OMOP's tables are written."""

    duckdb = "duckdb"
    csv = "csv"
    parquet = "parquet"


class IdMode(StrEnum):
    """Where OMOP's ids of notes, persons and visits come from."""

    auto = "auto"
    native = "native"
    assigned = "assigned"
