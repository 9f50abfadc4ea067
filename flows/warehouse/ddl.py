"""SQL made from the table declarations."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from ontologies.table import PolarsType, Table

_SQL_TYPES: dict[PolarsType, str] = {
    pl.String: "VARCHAR",
    pl.Boolean: "BOOLEAN",
    pl.Int32: "INTEGER",
    pl.Int64: "BIGINT",
    pl.Float64: "DOUBLE",
    pl.Date: "DATE",
}


def quoted(identifier: str) -> str:
    """The identifier in double quotes, as SQL wants it."""
    return '"' + identifier.replace('"', '""') + '"'


def literal(text: str) -> str:
    """The text as an SQL string literal: for places that take no parameter, such as paths."""
    return "'" + text.replace("'", "''") + "'"


def parquet(path: Path | str) -> str:
    """A Parquet file as a query source. A folder named ``label=x`` is no partition of it."""
    return f"read_parquet({literal(str(path))}, hive_partitioning = false)"


def sql_type(dtype: PolarsType) -> str:
    """The DuckDB type of a Polars type.

    Raises:
        TypeError: the type has no counterpart here.
    """
    if dtype in _SQL_TYPES:
        return _SQL_TYPES[dtype]
    if isinstance(dtype, pl.Datetime):
        return "TIMESTAMP"
    if isinstance(dtype, pl.List):
        return f"{sql_type(dtype.inner)}[]"
    if isinstance(dtype, pl.Struct):
        fields = ", ".join(f"{quoted(f.name)} {sql_type(f.dtype)}" for f in dtype.fields)
        return f"STRUCT({fields})"
    raise TypeError(f"no DuckDB type for {dtype}")


def create_table(table: Table, *, keyed: bool) -> str:
    """``CREATE TABLE IF NOT EXISTS`` of a declaration, with its primary key where ``keyed``."""
    lines = [
        f"{quoted(c.name)} {sql_type(c.dtype)}{'' if c.nullable else ' NOT NULL'}"
        for c in table.columns
    ]
    if keyed:
        lines.append(f"PRIMARY KEY ({', '.join(quoted(name) for name in table.key)})")
    return f"CREATE TABLE IF NOT EXISTS {quoted(table.name)} (\n  " + ",\n  ".join(lines) + "\n)"


def column_list(table: Table) -> str:
    """The table's columns, quoted and joined by commas."""
    return ", ".join(quoted(column.name) for column in table.columns)
