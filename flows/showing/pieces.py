"""Cutting a text where mentions begin and end: they may nest, cross, or cover the same words."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from flows.showing.document import ShownDocument, ShownMention, ShownSection

_STATED_HEADING = re.compile(r"[^.:\n]{1,80}:")


class Kind(Enum):
    """What a piece is: text of the document, or a mark between its characters."""

    text = "text"
    opens = "opens"
    closes = "closes"
    section = "section"


@dataclass(frozen=True)
class Piece:
    """A stretch of the text, or a mark.

    Attributes:
        kind: text or which mark.
        text: the stretch, empty for a mark; all of them joined are the document's text.
        mentions: of text those that cover it, outermost first; of a mark the one it belongs to.
        is_heading: whether the stretch is a section's heading.
        section: name of the section that begins, for its mark.
    """

    kind: Kind
    text: str = ""
    mentions: tuple[ShownMention, ...] = ()
    is_heading: bool = False
    section: str = ""


def cut(document: ShownDocument) -> list[Piece]:
    """Cut the text of a document.

    Returns:
        Pieces in the order of the text. Only the text itself where its offsets do not fit; nothing
        where there is none.
    """
    text = document.text
    if not text:
        return []
    if not document.offsets_fit:
        return [Piece(Kind.text, text)]
    mentions = _outermost_first(document.mentions, len(text))
    headings = [heading_span(section, text) for section in document.sections]
    named = {
        section.start_char: section.name
        for section, (start, end) in zip(document.sections, headings, strict=True)
        if start == end
    }
    bounds = {0, len(text), *named}
    bounds |= {edge for m in mentions for edge in (m.start_char, m.end_char)}
    bounds |= {edge for heading in headings for edge in heading}
    places = sorted(bound for bound in bounds if 0 <= bound <= len(text))
    pieces: list[Piece] = []
    for place, after in zip(places, [*places[1:], len(text)], strict=True):
        ending = [m for m in mentions if m.end_char == place]
        pieces += (Piece(Kind.closes, mentions=(m,)) for m in reversed(ending))
        if place in named:
            pieces.append(Piece(Kind.section, section=named[place]))
        pieces += (Piece(Kind.opens, mentions=(m,)) for m in mentions if m.start_char == place)
        if place < after:
            covering = tuple(m for m in mentions if m.start_char <= place < m.end_char)
            is_heading = any(start <= place < end for start, end in headings)
            pieces.append(Piece(Kind.text, text[place:after], covering, is_heading))
    return pieces


def crossing(mentions: Sequence[ShownMention]) -> set[int]:
    """The mention_ids of mentions that begin within another and end after it, and of those."""
    found: set[int] = set()
    open_: list[ShownMention] = []
    for mention in sorted(mentions, key=lambda m: (m.start_char, -m.end_char, m.mention_id)):
        open_ = [m for m in open_ if m.end_char > mention.start_char]
        for other in open_:
            if other.start_char < mention.start_char and other.end_char < mention.end_char:
                found |= {other.mention_id, mention.mention_id}
        open_.append(mention)
    return found


def _outermost_first(mentions: Sequence[ShownMention], length: int) -> list[ShownMention]:
    """Those that lie within the text, so that what opens first is the longest."""
    within = [m for m in mentions if 0 <= m.start_char < m.end_char <= length]
    return sorted(within, key=lambda m: (m.start_char, -m.end_char, m.mention_id))


def heading_span(section: ShownSection, text: str) -> tuple[int, int]:
    """Where a section's heading stands; an empty span where it has none in the text."""
    start = section.start_char
    if section.heading_end_char is not None:
        return start, section.heading_end_char
    # Structured abstracts join LABEL: paragraph.
    stated = _STATED_HEADING.match(text, start, section.end_char)
    return start, stated.end() if stated else start
