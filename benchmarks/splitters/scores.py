"""How well splitters cut: ends of sentences found, and mentions cut in two."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence

from nlp.ner.score import SpanScore
from splitters.gold import Gold

Split = Callable[[str], Sequence[tuple[int, int]]]


def score(golds: Iterable[Gold], split: Split) -> SpanScore:
    """Compare the ends of sentences, the last of each text left out, since all find it.

    An end is one past the last character that is neither white space nor a comma: which sentence
    a comma in the place of a line break belongs to is not asked.
    """
    wanted = found = agreed = 0
    for gold in golds:
        theirs, ours = ends(gold.text, gold.sentences), ends(gold.text, split(gold.text))
        wanted += len(theirs)
        found += len(ours)
        agreed += len(theirs & ours)
    return SpanScore(wanted, found, agreed)


def ends(text: str, sentences: Iterable[tuple[int, int]]) -> set[int]:
    """Ends of sentences before white space and commas, without that of the text."""
    found = set()
    for _, end in [*sentences, (0, len(text))]:
        while end and (text[end - 1].isspace() or text[end - 1] == ","):
            end -= 1
        found.add(end)
    return found - {max(found)} - {0}


def mentions_cut(texts: Iterable[tuple[str, Sequence[tuple[int, int]]]], split: Split) -> int:
    """How many mentions do not lie within one sentence."""
    cut = 0
    for text, mentions in texts:
        sentences = split(text)
        starts = [start for start, _ in sentences]
        for start, end in mentions:
            index = bisect_right(starts, start) - 1
            cut += index < 0 or sentences[index][1] < end
    return cut
