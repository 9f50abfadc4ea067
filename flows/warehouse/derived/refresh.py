"""Making the derived tables anew, all in one transaction.

They are made as a whole, which is right after every kind of change: it costs little beside
annotating what is new, and nothing is done where nothing changed.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import duckdb

from flows.derived_settings import DerivedSettings
from flows.warehouse.derived.branches import count_branches
from flows.warehouse.derived.coded import code_linked, code_mentions, drop_coded
from flows.warehouse.derived.pairs import count_pairs
from flows.warehouse.derived.schema import DERIVATIONS, DERIVED_TABLES
from flows.warehouse.derived.state import MADE_OF, are_current, outdated
from flows.warehouse.derived.totals import count_all, count_linked
from flows.warehouse.layout import Connection, create, create_views, transaction
from flows.warehouse.problems import WarehouseError

_DERIVATION = f"""
INSERT INTO {DERIVATIONS.name} BY NAME
SELECT $now AS derived_at, (SELECT max(run_id) FROM runs) AS run_id,
  coalesce(sum(documents), 0)::BIGINT AS documents, coalesce(sum(mentions), 0)::BIGINT AS mentions,
  $pair_concepts AS pair_concepts, $pair_documents AS pair_documents, {MADE_OF} AS made_of
FROM document_totals
"""


def refresh(
    connection: Connection, settings: DerivedSettings, check: Callable[[], None] = lambda: None
) -> None:
    """Make all derived tables anew from what the warehouse holds now, in one transaction.

    Args:
        connection: the warehouse, outside a transaction.
        settings: what is counted.
        check: called between steps; what it raises undoes all of them.

    Raises:
        WarehouseError: DuckDB may not take the memory that it needs; nothing was changed.
    """
    try:
        with transaction(connection):
            _derive(connection, settings.pair_concepts, settings.pair_documents, check)
    except duckdb.OutOfMemoryException:
        raise WarehouseError(
            "the derived tables cannot be made in the memory that DuckDB may take",
            "Raise execution.memory_megabytes, lower derived.pair_concepts, or set "
            "derived.enabled = false",
        ) from None


def refresh_if_changed(
    connection: Connection, settings: DerivedSettings, check: Callable[[], None] = lambda: None
) -> bool:
    """The same, unless they were made of just what the warehouse holds, with these settings.

    Returns:
        Whether they were made anew.
    """
    if are_current(connection, settings.pair_concepts, settings.pair_documents):
        return False
    refresh(connection, settings, check)
    return True


def refresh_within(connection: Connection) -> None:
    """The same within a transaction that has changed what they are made of, with the settings
    they were made with; nothing where they were never made.
    """
    if DERIVATIONS in outdated(connection):
        return
    made = connection.execute(
        f"SELECT pair_concepts, pair_documents FROM {DERIVATIONS.name}"
    ).fetchall()
    for pair_concepts, pair_documents in made:
        _derive(connection, pair_concepts, pair_documents, lambda: None)


def _derive(
    connection: Connection, pair_concepts: int, pair_documents: int, check: Callable[[], None]
) -> None:
    former = outdated(connection)
    # Deleting rows would hold memory for each of them until the transaction ends.
    for table in (*DERIVED_TABLES, DERIVATIONS):
        connection.execute(f"DROP TABLE IF EXISTS {table.name}")
        create(connection, table)
    if former:
        create_views(connection)  # theirs could not be made before
    code_mentions(connection)
    check()
    linksets = connection.execute(
        "SELECT linkset_id, release_id, position FROM linksets WHERE is_current ORDER BY position"
    ).fetchall()
    for linkset_id, release_id, position in linksets:
        code_linked(connection, linkset_id)
        check()
        count_linked(connection, linkset_id, first=position == 1)
        check()
        count_branches(connection, linkset_id, release_id)
        check()
        count_pairs(connection, linkset_id, pair_concepts, pair_documents)
        check()
    count_all(connection)
    drop_coded(connection)  # after an error they go with the transaction
    connection.execute(
        _DERIVATION,
        {
            "now": datetime.now(UTC).replace(tzinfo=None),
            "pair_concepts": pair_concepts,
            "pair_documents": pair_documents,
        },
    )
