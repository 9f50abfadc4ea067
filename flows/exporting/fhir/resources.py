"""One document as FHIR R4 resources: the document, what it says of the patient, and where.

A mention counts where it is of the patient, not denied, and no condition to come: other ones are
told of only on demand (denied ones) or not at all (relatives', hypothetical ones). Nothing is ever
``confirmed``: it was read by a machine.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from flows.exporting.documents import ExportDocument, ExportMention
from flows.exporting.fhir.systems import (
    DOCUMENT_SYSTEM,
    ENCOUNTER_SYSTEM,
    PATIENT_SYSTEM,
    UCUM,
    coding,
    reference,
    resource_id,
)

Resource = dict[str, Any]

MENTION_EXTENSION = "urn:charthouse:fhir:mention"
CONDITION_LABELS = {"Disease"}
"""Labels whose concepts are conditions; all others are observed."""

_VALUES = {"lab_value", "vital_sign", "measure"}
_TERMINOLOGY = "http://terminology.hl7.org/CodeSystem"
_COMPARATORS = {"<", "<=", ">", ">="}


@dataclass(frozen=True)
class Wishes:
    """What the user wants to have told."""

    with_text: bool = False
    include_negated: bool = False


def is_affirmed(mention: ExportMention) -> bool:
    """Whether a mention says something of the patient; what was not assessed does."""
    return not mention.negated and _is_of_patient(mention)


def _is_of_patient(mention: ExportMention) -> bool:
    return not mention.hypothetical and mention.experiencer in (None, "patient")


def resources_of(document: ExportDocument, wishes: Wishes) -> Iterator[Resource]:
    """The resources of a document that has a person; each has its own provenance behind it."""
    source = _document_reference(document, wishes)
    yield source
    told = [m for m in document.mentions if m.concept_id is not None and _is_of_patient(m)]
    groups: dict[tuple[str, str], list[ExportMention]] = {}
    for mention in told:
        groups.setdefault((mention.concept_id or "", mention.label), []).append(mention)
    for (concept_id, label), mentions in groups.items():
        affirmed = [m for m in mentions if not m.negated]
        if not affirmed and not wishes.include_negated:
            continue
        is_condition = label in CONDITION_LABELS
        make = _condition if is_condition else _observation
        resource = make(document, concept_id, label, affirmed or mentions)
        yield resource
        yield _provenance(document, source, resource, affirmed or mentions)
    by_id = {m.mention_id: m for m in told if not m.negated}
    for quantity in document.quantities:
        about = by_id.get(quantity["mention_id"])
        if about is None or quantity["kind"] not in _VALUES or quantity["value"] is None:
            continue
        resource = _measured(document, about, quantity)
        yield resource
        yield _provenance(document, source, resource, [about])


def device(annotation_id: str, models: Sequence[str], version: str) -> Resource:
    """The device that read documents: an annotation set."""
    return {
        "resourceType": "Device",
        "id": resource_id("Device", annotation_id),
        "identifier": [{"system": "urn:charthouse:annotation-set", "value": annotation_id}],
        "status": "active",
        "deviceName": [{"name": f"charthouse ({', '.join(models)})", "type": "model-name"}],
        "version": [{"value": version}],
    }


def _document_reference(document: ExportDocument, wishes: Wishes) -> Resource:
    attachment: dict[str, Any] = {"contentType": "text/plain; charset=utf-8"}
    if document.text is not None and wishes.with_text:
        raw = document.text.encode("utf-8")
        attachment |= {"data": base64.b64encode(raw).decode("ascii"), "size": len(raw)}
        if document.title:
            attachment["title"] = document.title
    context: dict[str, Any] = {}
    if document.encounter_id:
        context["encounter"] = [reference("Encounter", document.encounter_id, ENCOUNTER_SYSTEM)]
    if document.document_date:
        context["period"] = {"start": document.document_date.isoformat()}
    return {
        "resourceType": "DocumentReference",
        "id": resource_id("DocumentReference", document.document_id),
        "identifier": [{"system": DOCUMENT_SYSTEM, "value": document.document_id}],
        "status": "current",
        **({"type": {"text": document.document_type}} if document.document_type else {}),
        "subject": _subject(document),
        "content": [{"attachment": attachment}],
        **({"context": context} if context else {}),
    }


def _condition(
    document: ExportDocument, concept_id: str, label: str, mentions: Sequence[ExportMention]
) -> Resource:
    found = _common("Condition", document, concept_id, label)
    negated = all(m.negated for m in mentions)
    if not negated and any(m.historical is not None for m in mentions):
        past = all(m.historical for m in mentions)
        found["clinicalStatus"] = _coded("condition-clinical", "inactive" if past else "active")
    doubted = all(m.uncertain for m in mentions)
    status = "refuted" if negated else "provisional" if doubted else "unconfirmed"
    found["verificationStatus"] = _coded("condition-ver-status", status)
    found["code"] = _concept(mentions[0])
    if document.document_date:
        found["recordedDate"] = document.document_date.isoformat()
    found["evidence"] = [{"detail": [_to_document(document)]}]
    return found


def _observation(
    document: ExportDocument, concept_id: str, label: str, mentions: Sequence[ExportMention]
) -> Resource:
    found = _common("Observation", document, concept_id, label)
    found["status"] = "preliminary"
    found["code"] = {"text": label}
    found["valueCodeableConcept"] = _concept(mentions[0])
    if all(m.negated for m in mentions):
        found["interpretation"] = [_coded("v3-ObservationInterpretation", "NEG")]
    return found | _observed(document)


def _measured(document: ExportDocument, about: ExportMention, quantity: dict[str, Any]) -> Resource:
    concept_id = about.concept_id or ""
    found = _common("Observation", document, concept_id, f"quantity {quantity['quantity_id']}")
    found["status"] = "preliminary"
    found["code"] = _concept(about)
    unit = quantity["unit"]
    measured = {"unit": unit, "system": UCUM, "code": unit} if unit else {}
    if quantity["high"] is not None:
        found["valueRange"] = {
            "low": {"value": quantity["value"], **measured},
            "high": {"value": quantity["high"], **measured},
        }
    else:
        given = quantity["comparator"]
        comparator = {"comparator": given} if given in _COMPARATORS else {}
        found["valueQuantity"] = {"value": quantity["value"], **comparator, **measured}
    return found | _observed(document)


def _observed(document: ExportDocument) -> Resource:
    found: Resource = {"derivedFrom": [_to_document(document)]}
    if document.document_date:
        found["effectiveDateTime"] = document.document_date.isoformat()
    return found


def _common(kind: str, document: ExportDocument, concept_id: str, part: str) -> Resource:
    found: Resource = {
        "resourceType": kind,
        "id": resource_id(kind, document.document_id, concept_id, part),
        "subject": _subject(document),
    }
    if document.encounter_id:
        found["encounter"] = reference("Encounter", document.encounter_id, ENCOUNTER_SYSTEM)
    return found


def _provenance(
    document: ExportDocument,
    source: Resource,
    resource: Resource,
    mentions: Sequence[ExportMention],
) -> Resource:
    target = f"{resource['resourceType']}/{resource['id']}"
    recorded = document.annotated_at
    return {
        "resourceType": "Provenance",
        "id": resource_id("Provenance", target),
        "extension": [_mention_extension(document, mention) for mention in mentions],
        "target": [{"reference": target}],
        "recorded": (
            recorded.isoformat(timespec="seconds") + "Z" if recorded else "1970-01-01T00:00:00Z"
        ),
        "agent": [
            {
                "type": _coded("provenance-participant-type", "assembler"),
                "who": {"reference": f"Device/{resource_id('Device', document.annotation_id)}"},
            }
        ],
        "entity": [{"role": "source", "what": {"reference": f"DocumentReference/{source['id']}"}}],
    }


def _mention_extension(document: ExportDocument, mention: ExportMention) -> Resource:
    """Where a mention is, and what found and judged it; never its words."""
    parts: list[Resource] = [
        {"url": "start", "valueInteger": mention.start_char},
        {"url": "end", "valueInteger": mention.end_char},
        {"url": "score", "valueDecimal": round(mention.score, 4)},
        {"url": "model", "valueString": mention.model},
    ]
    rules = sorted(set(document.cues.get(mention.mention_id, [])))
    parts += [{"url": "rule", "valueString": rule} for rule in rules]
    return {"url": MENTION_EXTENSION, "extension": parts}


def _concept(mention: ExportMention) -> Resource:
    concept = coding(mention.concept_id or "", mention.concept_name)
    return {"coding": [concept], "text": mention.concept_name or concept["code"]}


def _coded(system: str, code: str) -> Resource:
    return {"coding": [{"system": f"{_TERMINOLOGY}/{system}", "code": code}]}


def _subject(document: ExportDocument) -> Resource:
    return reference("Patient", document.person_id or "", PATIENT_SYSTEM)


def _to_document(document: ExportDocument) -> Resource:
    found = resource_id("DocumentReference", document.document_id)
    return {"reference": f"DocumentReference/{found}"}
