"""Writing the OMOP export: a DuckDB file with the two tables, and the same as CSV and Parquet."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from flows.errors import CharthouseError, UsageError
from flows.exporting.choices import IdMode, OmopFile
from flows.exporting.omop.ids import LARGEST, assign_ids, count_misfits, write_ids
from flows.exporting.omop.rows import (
    MENTIONS,
    NOTES,
    PLACES_AT_ONCE,
    narrow_mentions,
    narrow_notes,
    note_nlp_rows,
    note_rows,
)
from flows.exporting.omop.tables import TABLES, ddl
from flows.exporting.omop.vocabulary import CONCEPT_MAP, check_files, map_concepts
from flows.exporting.outcome import Written
from flows.exporting.selection import SELECTED
from flows.warehouse.ddl import literal
from flows.warehouse.layout import Connection

DATABASE = "omop.duckdb"


@dataclass(frozen=True)
class Omop:
    """What the user chose of an OMOP export."""

    ids: Path
    id_mode: IdMode = IdMode.auto
    vocabulary: Path | None = None
    concept_map: Path | None = None
    with_text: bool = False
    snippets: bool = True
    files: tuple[OmopFile, ...] = tuple(OmopFile)
    first_id: int = 1

    name: ClassVar[str] = "omop"
    annotated: ClassVar[bool] = True

    def check(self) -> None:
        """Check at the door what can be checked without the warehouse.

        Raises:
            CharthouseError: a file or folder is missing.
            UsageError: the first id is none.
        """
        if not 0 < self.first_id <= LARGEST:
            raise UsageError(f"--first-id {self.first_id}", f"Give a number up to {LARGEST:,}")
        if not self.ids.absolute().parent.is_dir():
            raise CharthouseError(f"--ids {self.ids}: its folder does not exist", "Create it first")
        check_files(self.vocabulary, self.concept_map)

    def expect(self, connection: Connection) -> Written:
        """Rows of the two tables, without writing anything."""
        ((notes,),) = connection.execute(f"SELECT count(*) FROM {SELECTED}").fetchall()
        ((mentions,),) = connection.execute(
            f"SELECT count(*) FROM mentions SEMI JOIN {SELECTED} USING (document_id, annotation_id)"
        ).fetchall()
        return Written({"note": notes, "note_nlp": mentions})

    def write(self, connection: Connection, folder: Path) -> Written:
        """Write all files.

        Raises:
            CharthouseError: ids or vocabulary cannot be used.
        """
        told = map_concepts(connection, self.vocabulary, self.concept_map)
        stamp = assign_ids(connection, self.ids, self.id_mode, self.first_id)
        database = folder / DATABASE
        connection.execute(f"ATTACH {literal(str(database))} AS omop")
        rows: dict[str, int] = {}
        totals = self._fill(connection)
        for table, total in totals.items():
            rows |= self._copy(connection, folder, table, total)
        counts = self._counts(connection) | told
        connection.execute("CHECKPOINT omop")
        connection.execute("DETACH omop")
        if OmopFile.duckdb in self.files:
            rows[DATABASE] = sum(totals.values())
        else:
            database.unlink()
        write_ids(connection, self.ids, stamp)
        return Written(rows, counts)

    def _fill(self, connection: Connection) -> dict[str, int]:
        """Make the two tables; returns their rows.

        Texts are joined last, some thousand documents at a time: they would go through every other
        join too, and to disk with each.
        """
        connection.execute(f"CREATE OR REPLACE TABLE {NOTES} AS {narrow_notes()}")
        connection.execute(f"CREATE OR REPLACE TABLE {MENTIONS} AS {narrow_mentions()}")
        for table in TABLES:
            connection.execute(ddl("omop.main", table))
        totals = dict.fromkeys(TABLES, 0)
        ((last,),) = connection.execute(f"SELECT max(place) FROM {SELECTED}").fetchall()
        for first in range(0, last + 1, PLACES_AT_ONCE):
            queries = {
                "note": note_rows(first, with_text=self.with_text),
                "note_nlp": note_nlp_rows(first, snippets=self.snippets),
            }
            for table, query in queries.items():
                ((count,),) = connection.execute(
                    f"INSERT INTO omop.main.{table} {query}"
                ).fetchall()
                totals[table] += count
        connection.execute(f"DROP TABLE {NOTES}")
        connection.execute(f"DROP TABLE {MENTIONS}")
        return totals

    def _copy(self, connection: Connection, folder: Path, table: str, count: int) -> dict[str, int]:
        rows = {}
        for form in (OmopFile.csv, OmopFile.parquet):
            if form in self.files:
                name = f"{table}.{form}"
                options = "FORMAT csv, HEADER" if form is OmopFile.csv else "FORMAT parquet"
                connection.execute(
                    f"COPY omop.main.{table} TO {literal(str(folder / name))} ({options})"
                )
                rows[name] = count
        return rows

    def _counts(self, connection: Connection) -> dict[str, int]:
        """What an ETL wants to know before it loads the tables."""
        ((mentions, unmapped, sourceless),) = connection.execute(
            "SELECT count(*), count(*) FILTER (note_nlp_concept_id = 0), "
            "count(*) FILTER (note_nlp_source_concept_id = 0) FROM omop.main.note_nlp"
        ).fetchall()
        ((persons, undated),) = connection.execute(
            "SELECT count(*) FILTER (person_id = 0), count(*) FILTER (note_datetime IS NULL) "
            "FROM omop.main.note"
        ).fetchall()
        ((wanted, mapped, several),) = connection.execute(
            "SELECT (SELECT count(*) FROM memory.main.wanted WHERE prefix != 'loinc'), "
            "count(*) FILTER (concept_id != 0), count(*) FILTER (targets > 1) "
            f"FROM {CONCEPT_MAP} WHERE NOT starts_with(source, 'LOINC:')"
        ).fetchall()
        return {
            "mentions": mentions,
            "mentions without an OMOP concept": unmapped,
            "mentions without a source concept": sourceless,
            "concepts in use": wanted,
            "concepts mapped": mapped,
            "concepts that map to several": several,
            "notes without a person": persons,
            "notes without a date": undated,
            "ids counted beside native ones": count_misfits(connection),
        }
