"""Writing FHIR resources as they come, each type to its own NDJSON file."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, TextIO

from flows import __version__
from flows.exporting.documents import ExportDocument, stream_documents
from flows.exporting.fhir.measured import LIMITS, OF_OTHERS, UNNAMED, is_measured, why_left_out
from flows.exporting.fhir.parts import Resource
from flows.exporting.fhir.resources import Wishes, device, is_affirmed, resources_of
from flows.exporting.outcome import Written
from flows.warehouse.layout import Connection


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
        """What would be written: every resource is made, and none kept."""
        return self._tell(connection, lambda resource: None, text=False)

    def write(self, connection: Connection, folder: Path) -> Written:
        """Write a file for each type of resource that there is."""
        with ExitStack() as stack:
            files: dict[str, TextIO] = {}

            def add(resource: Resource) -> None:
                name = _file_of(resource)
                if name not in files:
                    opened = (folder / name).open("w", encoding="utf-8", newline="\n")
                    files[name] = stack.enter_context(opened)
                line = json.dumps(resource, ensure_ascii=False, separators=(",", ":"))
                files[name].write(line + "\n")

            return self._tell(connection, add, text=self.with_text)

    def _tell(
        self, connection: Connection, add: Callable[[Resource], None], *, text: bool
    ) -> Written:
        wishes = Wishes(self.with_text, self.include_negated)
        rows: Counter[str] = Counter()
        left_out = dict.fromkeys(
            (
                "documents without a person",
                "mentions without a concept",
                "mentions denied",
                "mentions hypothetical or of others",
                UNNAMED,
                OF_OTHERS,
                LIMITS,
            ),
            0,
        )
        sets: set[str] = set()
        taken = 0
        for document in stream_documents(connection, text=text, cues=True, quantities=True):
            if document.person_id is None:
                left_out["documents without a person"] += 1
                continue
            taken += 1
            sets.add(document.annotation_id)
            _count_left_out(document, left_out, negated_too=self.include_negated)
            for resource in resources_of(document, wishes):
                rows[_file_of(resource)] += 1
                add(resource)
        for annotation_id, models in _sets(connection, sets):
            resource = device(annotation_id, models, __version__)
            rows[_file_of(resource)] += 1
            add(resource)
        return Written(dict(sorted(rows.items())), left_out, taken)


def _file_of(resource: Resource) -> str:
    return f"{resource['resourceType']}.ndjson"


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
    by_id = {mention.mention_id: mention for mention in document.mentions}
    for quantity in document.quantities:
        if is_measured(quantity):
            reason = why_left_out(quantity, by_id.get(quantity["mention_id"]))
            if reason is not None:
                counts[reason] += 1
