"""Cut a long text into chunks that fit a token budget, where its sections and sentences end.

Chunks follow each other without gap or overlap: joined, they are the text. A chunk that is at least
half full ends before a section that does not fit into the rest of it; otherwise it is filled with
the next sentences. A sentence longer than the budget is cut at white space, and what has none
anywhere.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from nlp.generation.errors import GenerationError

Span = tuple[int, int]
"""First character, and one past the last."""

Counter = Callable[[Sequence[str]], list[int]]
"""Tokens of each text, as :meth:`TextModel.count_tokens`."""

_WORD = re.compile(r"\S+")


@dataclass(frozen=True)
class _Unit:
    """A span that is not cut if that can be avoided; ``tokens`` is an estimate, for packing."""

    start: int
    end: int
    tokens: int
    begins_section: bool


def cut_chunks(
    text: str,
    budget: int,
    count_tokens: Counter,
    *,
    sections: Iterable[Span] = (),
    sentences: Iterable[Span] = (),
) -> list[Span]:
    """Spans of the chunks, in text order; none of an empty text.

    Args:
        text: the text.
        budget: tokens that no chunk exceeds, counted over the chunk as it stands in the text.
        count_tokens: counts tokens of many texts at once.
        sections: their spans; in any order, and they may hold each other.
        sentences: their spans.

    Raises:
        GenerationError: a single character has more tokens than the budget.
    """
    if not text:
        return []
    if budget < 1:
        raise GenerationError(f"a budget of {budget} tokens has no room for text")
    if count_tokens([text])[0] <= budget:
        return [(0, len(text))]
    at_sections = _starts(text, (place for span in sections for place in span))
    at_sentences = _starts(text, (start for start, _ in sentences))
    units = _units(text, at_sections | at_sentences, at_sections, count_tokens)
    return _fitting(text, _pack(units, budget), budget, count_tokens)


def _starts(text: str, places: Iterable[int]) -> set[int]:
    """Places, each moved to the next character that is no white space; those at the ends left out.

    So white space belongs to what stands before it.
    """
    found = set()
    for place in places:
        if 0 < place < len(text):
            match = _WORD.search(text, place)
            if match and match.start() > 0:
                found.add(match.start())
    return found


def _units(
    text: str, starts: set[int], at_sections: set[int], count_tokens: Counter, within: Span = (0, 0)
) -> list[_Unit]:
    """Units between the starts. A unit is counted with the white space before it, not after it.

    Byte-level vocabularies have a word and the space before it as one token, so the sum over units
    is nearly the count of the whole.
    """
    first, last = within if within[1] else (0, len(text))
    places = [first, *sorted(place for place in starts if first < place < last), last]
    counted = [first, *(first + len(text[first:place].rstrip()) for place in places[1:-1]), last]
    tokens = count_tokens([text[a:b] for a, b in itertools.pairwise(counted)])
    return [
        _Unit(start, end, size, start in at_sections)
        for (start, end), size in zip(itertools.pairwise(places), tokens, strict=True)
    ]


def _pack(units: Sequence[_Unit], budget: int) -> list[list[_Unit]]:
    """Put units into chunks by their estimated tokens, in order."""
    chunks: list[list[_Unit]] = []
    current: list[_Unit] = []
    used = 0
    section = _section_tokens(units)
    for unit, whole in zip(units, section, strict=True):
        closes = unit.begins_section and 2 * used >= budget and used + whole > budget
        if current and (used + unit.tokens > budget or closes):
            chunks.append(current)
            current, used = [], 0
        current.append(unit)
        used += unit.tokens
    chunks.append(current)
    return chunks


def _section_tokens(units: Sequence[_Unit]) -> list[int]:
    """Of each unit, the tokens from it to the end of its section."""
    sizes: list[int] = []
    following = 0
    for unit in reversed(units):
        following += unit.tokens
        sizes.append(following)
        if unit.begins_section:
            following = 0
    return sizes[::-1]


def _fitting(
    text: str, chunks: Sequence[Sequence[_Unit]], budget: int, count_tokens: Counter
) -> list[Span]:
    """Spans of chunks; those that exceed the budget after all are cut further."""
    spans = [(chunk[0].start, chunk[-1].end) for chunk in chunks]
    counts = count_tokens([text[start:end] for start, end in spans])
    found: list[Span] = []
    for chunk, span, tokens in zip(chunks, spans, counts, strict=True):
        if tokens <= budget:
            found.append(span)
        elif len(chunk) > 1:
            half = len(chunk) // 2
            found += _fitting(text, [chunk[:half], chunk[half:]], budget, count_tokens)
        else:
            found += _cut(text, span, budget, count_tokens)
    return found


def _cut(text: str, span: Span, budget: int, count_tokens: Counter) -> list[Span]:
    """Cut what is no longer divided by sentences: at white space, or else in the middle."""
    words = {match.start() for match in _WORD.finditer(text, *span)} - {span[0]}
    if words:
        units = _units(text, words, set(), count_tokens, span)
        return _fitting(text, _pack(units, budget), budget, count_tokens)
    start, end = span
    if end - start == 1:
        raise GenerationError(
            f"a budget of {budget} tokens has no room for a single character; the model's context "
            "is too small for this prompt"
        )
    middle = (start + end) // 2
    halves = [[_Unit(start, middle, 0, False)], [_Unit(middle, end, 0, False)]]
    return _fitting(text, halves, budget, count_tokens)
