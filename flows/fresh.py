"""What a linkset may not know yet: all documents, or only those that no finished run annotated.

A linkset becomes the current one when all names are linked, and from then on each run links what it
annotates before it is marked as done. So where the linkset is current, only documents of other runs
can be new to it: those of the run at work, of runs that were given up after they had loaded, and of
runs that were interrupted. Where another linkset is current, or none, runs may have passed this one
over, and every document counts.
"""

from __future__ import annotations

from flows.warehouse.connection import Connection

_UNFINISHED = "a.run_id NOT IN (SELECT run_id FROM runs WHERE status = 'done')"


def fresh_ledger(connection: Connection, linkset_id: str) -> str | None:
    """The part of the ledger that a linkset may not know, as a query source.

    Args:
        connection: the open warehouse.
        linkset_id: the linkset.

    Returns:
        An SQL subquery with the columns of ``document_annotations``, to be given an alias; None
        where the linkset knows everything, so that nothing needs to be scanned.
    """
    current = connection.execute(
        "SELECT 1 FROM linksets WHERE linkset_id = ? AND is_current", [linkset_id]
    ).fetchall()
    if not current:
        return "(FROM document_annotations)"
    part = f"(FROM document_annotations a WHERE {_UNFINISHED})"
    return part if connection.execute(f"SELECT 1 FROM {part} LIMIT 1").fetchall() else None
