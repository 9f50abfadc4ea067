"""A mention marked within its sentence, as the tokens that a classifier is given."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from nlp.assertion.result import Assessed, Range
from nlp.ner.encoding import Encoder

MOST_CONTEXT = 2500
"""Characters of a sentence on either side of the mention: more tokens than a model takes."""

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Marked:
    """A text with a mention in it, marks included: ``text[start:end]`` in characters."""

    text: str
    start: int
    end: int


def mark(document: Assessed, marker: tuple[str, str]) -> list[Marked]:
    """Each mention between the marks in its sentence.

    A mention that reaches over sentences takes all of them; one outside of any stands alone.
    """
    starts = [start for start, _ in document.sentences]
    return [_mark(document, mention, starts, marker) for mention in document.mentions]


def _mark(
    document: Assessed, mention: Range, starts: Sequence[int], marker: tuple[str, str]
) -> Marked:
    start, end = mention
    first = bisect_right(starts, start) - 1
    last = bisect_right(starts, end - 1) - 1
    low = document.sentences[first][0] if first >= 0 else start
    if first >= 0 and document.sentences[first][1] <= start:
        low = start
    high = max(end, document.sentences[last][1]) if last >= 0 else end
    left = _tail(document.text[low:start])
    right = _head(document.text[end:high])
    opening = f"{left}{' ' if left and not left[-1].isspace() else ''}"
    closing = f"{' ' if right and right[0].isalnum() else ''}{right}"
    marked = f"{marker[0]} {document.text[start:end]} {marker[1]}"
    return Marked(f"{opening}{marked}{closing}", len(opening), len(opening) + len(marked))


def _tail(text: str) -> str:
    """The end of a long text, from the beginning of a word where there is one."""
    if len(text) <= MOST_CONTEXT:
        return text
    text = text[-MOST_CONTEXT:]
    return text.partition(" ")[2] or text


def _head(text: str) -> str:
    if len(text) <= MOST_CONTEXT:
        return text
    text = text[:MOST_CONTEXT]
    return text.rpartition(" ")[0] or text


def encode(marked: Sequence[Marked], encoder: Encoder) -> list[Ints]:
    """Token ids of each text, special tokens included, cut around the mention to the context."""
    encodings = encoder.tokenizer.encode_batch([m.text for m in marked], add_special_tokens=False)
    return [
        encoder.with_specials(_around(np.array(e.ids, dtype=np.int64), e.offsets, m, encoder.size))
        for m, e in zip(marked, encodings, strict=True)
    ]


def _around(ids: Ints, offsets: Sequence[Range], marked: Marked, size: int) -> Ints:
    """At most ``size`` tokens: the marked mention, then as much on both sides as there is."""
    if len(ids) <= size:
        return ids
    first = next(i for i, (_, end) in enumerate(offsets) if end > marked.start)
    last = next((i for i, (start, _) in enumerate(offsets) if start >= marked.end), len(ids))
    spare = size - (last - first)
    if spare <= 0:
        return ids[first : first + size]
    start = max(0, min(first - spare // 2, len(ids) - size))
    return ids[start : start + size]


def allow_markers(tokenizer: Tokenizer, marker: tuple[str, str]) -> None:
    """Let marks that are special tokens be read as such; else no word of a text is one."""
    tokenizer.encode_special_tokens = True
    as_words = [tokenizer.encode(mark, add_special_tokens=False).ids for mark in marker]
    tokenizer.encode_special_tokens = False
    as_special = [tokenizer.encode(mark, add_special_tokens=False).ids for mark in marker]
    tokenizer.encode_special_tokens = as_words == as_special
