"""URIs of code systems, and ids and references as FHIR wants them."""

from __future__ import annotations

import hashlib
import re
from typing import Any

LOINC = "http://loinc.org"
_SYSTEMS = {
    **dict.fromkeys(("SNOMED", "SNOMEDCT", "SCT"), "http://snomed.info/sct"),
    **dict.fromkeys(("LOINC", "LNC"), LOINC),
    **dict.fromkeys(("HP", "HPO"), "http://human-phenotype-ontology.org"),
    "UMLS": "http://www.nlm.nih.gov/research/umls",
    "MESH": "https://www.nlm.nih.gov/mesh",
    "RXNORM": "http://www.nlm.nih.gov/research/umls/rxnorm",
    "ICD10CM": "http://hl7.org/fhir/sid/icd-10-cm",
    "ICD9CM": "http://hl7.org/fhir/sid/icd-9-cm",
    "ATC": "http://www.whocc.no/atc",
    "NDC": "http://hl7.org/fhir/sid/ndc",
    "HGNC": "http://www.genenames.org",
    "OMIM": "http://www.omim.org",
    "NCBIGENE": "http://www.ncbi.nlm.nih.gov/gene",
}
"""Prefix of a CURIE, in capitals, to the URI of its code system."""

_PREFIXED = {"HP": "HP", "HPO": "HP", "HGNC": "HGNC"}
"""Code systems whose codes begin with a prefix themselves."""

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
    if prefix.upper() in _PREFIXED:
        code = f"{_PREFIXED[prefix.upper()]}:{code}"
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
