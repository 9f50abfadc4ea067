"""Writing FHIR resources as they come, each type to its own NDJSON file."""

from __future__ import annotations

import json
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, TextIO

from flows import __version__
from flows.exporting.documents import ExportDocument, stream_documents
from flows.exporting.fhir.resources import Resource, Wishes, device, is_affirmed, resources_of
from flows.exporting.outcome import Written
from flows.exporting.selection import SELECTED
from flows.warehouse.layout import Connection
from flows.warehouse.views import ENTITY_JOINS, FIRST_LINKSET

_OF_PATIENT = (
    "m.hypothetical IS NOT true AND coalesce(m.experiencer, 'patient') = 'patient' "
    "AND coalesce(ml.concept_id, n.concept_id) IS NOT NULL"
)


@dataclass(frozen=True)
class Fhir:
    """What the user chose of a FHIR export."""

    with_text: bool = False
    include_negated: bool = False

    name: ClassVar[str] = "fhir"
    annotated: ClassVar[bool] = True

    def check(self) -> None:
        """Nothing can be wrong before the warehouse is open."""

    def expect(self, connection: Connection) -> Written:
        """Documents, conditions and observations of concepts, without writing anything."""
        negated = "true" if self.include_negated else "m.negated IS NOT true"
        kinds = connection.execute(
            "SELECT CASE WHEN label = 'Disease' THEN 'Condition' ELSE 'Observation' END AS kind, "
            "count(*) FROM (SELECT DISTINCT m.document_id, m.label, "
            "coalesce(ml.concept_id, n.concept_id) AS concept_id "
            f"{ENTITY_JOINS.format(linksets=FIRST_LINKSET)} JOIN {SELECTED} e "
            "ON e.document_id = m.document_id AND e.annotation_id = m.annotation_id "
            f"WHERE d.person_id IS NOT NULL AND {negated} AND {_OF_PATIENT}) GROUP BY kind"
        ).fetchall()
        ((documents, without),) = connection.execute(
            "SELECT count(d.person_id), count(*) - count(d.person_id) "
            f"FROM {SELECTED} s JOIN documents d ON d.rowid = s.place"
        ).fetchall()
        rows = {"DocumentReference.ndjson": documents}
        rows |= {f"{kind}.ndjson": count for kind, count in sorted(kinds)}
        return Written(rows, {"documents without a person": without})

    def write(self, connection: Connection, folder: Path) -> Written:
        """Write a file for each type of resource that there is."""
        wishes = Wishes(self.with_text, self.include_negated)
        rows: dict[str, int] = {}
        left_out = dict.fromkeys(
            (
                "documents without a person",
                "mentions without a concept",
                "mentions denied",
                "mentions hypothetical or of others",
            ),
            0,
        )
        streamed = stream_documents(connection, text=self.with_text, cues=True, quantities=True)
        with ExitStack() as stack:
            files: dict[str, TextIO] = {}

            def add(resource: Resource) -> None:
                name = f"{resource['resourceType']}.ndjson"
                if name not in files:
                    rows[name] = 0
                    opened = (folder / name).open("w", encoding="utf-8", newline="\n")
                    files[name] = stack.enter_context(opened)
                line = json.dumps(resource, ensure_ascii=False, separators=(",", ":"))
                files[name].write(line + "\n")
                rows[name] += 1

            sets: set[str] = set()
            for document in streamed:
                if document.person_id is None:
                    left_out["documents without a person"] += 1
                    continue
                sets.add(document.annotation_id)
                _count_left_out(document, left_out, negated_too=self.include_negated)
                for resource in resources_of(document, wishes):
                    add(resource)
            for annotation_id, models in _sets(connection, sets):
                add(device(annotation_id, models, __version__))
        return Written(dict(sorted(rows.items())), left_out)


def _sets(connection: Connection, wanted: set[str]) -> list[tuple[str, list[str]]]:
    known = dict(connection.execute("SELECT annotation_id, models FROM annotation_sets").fetchall())
    return [(annotation_id, known.get(annotation_id, [])) for annotation_id in sorted(wanted)]


def _count_left_out(document: ExportDocument, counts: dict[str, int], *, negated_too: bool) -> None:
    for mention in document.mentions:
        if mention.concept_id is None:
            counts["mentions without a concept"] += 1
        elif not is_affirmed(mention):
            if mention.hypothetical or mention.experiencer not in (None, "patient"):
                counts["mentions hypothetical or of others"] += 1
            elif not negated_too:
                counts["mentions denied"] += 1
