"""Parquet: the warehouse's tables as they are, those of documents parted by corpus."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from flows.comparing.schema import DIFFS
from flows.errors import UsageError
from flows.exporting.outcome import Written
from flows.exporting.selection import SELECTED, Selection
from flows.generating.schema import GENERATION_ITEMS, GENERATION_SOURCES
from flows.quality.schema import QUALITY, QUALITY_DRIFT, QUALITY_HISTOGRAMS
from flows.schema import FORGOTTEN, REJECTS, SALTS, SHARDS, SNAPSHOTS, SOURCES, TABLES
from flows.warehouse.ddl import literal, quoted
from flows.warehouse.derived.schema import DERIVATIONS, DERIVED_TABLES, DOCUMENT_CONCEPTS
from flows.warehouse.layout import Connection
from nlp.schema import DOCUMENTS
from ontologies.schema import NAME_LINKS
from ontologies.table import Table

_NEVER = {SALTS.name}
"""With the salt whoever has a table could try ids on the hashes in `forgotten`."""

_OF_THE_FILE = {
    *(table.name for table in (SOURCES, SHARDS, REJECTS, FORGOTTEN, SNAPSHOTS)),
    *(table.name for table in (*DERIVED_TABLES, DERIVATIONS) if table is not DOCUMENT_CONCEPTS),
    *(table.name for table in (QUALITY, QUALITY_HISTOGRAMS, QUALITY_DRIFT, DIFFS)),
}
"""What tells of all documents: left out where only some are exported."""

EXPORTED = tuple(table for table in TABLES if table.name not in _NEVER)


@dataclass(frozen=True)
class Tables:
    """What the user chose of a Parquet export; no ``tables`` are all."""

    selection: Selection
    tables: tuple[str, ...] = ()

    name: ClassVar[str] = "parquet"
    annotated: ClassVar[bool] = False

    def check(self) -> None:
        """Check at the door that the tables are known.

        Raises:
            UsageError: one is not, or it tells of documents that are not selected.
        """
        known = {table.name for table in EXPORTED}
        for name in self.tables:
            if name not in known:
                raise UsageError(
                    f"--tables {name}: there is no such table to export",
                    f"There are {', '.join(sorted(known))}",
                )
            if name in _OF_THE_FILE and not self.selection.is_all:
                raise UsageError(
                    f"--tables {name}: it tells of documents that are not selected",
                    "Leave it out, or --where and --corpus",
                )

    def expect(self, connection: Connection) -> Written:
        """Rows of each table, without writing anything."""
        rows = {}
        for table in self._chosen():
            ((count,),) = connection.execute(f"SELECT count(*) {self._source(table)}").fetchall()
            rows[self._name(table)] = count
        return Written(rows)

    def write(self, connection: Connection, folder: Path) -> Written:
        """Write a folder for each table that has documents, a file for each other one."""
        rows = {}
        for table in self._chosen():
            name = self._name(table)
            target, source = literal(str(folder / name)), self._source(table)
            if _has_documents(table):
                columns = "t.*" if "corpus" in table.schema else "t.*, e.corpus"
                ((count,),) = connection.execute(
                    f"COPY (SELECT {columns} {source}) TO {target} "
                    "(FORMAT parquet, COMPRESSION zstd, PARTITION_BY (corpus))"
                ).fetchall()
                if not count:
                    (folder / name).mkdir(exist_ok=True)
                    connection.execute(
                        f"COPY (SELECT {columns} {source}) TO "
                        f"{literal(str(folder / name / 'empty.parquet'))} (FORMAT parquet)"
                    )
            else:
                ((count,),) = connection.execute(
                    f"COPY (SELECT t.* {source}) TO {target} (FORMAT parquet, COMPRESSION zstd)"
                ).fetchall()
            rows[name] = count
        return Written(rows)

    def _chosen(self) -> list[Table]:
        left_out = set() if self.selection.is_all else _OF_THE_FILE
        return [
            table
            for table in EXPORTED
            if (table.name in self.tables if self.tables else table.name not in left_out)
        ]

    def _name(self, table: Table) -> str:
        return table.name if _has_documents(table) else f"{table.name}.parquet"

    def _source(self, table: Table) -> str:
        """The rows that belong to the selection: ``t``, and ``e`` the document."""
        source = f"FROM {quoted(table.name)} t"
        if table is DOCUMENTS:
            # Texts go through no join where none is needed: it would go to disk with them.
            chosen = f" SEMI JOIN {SELECTED} e ON e.place = t.rowid"
            return source if self.selection.is_all else source + chosen
        if _has_documents(table):
            kind = "LEFT JOIN" if self.selection.is_all else "JOIN"
            chosen = f"{source} {kind} {SELECTED} e ON e.document_id = t.document_id"
            if table is GENERATION_SOURCES and not self.selection.is_all:
                # Answers that rest on other documents too are not exported.
                return (
                    f"{chosen} SEMI JOIN {GENERATION_ITEMS.name} i ON i.item_id = t.item_id "
                    "AND i.generation_id = t.generation_id AND i.document_id = t.document_id"
                )
            return chosen
        if table is NAME_LINKS and not self.selection.is_all:
            # Names are text of documents: none of those that are not exported.
            return (
                f"{source} SEMI JOIN (SELECT m.lookup_text, m.label FROM mentions m "
                f"SEMI JOIN {SELECTED} e ON e.document_id = m.document_id) x "
                "ON x.lookup_text = t.lookup_text AND x.label = t.label"
            )
        return source


def _has_documents(table: Table) -> bool:
    return "document_id" in table.schema and table is not REJECTS
