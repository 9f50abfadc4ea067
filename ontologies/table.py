"""How a table is declared: its columns, types, key and one-line meanings, once.

The DuckDB DDL, the Parquet files and the data dictionary are all made from these declarations.
The declarations themselves stand in ``ontologies/schema.py``, ``nlp/schema.py`` and
``flows/schema.py``.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl
from polars.datatypes import DataType, DataTypeClass

PolarsType = DataType | DataTypeClass


class SchemaError(ValueError):
    """A frame does not have the columns its table declares."""


@dataclass(frozen=True)
class Column:
    """One column: its Polars type, what it means, and whether null is allowed."""

    name: str
    dtype: PolarsType
    meaning: str
    nullable: bool = False


@dataclass(frozen=True)
class Table:
    """One table of the contract. ``key`` names the columns that are unique together."""

    name: str
    meaning: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]

    @property
    def schema(self) -> dict[str, PolarsType]:
        """Column name to Polars type, in the declared order."""
        return {column.name: column.dtype for column in self.columns}

    def empty(self) -> pl.DataFrame:
        """A frame of no rows with the declared columns."""
        return pl.DataFrame(schema=self.schema)

    def conform(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Return ``frame`` with exactly the declared columns, order and types.

        Nullable columns that are missing are filled with nulls.

        Raises:
            SchemaError: a column that may not be null is missing or holds nulls. The message
                names table and column, never a value.
        """
        expressions = []
        for column in self.columns:
            if column.name in frame.columns:
                expressions.append(pl.col(column.name).cast(column.dtype))
            elif column.nullable:
                expressions.append(pl.lit(None, dtype=column.dtype).alias(column.name))
            else:
                raise SchemaError(f"table {self.name}: column {column.name} is missing")
        conformed = frame.select(expressions)
        for column in self.columns:
            if not column.nullable and conformed[column.name].null_count():
                raise SchemaError(f"table {self.name}: column {column.name} holds nulls")
        return conformed
