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

from flows.exporting.documents import RULED_OUT, ExportDocument, ExportMention
from flows.exporting.fhir.measured import is_measured, measured, why_left_out
from flows.exporting.fhir.parts import (
    CONDITION_LABELS,
    Resource,
    coded,
    common,
    concept,
    is_of_patient,
    observed,
    provenance,
    subject,
    to_document,
)
from flows.exporting.fhir.systems import (
    DOCUMENT_SYSTEM,
    ENCOUNTER_SYSTEM,
    reference,
    resource_id,
)


@dataclass(frozen=True)
class Wishes:
    """What the user wants to have told."""

    with_text: bool = False
    include_negated: bool = False


def is_affirmed(mention: ExportMention) -> bool:
    """Whether a mention says something of the patient; what was not assessed does."""
    return not mention.negated and is_of_patient(mention)


def resources_of(document: ExportDocument, wishes: Wishes) -> Iterator[Resource]:
    """The resources of a document that has a person; each has its own provenance behind it."""
    source = _document_reference(document, wishes)
    yield source
    told = [m for m in document.mentions if m.concept_id is not None and is_of_patient(m)]
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
        yield provenance(document, source, resource, affirmed or mentions)
    by_id = {m.mention_id: m for m in document.mentions}
    for quantity in document.quantities:
        about = by_id.get(quantity["mention_id"])
        if not is_measured(quantity) or why_left_out(quantity, about):
            continue
        resource = measured(document, quantity, about)
        yield resource
        yield provenance(document, source, resource, [about] if about else [], quantity)


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
        "subject": subject(document),
        "content": [{"attachment": attachment}],
        **({"context": context} if context else {}),
    }


def _condition(
    document: ExportDocument, concept_id: str, label: str, mentions: Sequence[ExportMention]
) -> Resource:
    found = common("Condition", document, concept_id, label)
    negated = all(m.negated for m in mentions)
    standing = [m for m in mentions if not _is_to_be_ruled_out(document, m)]
    # HL7's con-3 and con-5 ask for no clinicalStatus: it is no item of a problem list.
    if not negated and any(m.historical is not None for m in standing):
        past = all(m.historical for m in standing)
        found["clinicalStatus"] = coded("condition-clinical", "inactive" if past else "active")
    if negated:
        status = "refuted"
    elif not standing:
        status = "differential"
    else:
        status = "provisional" if all(m.uncertain for m in standing) else "unconfirmed"
    found["verificationStatus"] = coded("condition-ver-status", status)
    found["code"] = concept(mentions[0])
    if document.document_date:
        found["recordedDate"] = document.document_date.isoformat()
    found["evidence"] = [{"detail": [to_document(document)]}]
    return found


def _is_to_be_ruled_out(document: ExportDocument, mention: ExportMention) -> bool:
    """As OMOP's ``term_exists`` has it: a doubt that asks for a look is less than a diagnosis."""
    rules = document.cues.get(mention.mention_id, [])
    return bool(mention.uncertain) and any(RULED_OUT in rule for rule in rules)


def _observation(
    document: ExportDocument, concept_id: str, label: str, mentions: Sequence[ExportMention]
) -> Resource:
    found = common("Observation", document, concept_id, label)
    found["status"] = "preliminary"
    found["code"] = {"text": label}
    found["valueCodeableConcept"] = concept(mentions[0])
    if all(m.negated for m in mentions):
        found["interpretation"] = [coded("v3-ObservationInterpretation", "NEG")]
    return found | observed(document, mentions)
