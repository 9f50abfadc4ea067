"""Which annotation sets are compared: found by run, annotation_id, or a word for the last runs."""

from __future__ import annotations

import json
from dataclasses import dataclass

from flows.errors import CharthouseError
from flows.warehouse.connection import Connection
from flows.warehouse.runs import GENERATES

LATEST, PREVIOUS = "latest", "previous"

_MOST_LISTED = 5


@dataclass(frozen=True)
class Side:
    """An annotation set to compare, and the run that was named, if it was one.

    ``documents`` counts what the warehouse holds of the set; ``settings`` is what it stands for.
    """

    annotation_id: str
    run_id: str | None
    models: tuple[str, ...]
    settings: dict[str, object]
    documents: int

    @property
    def name(self) -> str:
        """The set as a person would call it."""
        return f"{self.annotation_id} ({', '.join(self.models)})"


def find_side(connection: Connection, asked: str) -> Side:
    """The annotation set that a run wrote, or that has an id.

    Args:
        connection: the open warehouse.
        asked: the start of a run_id or of an annotation_id, as long as it fits one of them alone;
            ``latest`` or ``previous`` for the last run and the one before it.

    Raises:
        CharthouseError: nothing or more than one thing fits.
    """
    annotation_id, run_id = _find(connection, asked)
    rows = connection.execute(
        "SELECT models, settings FROM annotation_sets WHERE annotation_id = ?", [annotation_id]
    ).fetchall()
    models, settings = rows[0] if rows else ([], "{}")
    ((documents,),) = connection.execute(
        "SELECT count(*) FROM document_annotations WHERE annotation_id = ?", [annotation_id]
    ).fetchall()
    return Side(annotation_id, run_id, tuple(models), json.loads(settings), documents)


def _find(connection: Connection, asked: str) -> tuple[str, str | None]:
    if asked in (LATEST, PREVIOUS):
        return _by_time(connection, asked)
    found = connection.execute(
        "SELECT run_id AS id, annotation_id, run_id FROM runs "
        f"WHERE starts_with(run_id, $asked) AND NOT {GENERATES} "
        "UNION ALL SELECT annotation_id, annotation_id, NULL FROM annotation_sets "
        "WHERE starts_with(annotation_id, $asked) ORDER BY 1",
        {"asked": asked},
    ).fetchall()
    exact = [row for row in found if row[0] == asked]
    if len(exact or found) == 1:
        _, annotation_id, run_id = (exact or found)[0]
        return annotation_id, run_id
    if found:
        listed = ", ".join(row[0] for row in found[:_MOST_LISTED])
        raise CharthouseError(
            f"{asked} is the start of {len(found)} runs or annotation sets: {listed}"
            + (" ..." if len(found) > _MOST_LISTED else ""),
            "Give more of the one you mean",
        )
    raise CharthouseError(
        f"no run and no annotation set begins with {asked}",
        "charthouse status lists runs; the table annotation_sets lists sets",
    )


def _by_time(connection: Connection, asked: str) -> tuple[str, str]:
    runs = connection.execute(
        f"SELECT annotation_id, run_id FROM runs WHERE status = 'done' AND NOT {GENERATES} "
        "ORDER BY run_id DESC LIMIT 2"
    ).fetchall()
    wanted = 0 if asked == LATEST else 1
    if len(runs) <= wanted:
        raise CharthouseError(
            f"there is no {asked} run: this warehouse has {len(runs)} that ended",
            "charthouse status lists them",
        )
    return runs[wanted]
