from __future__ import annotations

from ontologies.labels import LABEL_TYPES, allowed_types


def test_labels_are_compared_without_case() -> None:
    assert allowed_types("CHEMICAL", LABEL_TYPES) == allowed_types("Chemical", LABEL_TYPES) != ()


def test_unknown_labels_restrict_nothing() -> None:
    assert allowed_types("Device", LABEL_TYPES) == ()


def test_the_table_can_be_replaced() -> None:
    assert allowed_types("problem", {"Problem": ("F03", "C", "C")}) == ("C", "F03")
    assert allowed_types("Disease", {"Problem": ("C",)}) == ()
