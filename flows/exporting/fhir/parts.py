"""What resources have in common: ids, subjects, codes, notes, and their provenance."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flows.exporting.documents import ExportDocument, ExportMention
from flows.exporting.fhir.systems import (
    ENCOUNTER_SYSTEM,
    PATIENT_SYSTEM,
    coding,
    reference,
    resource_id,
)

Resource = dict[str, Any]

MENTION_EXTENSION = "urn:charthouse:fhir:mention"
QUANTITY_EXTENSION = "urn:charthouse:fhir:quantity"
CONDITION_LABELS = {"Disease"}
"""Labels whose concepts are conditions; all others are observed."""
_TERMINOLOGY = "http://terminology.hl7.org/CodeSystem"


def common(kind: str, document: ExportDocument, *parts: str) -> Resource:
    """A resource of a document's patient, whose id is made of the document and ``parts``."""
    found: Resource = {
        "resourceType": kind,
        "id": resource_id(kind, document.document_id, *parts),
        "subject": subject(document),
    }
    if document.encounter_id:
        found["encounter"] = reference("Encounter", document.encounter_id, ENCOUNTER_SYSTEM)
    return found


def observed(document: ExportDocument, mentions: Sequence[ExportMention]) -> Resource:
    """Where and when something was observed, and what makes that less than certain.

    What is historical everywhere was not observed on the document's date.
    """
    found: Resource = {"derivedFrom": [to_document(document)]}
    past = bool(mentions) and all(m.historical for m in mentions)
    if document.document_date and not past:
        found["effectiveDateTime"] = document.document_date.isoformat()
    doubted = bool(mentions) and all(m.uncertain for m in mentions)
    notes = ["historical"] * past + ["uncertain"] * doubted
    if notes:
        found["note"] = [{"text": note} for note in notes]
    return found


def provenance(
    document: ExportDocument,
    source: Resource,
    resource: Resource,
    mentions: Sequence[ExportMention],
    quantity: dict[str, Any] | None = None,
) -> Resource:
    """Where a resource is from: document, annotation set, and the places in the text."""
    target = f"{resource['resourceType']}/{resource['id']}"
    recorded = document.annotated_at
    places = [_mention_extension(document, mention) for mention in mentions]
    if quantity is not None:
        places.insert(0, _place(QUANTITY_EXTENSION, quantity["start_char"], quantity["end_char"]))
    return {
        "resourceType": "Provenance",
        "id": resource_id("Provenance", target),
        "extension": places,
        "target": [{"reference": target}],
        "recorded": (
            recorded.isoformat(timespec="seconds") + "Z" if recorded else "1970-01-01T00:00:00Z"
        ),
        "agent": [
            {
                "type": coded("provenance-participant-type", "assembler"),
                "who": {"reference": f"Device/{resource_id('Device', document.annotation_id)}"},
            }
        ],
        "entity": [{"role": "source", "what": {"reference": f"DocumentReference/{source['id']}"}}],
    }


def concept(mention: ExportMention) -> Resource:
    """A mention's concept."""
    found = coding(mention.concept_id or "", mention.concept_name)
    return {"coding": [found], "text": mention.concept_name or found["code"]}


def coded(system: str, code: str) -> Resource:
    """A code of HL7's terminology."""
    return {"coding": [{"system": f"{_TERMINOLOGY}/{system}", "code": code}]}


def subject(document: ExportDocument) -> Resource:
    """The document's patient."""
    return reference("Patient", document.person_id or "", PATIENT_SYSTEM)


def to_document(document: ExportDocument) -> Resource:
    """A reference to the document."""
    found = resource_id("DocumentReference", document.document_id)
    return {"reference": f"DocumentReference/{found}"}


def is_of_patient(mention: ExportMention) -> bool:
    """Whether a mention, denied or not, is about the patient and no condition to come."""
    return not mention.hypothetical and mention.experiencer in (None, "patient")


def _mention_extension(document: ExportDocument, mention: ExportMention) -> Resource:
    """Where a mention is, and what found and judged it; never its words."""
    found = _place(MENTION_EXTENSION, mention.start_char, mention.end_char)
    parts: list[Resource] = found["extension"]
    parts += [
        {"url": "score", "valueDecimal": round(mention.score, 4)},
        {"url": "model", "valueString": mention.model},
    ]
    judged = {
        "negated": mention.negated,
        "uncertain": mention.uncertain,
        "historical": mention.historical,
    }
    parts += [
        {"url": url, "valueBoolean": said} for url, said in judged.items() if said is not None
    ]
    rules = sorted(set(document.cues.get(mention.mention_id, [])))
    parts += [{"url": "rule", "valueString": rule} for rule in rules]
    return found


def _place(url: str, start: int, end: int) -> Resource:
    places = [{"url": "start", "valueInteger": start}, {"url": "end", "valueInteger": end}]
    return {"url": url, "extension": places}
