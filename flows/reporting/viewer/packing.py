"""Documents and mentions as numbers and a list of words, so that a thousand of them are small."""

from __future__ import annotations

import json
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from flows.reporting.viewer.sampling import Drawn, mentions_of, sections_of
from flows.showing.colours import colour_of
from flows.showing.document import ShownSection
from flows.showing.pieces import heading_span
from flows.warehouse.connection import Connection

ASSESSED, NEGATED, UNCERTAIN, HISTORICAL, HYPOTHETICAL, FAMILY, OTHER = (1 << n for n in range(7))
"""Bits of a mention's assertion; viewer.js reads the same."""

NONE = -1


class Words:
    """Words by number: each is written once."""

    def __init__(self) -> None:
        """No words yet."""
        self._numbers: dict[Any, int] = {}

    def number(self, word: Any) -> int:
        """The number of a word, a new one where it is new; -1 for None."""
        return NONE if word is None else self._numbers.setdefault(word, len(self._numbers))

    @property
    def all(self) -> list[Any]:
        """Words in the order of their numbers."""
        return list(self._numbers)


def pack(connection: Connection, drawn: Sequence[Drawn], most_bytes: int) -> dict[str, Any]:
    """What viewer.js shows.

    Args:
        connection: the open warehouse.
        drawn: documents, in the order of the draw.
        most_bytes: of the documents as JSON; those that come later are left out.

    Returns:
        ``words``, ``labels`` (name, number of its colour), ``concepts`` (id, name), ``sets``
        (annotation_id, run_id) and ``documents``: id, corpus, kind, type and date as numbers of
        words, number of the set, text, headings (start, end, ...), mentions: eleven numbers each
        (start, length, label, score in hundredths, assertion's bits, name looked up where it is
        not the mention's words, concept, its score in hundredths, method or status, model,
        section). Offsets count UTF-16 units, as JavaScript does. -1 stands for nothing.
    """
    ids = [document.document_id for document in drawn]
    sections: dict[str, list[ShownSection]] = defaultdict(list)
    for document_id, *section in sections_of(connection, ids):
        sections[document_id].append(ShownSection(*section))
    mentions: dict[str, list[tuple[Any, ...]]] = defaultdict(list)
    for document_id, *mention in mentions_of(connection, ids):
        mentions[document_id].append(tuple(mention))
    words, labels, concepts, sets = Words(), Words(), Words(), Words()
    documents: list[list[Any]] = []
    size = 0
    for document in drawn:
        units = Units(document.text)
        row = [
            document.document_id,
            words.number(document.corpus),
            words.number(document.kind),
            words.number(document.document_type),
            words.number(str(document.document_date) if document.document_date else None),
            sets.number((document.annotation_id, document.run_id)),
            document.text,
            [
                units.before(place)
                for section in sections[document.document_id]
                for place in heading_span(section, document.text)
            ],
            [
                number
                for mention in mentions[document.document_id]
                for number in _packed(mention, document.text, units, words, labels, concepts)
            ],
        ]
        size += len(json.dumps(row, ensure_ascii=False, separators=(",", ":")).encode())
        if size > most_bytes and documents:
            break
        documents.append(row)
    documents.sort(key=lambda row: (words.all[row[1]], row[0]))
    return {
        "words": words.all,
        "labels": [[label, colour_of(label)] for label in labels.all],
        "concepts": [list(concept) for concept in concepts.all],
        "sets": [list(one) for one in sets.all],
        "documents": documents,
    }


def _packed(
    mention: tuple[Any, ...],
    text: str,
    units: Units,
    words: Words,
    labels: Words,
    concepts: Words,
) -> list[int]:
    start, end, label, score, model, lookup_text, section = mention[:7]
    concept_id, concept_name, link_score, method = mention[12:]
    first = units.before(start)
    is_same = lookup_text == " ".join(text[start:end].split())
    return [
        first,
        units.before(end) - first,
        labels.number(label),
        _hundredths(score),
        assertion_bits(*mention[7:12]),
        NONE if is_same else words.number(lookup_text),
        concepts.number(None if concept_id is None else (concept_id, concept_name or "")),
        _hundredths(link_score),
        words.number(method),
        words.number(model),
        words.number(section),
    ]


def assertion_bits(
    negated: bool | None,
    uncertain: bool | None,
    historical: bool | None,
    hypothetical: bool | None,
    experiencer: str | None,
) -> int:
    """Assertion as bits; 0 where nothing was assessed."""
    said = (negated, uncertain, historical, hypothetical)
    if experiencer is None and all(flag is None for flag in said):
        return 0
    bits = ASSESSED
    for flag, bit in zip(said, (NEGATED, UNCERTAIN, HISTORICAL, HYPOTHETICAL), strict=True):
        bits |= bit if flag else 0
    if experiencer not in (None, "patient"):
        bits |= FAMILY if experiencer == "family" else OTHER
    return bits


def _hundredths(score: float | None) -> int:
    return NONE if score is None else round(100 * score)


class Units:
    """Places of a text in UTF-16 units: characters beyond the first 65,536 count twice."""

    def __init__(self, text: str) -> None:
        """Find those characters."""
        self._wide = [n for n, letter in enumerate(text) if letter > "\uffff"]

    def before(self, place: int) -> int:
        """Units before a character."""
        return place + bisect_left(self._wide, place)
