"""A text cut into passages: its title, its sections, and what lies between them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from flows.exporting.documents import ExportDocument

TITLE = "title"


class Passage(NamedTuple):
    """A piece of the text and what it is called; empty where no section holds its start."""

    start_char: int
    end_char: int
    name: str


def passages_of(document: ExportDocument) -> list[Passage]:
    """Passages that hold all of the text, in order, and every mention whole.

    A new one begins where a section begins, and where one ends before more words. A passage is
    called by the innermost section that holds its start. Where a mention would be cut there is no
    cut. The blank between a title and what follows belongs to neither; all else is contiguous.
    """
    text = document.text or ""
    title = document.title or ""
    has_title = bool(title) and text.startswith(title) and text[len(title) :][:1].isspace()
    body = len(title) + 1 if has_title else 0
    cuts = {start for start, _, _ in document.sections}
    cuts |= {end for start, end, _ in document.sections if _has_words(text, end, cuts)}
    cuts = {cut for cut in cuts if body < cut < len(text)}
    for mention in document.mentions:
        if has_title and mention.start_char < body - 1 < mention.end_char:
            has_title, body = False, 0
        cuts -= set(range(mention.start_char + 1, mention.end_char)) & cuts
    if has_title and not text[body:].strip():
        has_title, body = False, 0
    # A passage of white space alone would be lost by readers: it goes with the one before.
    kept = [body] if text[body:] else []
    for cut in sorted(cuts):
        if cut > body and text[kept[-1] : cut].strip():
            kept.append(cut)
    bounds = zip(kept, [*kept[1:], len(text)], strict=True)
    named = [Passage(start, end, _name(document, text, start, end)) for start, end in bounds]
    return ([Passage(0, body - 1, TITLE)] if has_title else []) + named


def _has_words(text: str, end: int, starts: set[int]) -> bool:
    """Whether words stand between the end of a section and the next start of one."""
    following = min((start for start in starts if start >= end), default=len(text))
    return bool(text[end:following].strip())


def _name(document: ExportDocument, text: str, start: int, end: int) -> str:
    first = start + len(text[start:end]) - len(text[start:end].lstrip())
    holding = [s for s in document.sections if s[0] <= first < s[1]]
    innermost: Sequence[tuple[int, int, str]] = sorted(holding, key=lambda s: (s[1] - s[0], -s[0]))
    return innermost[0][2] if innermost else ""
