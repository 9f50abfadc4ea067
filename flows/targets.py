"""The concept stores that names are linked to."""

from __future__ import annotations

from collections.abc import Sequence

from flows.bundled import SAMPLE, store_folder
from flows.errors import CharthouseError
from flows.order import LinkTarget
from flows.settings import Settings
from flows.warehouse import runs
from flows.warehouse.connection import Connection
from ontologies.errors import OntologyError
from ontologies.linker import linkset_id
from ontologies.meaning import require_vectors
from ontologies.store import open_store
from ontologies.writing.writing import require_writer


def stores_to_link(connection: Connection, settings: Settings) -> Sequence[str]:
    """The stores asked for, else those the warehouse is linked to, else the sample."""
    return settings.ontologies or runs.current_stores(connection) or (SAMPLE,)


def link_targets(names: Sequence[str], settings: Settings) -> tuple[LinkTarget, ...]:
    """The stores that names are linked to, opened and checked.

    Raises:
        CharthouseError: a store cannot be used, or one release is given twice.
    """
    try:
        targets = tuple(
            _target(name, position, settings) for position, name in enumerate(names, start=1)
        )
    except OntologyError as error:
        raise CharthouseError(str(error)) from None
    if len({target.linkset_id for target in targets}) < len(targets):
        raise CharthouseError("one ontology release is given twice", "Name each --ontology once")
    return targets


def _target(name: str, position: int, settings: Settings) -> LinkTarget:
    store = store_folder(name)
    opened = open_store(store)
    if settings.link.encoder:
        require_vectors(opened, settings.link.encoder, settings.link.pooling)
    require_writer(settings.link)
    release = opened.release
    return LinkTarget(
        name=SAMPLE if name == SAMPLE else str(store),
        store=store,
        release_id=release.release_id,
        linkset_id=linkset_id(release.release_id, settings.link),
        position=position,
    )
