"""The assessor that the settings ask for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nlp.assertion import OFF, RULES
from nlp.assertion.result import Assessor
from nlp.assertion.rule_file import load_rules, rules_fingerprint
from nlp.assertion.rules import RuleAssessor
from nlp.settings import AssertionSettings

if TYPE_CHECKING:
    from nlp.ner.device import Device


def load_assessor(settings: AssertionSettings, device: Device) -> Assessor | None:
    """Load rules or a classifier; None where nothing is to be assessed.

    Raises:
        AssessorError: the rules or the model cannot be used.
    """
    if settings.method == OFF or not settings.kinds:
        return None
    if settings.method == RULES:
        return RuleAssessor(load_rules(settings.rules))
    from nlp.assertion.classifier import load_classifier  # takes seconds: torch

    return load_classifier(settings, device)


def assessor_fingerprint(settings: AssertionSettings) -> str:
    """What identifies an assessor's output: versions, and the hash of rules or model.

    Raises:
        AssessorError: the rules or the model cannot be used.
    """
    if settings.method == OFF or not settings.kinds:
        return OFF
    if settings.method == RULES:
        return f"{RULES}:{rules_fingerprint(settings.rules)}"
    from nlp.assertion.classifier import classifier_fingerprint

    return classifier_fingerprint(settings)
