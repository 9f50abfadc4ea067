"""Lab values, vital signs and named measures as observations.

What was measured is the quantity's name. The mention beside it is that name only for a lab value;
a measure's mention is the finding it goes with: 35 % is the ejection fraction, not heart failure.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flows.exporting.documents import ExportDocument, ExportMention
from flows.exporting.fhir.parts import (
    CONDITION_LABELS,
    Resource,
    coded,
    common,
    concept,
    is_of_patient,
    observed,
)
from flows.exporting.fhir.systems import LOINC, UCUM

UNNAMED = "measures without a name"
OF_OTHERS = "measures denied, hypothetical or of others"
LIMITS = "vital signs that are limits"

_VALUES = {"lab_value": "laboratory", "vital_sign": "vital-signs", "measure": None}
"""Kinds of quantities that are observations, and their category."""

_LOINC = {
    "heart_rate": ("8867-4", "Heart rate"),
    "respiratory_rate": ("9279-1", "Respiratory rate"),
    "temperature": ("8310-5", "Body temperature"),
    "oxygen_saturation": ("2708-6", "Oxygen saturation in Arterial blood"),
    "weight": ("29463-7", "Body weight"),
    "height": ("8302-2", "Body height"),
    "body_mass_index": ("39156-5", "Body mass index (BMI) [Ratio]"),
    "blood_pressure": ("85354-9", "Blood pressure panel with all children optional"),
    "systolic_blood_pressure": ("8480-6", "Systolic blood pressure"),
    "diastolic_blood_pressure": ("8462-4", "Diastolic blood pressure"),
}
"""Codes of the vital signs that HL7 lists in R4: of a lab value specimen and method are unknown."""

_COMPARATORS = {"<", "<=", ">", ">="}
"""Those that FHIR R4 has."""


def is_measured(quantity: Mapping[str, Any]) -> bool:
    """Whether a quantity is a value that was observed, and no dose, date or age."""
    return quantity["kind"] in _VALUES and quantity["value"] is not None


def why_left_out(quantity: Mapping[str, Any], about: ExportMention | None) -> str | None:
    """Words for the summary where a measured quantity is no statement on the patient, else None.

    Args:
        quantity: one that :func:`is_measured`.
        about: the mention it belongs to, if any.
    """
    analyte = _analyte(quantity, about)
    if (about is not None and not is_of_patient(about)) or (analyte and analyte.negated):
        # A finding that is denied does not deny the measure beside it.
        return OF_OTHERS
    if not quantity["name"] and not (analyte and analyte.concept_id):
        return UNNAMED
    if quantity["kind"] == "vital_sign" and quantity["comparator"] in _COMPARATORS:
        # Call if temperature > 38; keep saturation above 92 %.
        return LIMITS
    return None


def measured(
    document: ExportDocument, quantity: Mapping[str, Any], about: ExportMention | None
) -> Resource:
    """The observation of a quantity that is not :func:`why_left_out`."""
    name, kind = quantity["name"], quantity["kind"]
    found = common("Observation", document, f"quantity {quantity['start_char']}", name or kind)
    found["status"] = "preliminary"
    if _VALUES[kind]:
        found["category"] = [coded("observation-category", _VALUES[kind] or "")]
    found["code"] = _code(quantity, about)
    low, high = quantity["value"], quantity["high"]
    comparator, unit = quantity["comparator"], quantity["unit"]
    if name == "blood_pressure" and high is not None:
        found["component"] = [
            {"code": _named("systolic_blood_pressure"), "valueQuantity": _value(low, unit)},
            {"code": _named("diastolic_blood_pressure"), "valueQuantity": _value(high, unit)},
        ]
    elif high is not None:
        found["valueRange"] = {"low": _value(low, unit), "high": _value(high, unit)}
    else:
        value = _value(low, unit)
        if comparator in _COMPARATORS:
            value["comparator"], comparator = comparator, None
        found["valueQuantity"] = value
    found |= observed(document, [about] if about else [])
    if comparator:
        # FHIR has no place for it in a range, nor any for `about`.
        found.setdefault("note", []).append({"text": f"comparator as written: {comparator}"})
    return found


def _analyte(quantity: Mapping[str, Any], about: ExportMention | None) -> ExportMention | None:
    """The mention where it is what was measured: of a lab value, and no finding."""
    if about is None or quantity["kind"] != "lab_value" or about.label in CONDITION_LABELS:
        return None
    return about


def _code(quantity: Mapping[str, Any], about: ExportMention | None) -> Resource:
    analyte = _analyte(quantity, about)
    if analyte is not None and analyte.concept_id:
        return concept(analyte)
    return _named(quantity["name"])


def _named(name: str) -> Resource:
    words = name.replace("_", " ")
    if name not in _LOINC:
        return {"text": words}
    code, display = _LOINC[name]
    return {"coding": [{"system": LOINC, "code": code, "display": display}], "text": words}


def _value(value: float, unit: str | None) -> Resource:
    return {"value": value, **({"unit": unit, "system": UCUM, "code": unit} if unit else {})}
