"""Linking the names of a warehouse anew: another release, other settings; no NER."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from flows.cluster.door import at_the_door
from flows.opened import opened
from flows.order import Order, save_order
from flows.prefect_server import prefect_api
from flows.progress import Reporter
from flows.reporting.configured import check_report, publish_report
from flows.session import Session
from flows.settings import Settings
from flows.targets import link_targets, stores_to_link
from flows.warehouse import runs
from flows.warehouse.access import access_of
from flows.warehouse.connection import Connection, read_warehouse
from flows.warehouse.memory import bound_memory
from flows.warehouse.snapshots import check_configured, publish_configured
from flows.work import WorkFolder, remove_tree
from nlp.fingerprint import AnnotationSet

_ANNOTATES_NOTHING = AnnotationSet("", (), "{}")

MOST_MOVED = 10
"""So many of the most frequent moves from one concept to another are told."""


@dataclass(frozen=True)
class LabelChanges:
    """What became of the current names of one label, by the best concept before and after.

    Each is a pair: distinct names, and mentions of them.
    """

    ontology: str
    label: str
    unchanged: tuple[int, int]
    gained: tuple[int, int]
    lost: tuple[int, int]
    moved: tuple[int, int]
    renamed: tuple[int, int]


@dataclass(frozen=True)
class Move:
    """Names that went from one concept to another."""

    before_id: str
    before_name: str
    after_id: str
    after_name: str
    names: int
    mentions: int


@dataclass(frozen=True)
class Relinked:
    """The outcome of a relink: linksets that are current now, and what changed."""

    warehouse: str
    linksets: tuple[str, ...]
    releases: tuple[str, ...]
    already_linked: bool
    changes: tuple[LabelChanges, ...]
    moves: tuple[Move, ...]
    attributions: tuple[str, ...]


def names_to_link(warehouse: Path, settings: Settings) -> dict[str, int]:
    """For a dry run: how many distinct names each ontology would have to link.

    Raises:
        CharthouseError: there is no such warehouse, or a store cannot be used.
    """
    with read_warehouse(warehouse, access_of(settings.warehouse)) as connection:
        targets = link_targets(stores_to_link(connection, settings), settings)
        return {
            target.name: connection.execute(
                "SELECT count(*) FROM (SELECT DISTINCT lookup_text, label FROM mentions m WHERE "
                "NOT EXISTS (FROM name_links n WHERE n.lookup_text = m.lookup_text "
                "AND n.label = m.label AND n.linkset_id = ?))",
                [target.linkset_id],
            ).fetchall()[0][0]
            for target in targets
        }


def relink(warehouse: Path, settings: Settings, *, quiet: bool = False) -> Relinked:
    """Link all names of a warehouse to the settings' ontologies and make these the current ones.

    What earlier releases said stays beside it. A relink that was killed is given again: names
    that were linked stay linked.

    Raises:
        CharthouseError: there is no such warehouse, a store cannot be used, or linking failed.
    """
    access = access_of(settings.warehouse, quiet=quiet)
    check_configured(settings.warehouse.snapshot, warehouse, access)
    check_report(warehouse, settings.report)
    with read_warehouse(warehouse, access) as connection:
        stores = stores_to_link(connection, settings)
    settings = at_the_door(settings, warehouse)
    targets = link_targets(stores, settings)
    order = Order(warehouse.resolve(), (), settings, _ANNOTATES_NOTHING, targets)
    work = WorkFolder.beside(order.warehouse)
    with opened(order.warehouse, work, access) as connection:
        before = _current(connection)
        _link(connection, order, work, quiet=quiet)
        publish_configured(connection, order.warehouse, settings.warehouse.snapshot, access)
        publish_report(connection, order.warehouse, settings.report)
        return _report(connection, order, before)


def _current(connection: Connection) -> dict[int, tuple[str, str]]:
    """Linkset and release that are current, by position."""
    rows = connection.execute(
        "SELECT position, linkset_id, release_id FROM linksets WHERE is_current"
    ).fetchall()
    return {position: (linkset, release) for position, linkset, release in rows}


def _link(connection: Connection, order: Order, work: WorkFolder, *, quiet: bool) -> None:
    bound_memory(connection, order.settings.execution)
    run_id = runs.new_run_id()
    # An interrupted run finds its own order again: it is saved anew when that run goes on.
    save_order(order, work.order)
    with prefect_api(), Reporter(run_id, work.status, quiet=quiet) as reporter:
        from flows.flow_runs import forget_flow_runs
        from flows.pipeline import charthouse_relink, run_flow

        session = Session(run_id, connection, order, work, reporter)
        try:
            run_flow(charthouse_relink, session)
        finally:
            session.handover.close()
            remove_tree(work.run(run_id))
        forget_flow_runs(work)


_CHANGES = """
WITH current_names AS (
  SELECT m.lookup_text, m.label, count(*) AS mentions FROM mentions m
  JOIN document_annotations a
    ON a.document_id = m.document_id AND a.annotation_id = m.annotation_id AND a.is_current
  GROUP BY ALL
), best AS (
  FROM name_links SELECT lookup_text, label, linkset_id, concept_id
  WHERE rank = 1 AND status = 'linked'
), pairs AS (
  SELECT c.label, c.mentions, b.concept_id AS before_id, n.concept_id AS after_id,
    coalesce(r.concept_id = n.concept_id, false) AS renamed
  FROM current_names c
  LEFT JOIN best b
    ON b.lookup_text = c.lookup_text AND b.label = c.label AND b.linkset_id = $before
  LEFT JOIN best n
    ON n.lookup_text = c.lookup_text AND n.label = c.label AND n.linkset_id = $after
  LEFT JOIN concept_replacements r ON r.release_id = $release AND r.old_id = b.concept_id
)
"""

_BY_LABEL = (
    _CHANGES
    + """
SELECT label,
  CASE WHEN before_id IS NOT DISTINCT FROM after_id THEN 'unchanged'
       WHEN before_id IS NULL THEN 'gained' WHEN after_id IS NULL THEN 'lost'
       WHEN renamed THEN 'renamed' ELSE 'moved' END AS change,
  count(*), sum(mentions)::BIGINT
FROM pairs GROUP BY ALL ORDER BY ALL
"""
)

_MOVES = (
    _CHANGES
    + """
SELECT before_id, coalesce(o.concept_name, before_id), after_id, n.concept_name,
  count(*) AS names, sum(mentions)::BIGINT AS mentions
FROM pairs
LEFT JOIN concepts o ON o.release_id = $old_release AND o.concept_id = before_id
JOIN concepts n ON n.release_id = $release AND n.concept_id = after_id
WHERE before_id != after_id AND NOT renamed
GROUP BY ALL ORDER BY mentions DESC, before_id, after_id LIMIT $most
"""
)


def _report(connection: Connection, order: Order, before: dict[int, tuple[str, str]]) -> Relinked:
    changes, moves = list[LabelChanges](), list[Move]()
    for target in order.targets:
        linkset, release = before.get(target.position, ("", ""))
        asked = {"before": linkset, "after": target.linkset_id, "release": target.release_id}
        counts: dict[str, dict[str, tuple[int, int]]] = {}
        for label, change, names, mentions in connection.execute(_BY_LABEL, asked).fetchall():
            counts.setdefault(label, {})[change] = (names, mentions)
        kinds = ("unchanged", "gained", "lost", "moved", "renamed")
        changes += [
            LabelChanges(target.name, label, *(found.get(kind, (0, 0)) for kind in kinds))
            for label, found in counts.items()
        ]
        more = {"old_release": release, "most": MOST_MOVED}
        moves += [Move(*row) for row in connection.execute(_MOVES, asked | more).fetchall()]
    linksets = tuple(target.linkset_id for target in order.targets)
    current = tuple(before[position][0] for position in sorted(before))
    attributions = connection.execute(
        "SELECT DISTINCT attribution FROM ontology_releases r JOIN linksets l USING (release_id) "
        "WHERE l.is_current ORDER BY 1"
    ).fetchall()
    return Relinked(
        warehouse=str(order.warehouse),
        linksets=linksets,
        releases=tuple(target.release_id for target in order.targets),
        already_linked=linksets == current,
        changes=tuple(changes),
        moves=tuple(moves),
        attributions=tuple(line for (line,) in attributions),
    )
