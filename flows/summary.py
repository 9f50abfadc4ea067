"""What happened: counts of a run, and the state of the warehouse after it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from flows.entities import count_entities
from flows.quality.drift import crossed, crossed_before
from flows.quality.schema import FAILED, WARNING
from flows.warehouse.connection import Connection
from nlp.settings import PrivacySettings


@dataclass(frozen=True)
class Summary:
    """A run's counts and the state of the warehouse after it. ``new_rejects`` decides exit 3."""

    run_id: str
    warehouse: str
    nothing_to_do: bool
    read: int
    new: int
    replaced: int
    skipped: int
    duplicates: int
    superseded: int
    metadata_updated: int
    deleted: int
    pruned: int
    new_rejects: int
    annotated_mentions: int
    seconds: dict[str, float]
    documents: int
    mentions: int
    linked_mentions: int
    rejects: int
    labels: dict[str, int]
    top_concepts: list[tuple[str, str, int, int]]
    attributions: list[str]
    privacy: str = "off"
    identifiers: dict[str, int] = field(default_factory=dict)
    """What this run has replaced, by kind."""
    not_searched: dict[str, int] = field(default_factory=dict)
    """Documents that this run has stored as they are, by kind, though privacy is on."""
    quality_failed: int = 0
    """Thresholds of failure that this process's runs crossed: decides exit 4."""
    quality_warnings: int = 0
    quality_before: dict[str, int] = field(default_factory=dict)
    """Where nothing was left to do: thresholds that the latest measured run crossed, by status.
    They were told when it ended, unless the process was killed just then; exit codes do not count
    them."""
    continued: bool = False
    """An earlier process had begun the run; ``seconds`` tell of this process alone."""

    @property
    def linked_share(self) -> float:
        """Share of all mentions in the warehouse that have a concept, 0 to 1."""
        return self.linked_mentions / self.mentions if self.mentions else 0.0

    def as_dict(self) -> dict[str, object]:
        """For ``--json``."""
        return asdict(self) | {"linked_share": round(self.linked_share, 4)}


def summarise(
    connection: Connection,
    warehouse: Path,
    run_id: str,
    *,
    here: Collection[str],
    continued: bool = False,
    privacy: PrivacySettings | None = None,
) -> Summary:
    """Read a finished run's summary from the warehouse.

    Args:
        connection: the open warehouse.
        warehouse: its path.
        run_id: the run.
        here: ids of all runs that this process finished; their new rejects are told together.
        continued: an earlier process had begun the run.
        privacy: the run's settings of privacy; by default it is off.
    """
    (run,) = connection.execute(
        "SELECT read, new, replaced, skipped, duplicates, superseded, metadata_updated, deleted, "
        "seconds, coalesce(pruned, 0) FROM runs WHERE run_id = ?",
        [run_id],
    ).fetchall()
    entities = count_entities(connection)
    quality = crossed(connection, sorted(here))
    nothing_to_do = not (run[1] or run[2] or run[6] or run[7] or run[9])
    return Summary(
        run_id=run_id,
        warehouse=str(warehouse),
        nothing_to_do=nothing_to_do,
        read=run[0],
        new=run[1],
        replaced=run[2],
        skipped=run[3],
        duplicates=run[4],
        superseded=run[5],
        metadata_updated=run[6],
        deleted=run[7],
        pruned=run[9],
        new_rejects=_one(
            connection,
            "SELECT count(*) FROM rejects WHERE list_contains(?, run_id)",
            sorted(here),
        ),
        annotated_mentions=_one(
            connection, "SELECT coalesce(sum(mentions), 0) FROM shards WHERE run_id = ?", run_id
        ),
        seconds={name: round(value, 3) for name, value in run[8].items()},
        documents=_one(connection, "SELECT count(*) FROM documents WHERE NOT is_deleted"),
        mentions=entities.mentions,
        linked_mentions=entities.linked_mentions,
        rejects=_one(connection, "SELECT count(*) FROM rejects"),
        labels=entities.labels,
        top_concepts=entities.top_concepts,
        attributions=[
            text
            for (text,) in connection.execute(
                "SELECT DISTINCT r.attribution FROM linksets l JOIN ontology_releases r "
                "USING (release_id) WHERE l.is_current ORDER BY 1"
            ).fetchall()
        ],
        **(_private(connection, run_id, privacy) if privacy and privacy.is_on else {}),
        quality_failed=quality.get(FAILED, 0),
        quality_warnings=quality.get(WARNING, 0),
        quality_before=crossed_before(connection, run_id) if nothing_to_do and not quality else {},
        continued=continued,
    )


def _private(connection: Connection, run_id: str, settings: PrivacySettings) -> dict[str, Any]:
    """What a run under privacy has replaced, and what it has not looked at."""
    not_searched = connection.execute(
        "SELECT d.kind, count(*) FROM documents d SEMI JOIN (FROM document_annotations "
        "WHERE run_id = ?) a USING (document_id) WHERE NOT list_contains(?, d.kind) "
        "GROUP BY d.kind ORDER BY d.kind",
        [run_id, list(settings.kinds)],
    ).fetchall()
    return {
        "privacy": settings.mode,
        "identifiers": _identifiers(connection, run_id),
        "not_searched": dict(not_searched),
    }


def _identifiers(connection: Connection, run_id: str) -> dict[str, int]:
    """How often a run has replaced what kind of identifier, the most frequent first."""
    return dict(
        connection.execute(
            "SELECT s.kind, count(*) FROM privacy_spans s SEMI JOIN (FROM document_annotations "
            "WHERE run_id = ?) a USING (document_id, annotation_id) "
            "GROUP BY s.kind ORDER BY count(*) DESC, s.kind",
            [run_id],
        ).fetchall()
    )


def _one(connection: Connection, query: str, *parameters: object) -> int:
    ((value,),) = connection.execute(query, list(parameters)).fetchall()
    return int(value)
