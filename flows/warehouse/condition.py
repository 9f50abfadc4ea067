"""Conditions on documents that a user writes in SQL."""

from __future__ import annotations

import duckdb

from flows.errors import CharthouseError, UsageError
from flows.warehouse.layout import Connection


def check_condition(connection: Connection, where: str) -> None:
    """See that a condition is one, and not the end of this statement and the start of another.

    Raises:
        UsageError: it is none.
    """
    try:
        whole = connection.extract_statements(f"SELECT (\n{where}\n)")
        alone = connection.extract_statements(f"SELECT rowid FROM documents WHERE (\n{where}\n)")
        if len(whole) != 1 or len(alone) != 1:
            raise UsageError("--where is no condition", "Give what would follow WHERE in SQL")
        connection.execute(f"EXPLAIN SELECT rowid FROM documents WHERE (\n{where}\n)")
    except duckdb.Error as error:
        raise condition_error(error) from None


def condition_error(error: duckdb.Error) -> CharthouseError:
    """What a condition that fails is told as: never with a value, which may be text."""
    fix = "Give a condition over columns of the table documents"
    if isinstance(error, duckdb.ParserException | duckdb.BinderException | duckdb.CatalogException):
        lines = (line.strip() for line in str(error).splitlines()[:2])
        return UsageError(f"--where: {' '.join(line for line in lines if line)}", fix)
    # Errors about values quote them, and a value may be a document's text.
    return CharthouseError(f"--where failed while it ran ({type(error).__name__})", fix)
