"""Which documents an export is about: a table of the session that everything else joins."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import duckdb

from flows.errors import CharthouseError, UsageError
from flows.warehouse.condition import check_condition, condition_error
from flows.warehouse.layout import Connection

SELECTED = "memory.main.selected"
"""Documents of the export: ordinal (1, 2 ... by corpus, then as stored), place (their rowid),
document_id, corpus, source_hash; annotation_id, run_id and shard_id of the current annotation,
null where there is none."""


@dataclass(frozen=True)
class Selection:
    """What the user chose.

    Attributes:
        where: a condition in SQL over the columns of ``documents``; None = all.
        corpora: names of corpora; none = all.
    """

    where: str | None = None
    corpora: tuple[str, ...] = ()

    @property
    def is_all(self) -> bool:
        """Whether nothing was left out."""
        return self.where is None and not self.corpora


def select_documents(connection: Connection, selection: Selection, *, annotated: bool) -> int:
    """Make the table :data:`SELECTED`; returns how many documents are in it.

    Args:
        connection: of :func:`flows.warehouse.connection.read_beside`.
        selection: what the user chose.
        annotated: only documents that are not deleted and have current annotations.

    Raises:
        CharthouseError: a corpus is not there, the condition is none, or no document fits.
    """
    _check_corpora(connection, selection.corpora)
    kind = "JOIN" if annotated else "LEFT JOIN"
    chosen = "NOT is_deleted" if annotated else "true"
    if selection.corpora:
        chosen += " AND list_contains($corpora, corpus)"
    # The user's condition stands alone, and on lines of its own: a comment in it ends there.
    wished = f"SELECT rowid AS place, * FROM documents WHERE (\n{selection.where or 'true'}\n)"
    query = f"""
        SELECT row_number() OVER (ORDER BY d.corpus, d.place) AS ordinal, d.*,
          a.annotation_id, a.run_id, a.shard_id
        FROM (SELECT place, document_id, corpus, source_hash FROM ({wished}) WHERE {chosen}) d
        {kind} document_annotations a
          ON a.document_id = d.document_id AND a.is_current AND a.status = 'done'
    """
    given = {"corpora": list(selection.corpora)} if selection.corpora else {}
    if selection.where is not None:
        check_condition(connection, selection.where)
    try:
        connection.execute(f"CREATE OR REPLACE TABLE {SELECTED} AS {query}", given)
    except duckdb.Error as error:
        if selection.where is None:
            raise
        raise condition_error(error) from None
    ((documents,),) = connection.execute(f"SELECT count(*) FROM {SELECTED}").fetchall()
    if not documents:
        raise CharthouseError(
            "no document is selected" if not selection.is_all else "there is no document to export",
            "Check --where and --corpus" if not selection.is_all else "charthouse run adds some",
        )
    return int(documents)


def _check_corpora(connection: Connection, corpora: Collection[str]) -> None:
    if not corpora:
        return
    known = {
        name for (name,) in connection.execute("SELECT DISTINCT corpus FROM documents").fetchall()
    }
    for corpus in corpora:
        if corpus not in known:
            raise UsageError(
                f"--corpus {corpus}: the warehouse has no such corpus",
                f"There are {', '.join(sorted(known)) or 'none'}",
            )
