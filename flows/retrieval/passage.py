"""A text cut into passages: whole sentences of one section, up to a number of characters."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence

Span = tuple[int, int]
"""First character and one past the last."""


def cut_passages(
    text: str, sentences: Sequence[Span], sections: Sequence[Span], limit: int
) -> list[Span]:
    """Cut a text into passages that hold all of it but white space, each character once.

    A passage is as many sentences one after the other as fit into ``limit`` characters; where a
    section begins or ends, a new one begins. A sentence that alone is longer is cut at white space,
    and where it has none at the limit. Words outside of all sentences count as a sentence; a text
    without sentences, such as a document that was never annotated, is one long sentence.

    Args:
        text: as stored.
        sentences: in text order, without overlap.
        sections: in any order; they may lie in each other.
        limit: characters of a passage at most.

    Returns:
        Passages in text order, none overlapping another; none begins or ends with white space.
    """
    bounds = sorted({bound for section in sections for bound in section})
    passages: list[Span] = []
    place = -1
    for start, end in _pieces(text, sentences, limit):
        here = bisect_right(bounds, start)
        if passages and here == place and end - passages[-1][0] <= limit:
            passages[-1] = (passages[-1][0], end)
        else:
            passages.append((start, end))
        place = here
    return passages


def _pieces(text: str, sentences: Sequence[Span], limit: int) -> Iterator[Span]:
    """Sentences, what lies between them, and parts of those that are too long."""
    reached = 0
    for start, end in sentences:
        yield from _parts(text, reached, start, limit)
        yield from _parts(text, max(start, reached), end, limit)
        reached = max(reached, end)
    yield from _parts(text, reached, len(text), limit)


def _parts(text: str, start: int, end: int, limit: int) -> Iterator[Span]:
    """Parts of ``text[start:end]`` of at most ``limit`` characters, without the blanks around."""
    while start < end:
        piece = text[start:end]
        start += len(piece) - len(piece.lstrip())
        end -= len(piece) - len(piece.rstrip())
        if start >= end:
            return
        if end - start <= limit:
            yield start, end
            return
        cut = _last_blank(text, start, start + limit)
        yield start, start + len(text[start:cut].rstrip())
        start = cut


def _last_blank(text: str, start: int, end: int) -> int:
    """The last blank in ``text[start + 1:end + 1]``; ``end`` where there is none."""
    for place in range(end, start, -1):
        if text[place].isspace():
            return place
    return end
