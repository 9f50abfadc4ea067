"""URIs of code systems, and ids and references as FHIR wants them."""

from __future__ import annotations

import hashlib
import re
from typing import Any

_SYSTEMS = {
    **{"UMLS": "http://www.nlm.nih.gov/research/umls", "MESH": "http://id.nlm.nih.gov/mesh"},
    **{"SNOMED": "http://snomed.info/sct", "SNOMEDCT": "http://snomed.info/sct"},
    **{"RXNORM": "http://www.nlm.nih.gov/research/umls/rxnorm", "LOINC": "http://loinc.org"},
    **{"ICD10CM": "http://hl7.org/fhir/sid/icd-10-cm", "OMIM": "http://www.omim.org"},
    **{"HP": "http://human-phenotype-ontology.org", "NCBIGENE": "http://www.ncbi.nlm.nih.gov/gene"},
}
"""Prefix of a CURIE, in capitals, to the URI of its code system."""

UCUM = "http://unitsofmeasure.org"
DOCUMENT_SYSTEM = "urn:charthouse:document"
PATIENT_SYSTEM = "urn:charthouse:person"
ENCOUNTER_SYSTEM = "urn:charthouse:encounter"

_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}")


def coding(concept_id: str, name: str | None) -> dict[str, str]:
    """A CURIE as a coding."""
    prefix, colon, code = concept_id.partition(":")
    if not colon:
        prefix, code = "", concept_id
    system = _SYSTEMS.get(prefix.upper(), f"urn:charthouse:ontology:{prefix.lower() or 'none'}")
    found = {"system": system, "code": code}
    return found | {"display": name} if name else found


def resource_id(*parts: str) -> str:
    """An id that the same parts always have, and no other ones."""
    return hashlib.sha256("\x1f".join(parts).encode("utf-8")).hexdigest()[:32]


def reference(kind: str, identifier: str, system: str) -> dict[str, Any]:
    """A reference to a resource of the hospital's own: by its id, where that is one in FHIR."""
    if _ID.fullmatch(identifier):
        return {"reference": f"{kind}/{identifier}"}
    return {"type": kind, "identifier": {"system": system, "value": identifier}}
