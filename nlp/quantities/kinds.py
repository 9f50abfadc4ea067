"""What kind of quantity a number with its unit and name is."""

from __future__ import annotations

import re
from dataclasses import dataclass

from nlp.quantities.names import Named
from nlp.quantities.readings import Reading
from nlp.quantities.vocabulary import Name

_ALWAYS = {
    **dict.fromkeys(("time",), "duration"),
    **dict.fromkeys(("form", "international", "blood", "radiation", "activity"), "dose"),
    **dict.fromkeys(("equivalent", "substance"), "strength"),
}
"""By signature, whatever stands around."""
_SMALL_MASSES = frozenset({"mg", "ug"})
"""Masses that notes tell of drugs only."""
_GIVEN = frozenset({"mass", "volume", "international", "equivalent", "substance", "form"})
_CONCENTRATIONS = frozenset({"mass/volume", "international/volume"})
_LABORATORY = frozenset(
    {
        *("mass/volume", "substance/volume", "equivalent/volume", "enzyme/volume", "count/volume"),
        *("copies/volume", "international/volume", "osmole/mass"),
        "clearance",
    }
)
_SIZE = re.compile(r"\d\d[CF]")
"""Of a breast, unless temperature stands before it: 38C."""
_BEATS = re.compile(r"\s?(?:bpm|beats)", re.IGNORECASE)
_BREATHS = re.compile(r"\s?breaths", re.IGNORECASE)
_ON_AIR = re.compile(
    r"\s{1,2}(?:(?:oxygen\s)?saturation|(?:on|at|in|via)\s(?:room|ra\b|r\.a|oxygen|\d|nasal|bipap|high|o2|a\s)|"
    r"ra\b|room\sair)",
    re.IGNORECASE,
)
_OF_EJECTION = re.compile(
    r"\s(?:left\sventricular\s)?(?:ejection\sfraction|l?v?ef\b)", re.IGNORECASE
)
_NO_VALUE = re.compile(
    # 2nd, 3+, 5/5, 2:30, 120-something, 2. Hypertension; no value of what stands before.
    r"(?![LH]\b)[A-Za-z_]|\+|\s?[/:]\s?\d|-[A-Za-z]|[.)]\s{1,2}[A-Z][a-z]+\s[a-z]+ing\b"
    r"|\s?(?:x|times|o'clock|out of|of \d)\b"
    r"|\s(?:years?|months?|weeks?|days?|hours?|minutes?|times|children|siblings)\b",
)


_FLAG = re.compile(
    # No flag: 2 L of fluid, 1 L bolus, 1 L over 2 hours, 2 L/min, 3 L nasal cannula.
    r"[LH](?!\s?/|\s(?:of|bolus|over|per|iv|ns|lr|d5|saline|fluids?|nasal|nc|o2|oxygen|via|daily|in)\b)",
    re.IGNORECASE,
)
_IN_FLUID = re.compile(r"(?:\bin|\b(?:sodium|potassium|calcium)\schloride)\s$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Decision:
    """A kind, the code of the unit, and the name of what is measured."""

    kind: str
    unit: str | None
    name: str | None = None


def decide(text: str, reading: Reading, named: Named | None, beside_drug: bool) -> Decision | None:
    """The kind of a reading; None for a number that is no quantity.

    Args:
        text: the document's text.
        reading: the number or numbers.
        named: what stands before it.
        beside_drug: whether a drug stands right beside it.
    """
    if reading.unit is None:
        return _without_unit(text, reading, named)
    code, signature = reading.unit.code, reading.unit.signature
    value = reading.parts[0].value
    if named is not None and signature in named.name.signatures:
        name = named.name
        if name.choices and code == "deg":
            if (chosen := _chosen(name, value)) is None:
                return Decision("measure", code)
            code = chosen
        if name.low <= value <= name.high:
            return Decision(name.kind, code, _single(name.name))
    if signature == "temperature":
        likely = 90 <= value <= 112 if code == "[degF]" else 30 <= value <= 45
        written = text[reading.parts[-1].start : reading.end]
        if likely and not _SIZE.fullmatch(written):
            return Decision("vital_sign", code, "temperature")
        return None if written[-1] in "CF" else Decision("measure", code)  # two C sections
    if signature == "rate":
        at = reading.parts[-1]
        written = text[at.start : at.end]
        if _BEATS.search(written):
            return Decision("vital_sign", code, "heart_rate")
        if _BREATHS.search(written):
            return Decision("vital_sign", code, "respiratory_rate")
        return Decision("measure", code)
    if signature == "percent" and 50 <= value <= 100 and _ON_AIR.match(text, reading.end):
        return Decision("vital_sign", code, "oxygen_saturation")
    if signature == "percent" and _OF_EJECTION.match(text, reading.end):
        return Decision("measure", code, "ejection_fraction")
    return Decision(_by_unit(code, signature, named, beside_drug), code)


def is_flagged(text: str, reading: Reading, named: Named) -> bool:
    """Whether the unit is a laboratory's sign for low or high instead: Na 128 L, K 6.1 H."""
    unit, last = reading.unit, reading.parts[-1]
    if unit is None or text[last.end - 1] not in "LH" or unit.code not in ("L", "h"):
        return False
    name = named.name
    return (
        name.bare
        and unit.signature not in name.signatures
        and name.low <= reading.parts[0].value <= name.high
        and _FLAG.match(text, last.end - 1) is not None
        and _IN_FLUID.search(text, max(0, last.start - 24), last.start) is None
    )


def _by_unit(code: str, signature: str, named: Named | None, beside_drug: bool) -> str:
    if code == "ms":  # of an electrocardiogram
        return "measure"
    if kind := _ALWAYS.get(signature):
        return kind
    if code in _SMALL_MASSES:
        return "strength"
    if signature in _CONCENTRATIONS and named is None and (beside_drug or code == "mg/mL"):
        return "strength"
    if signature in _LABORATORY or code.endswith("/g"):
        return "lab_value"
    first, _, below = signature.partition("/")
    if below and first in _GIVEN and (signature != "volume/time" or beside_drug):
        return "dose"
    if beside_drug and signature in ("mass", "percent"):
        return "strength"
    return "dose" if beside_drug and signature == "volume" else "measure"


def _without_unit(text: str, reading: Reading, named: Named | None) -> Decision | None:
    """A number alone is a value of the name before it."""
    if named is None or not named.name.bare:
        return None
    is_first = named.second is not None and text.startswith("/", reading.end)
    if not is_first and _NO_VALUE.match(text, reading.end):
        return None
    name, value = named.name, reading.parts[0].value
    if not name.low <= value <= name.high:
        return None
    if name.choices:
        chosen = _chosen(name, value)
        return Decision(name.kind, chosen, name.name) if chosen else None
    return Decision(name.kind, name.unit, _single(name.name))


def _single(name: str) -> str:
    """A blood pressure of one number is the systolic one."""
    return "systolic_blood_pressure" if name == "blood_pressure" else name


def _chosen(name: Name, value: float) -> str | None:
    """The unit in which the value is a likely one."""
    return next((code for code, low, high in name.choices if low <= value <= high), None)
