"""Rows of the annotation tables, made of what preprocessing, assertion and quantities found."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

from nlp.assertion.result import Assertion
from nlp.preprocess.abbreviations import Abbreviation
from nlp.preprocess.sections import Section
from nlp.quantities.find import Quantity

Row = dict[str, Any]


def section_rows(document_id: str, sections: Sequence[Section]) -> Iterator[Row]:
    """Rows of ``sections``, without annotation_id as all of these."""
    for section_id, section in enumerate(sections):
        yield {
            "document_id": document_id,
            "section_id": section_id,
            "name": section.name,
            "start_char": section.start_char,
            "end_char": section.end_char,
            "heading_end_char": section.heading_end_char,
            "loinc_code": section.loinc_code,
        }


def sentence_rows(document_id: str, sentences: Sequence[tuple[int, int]]) -> Iterator[Row]:
    """Rows of ``sentences``."""
    for sentence_id, (start, end) in enumerate(sentences):
        yield {
            "document_id": document_id,
            "sentence_id": sentence_id,
            "start_char": start,
            "end_char": end,
        }


def abbreviation_rows(document_id: str, found: Sequence[Abbreviation]) -> Iterator[Row]:
    """Rows of ``abbreviations``."""
    for abbreviation in found:
        yield {
            "document_id": document_id,
            "short_form": abbreviation.short_form,
            "long_form": abbreviation.long_form,
            "short_start_char": abbreviation.short_start_char,
            "short_end_char": abbreviation.short_end_char,
            "long_start_char": abbreviation.long_start_char,
            "long_end_char": abbreviation.long_end_char,
        }


def assertion_columns(assertion: Assertion) -> Row:
    """What an assertion says, as columns of ``mentions``."""
    return {
        "negated": assertion.negated,
        "uncertain": assertion.uncertain,
        "historical": assertion.historical,
        "hypothetical": assertion.hypothetical,
        "experiencer": assertion.experiencer,
    }


def cue_rows(mention: Row, assertion: Assertion) -> Iterator[Row]:
    """Rows of ``assertion_cues``; ``mention`` is the row of the mention."""
    for cue in assertion.cues:
        yield {
            "document_id": mention["document_id"],
            "mention_id": mention["mention_id"],
            "attribute": cue.attribute,
            "rule_id": cue.rule_id,
            "start_char": cue.start_char,
            "end_char": cue.end_char,
        }


def quantity_rows(document_id: str, found: Sequence[Quantity]) -> Iterator[Row]:
    """Rows of ``quantities``."""
    for quantity_id, quantity in enumerate(found):
        yield {"document_id": document_id, "quantity_id": quantity_id, **asdict(quantity)}
