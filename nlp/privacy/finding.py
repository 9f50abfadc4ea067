"""What the finders of identifiers say."""

from __future__ import annotations

from dataclasses import dataclass

KINDS = (
    "name",
    "location",
    "date",
    "age",
    "phone",
    "fax",
    "email",
    "ssn",
    "mrn",
    "health_plan",
    "account",
    "license",
    "vehicle",
    "device",
    "url",
    "ip",
    "biometric",
    "photo",
    "other",
)
"""The identifiers of 45 CFR 164.514(b)(2)(i)(A) to (R); ages over 89 stand apart from dates."""


@dataclass(frozen=True, slots=True)
class Finding:
    """An identifier: ``text[start:end]``, its kind, the rule that found it, and its strength.

    ``score`` in 0 to 1 ranks findings that overlap; it is no probability.
    """

    start: int
    end: int
    kind: str
    rule_id: str
    score: float
