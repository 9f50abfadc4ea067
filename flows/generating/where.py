"""The condition that chooses documents: one expression of SQL, checked at the door."""

from __future__ import annotations

import duckdb

from flows.errors import UsageError
from flows.warehouse.connection import Connection
from flows.warehouse.session import confine


def one_expression(where: str) -> str:
    """The condition as DuckDB reads it, without comments.

    Raises:
        UsageError: it is no expression, or more than one.
    """
    try:
        return str(duckdb.SQLExpression(where))
    except (duckdb.ParserException, duckdb.InvalidInputException):
        raise UsageError(
            "--where is no condition of SQL",
            "Give one expression over columns of documents, for example \"kind = 'abstract'\"",
        ) from None


def check_where(connection: Connection, where: str) -> None:
    """See that a condition holds on ``documents``; afterwards the session sees no other file.

    Args:
        connection: a session of its own on the warehouse, opened for reading.
        where: what :func:`one_expression` gave.

    Raises:
        UsageError: it names what is not there, is not true or false, or asks for a file.
    """
    confine(connection)
    try:
        described = connection.execute(
            f"DESCRIBE SELECT ({where}) AS chosen FROM documents WHERE ({where})"
        ).fetchall()
    except (duckdb.BinderException, duckdb.CatalogException) as error:
        raise UsageError(
            f"--where: {_first_line(error)}", "docs/tables.md lists the columns"
        ) from None
    except duckdb.Error as error:  # others may quote values
        raise UsageError(
            f"--where cannot be used ({type(error).__name__})",
            "It sees the tables of the warehouse alone, and its values must fit their columns",
        ) from None
    if described[0][1] != "BOOLEAN":
        raise UsageError("--where is not true or false", "Compare a column with a value")


def _first_line(error: duckdb.Error) -> str:
    return (
        str(error).partition("\n")[0].removeprefix("Binder Error: ").removeprefix("Catalog Error: ")
    )
