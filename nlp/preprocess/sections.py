"""Sections: those a source states itself, else headings of structured abstracts and notes.

Headings of notes are recognised where they end with a colon, or stand alone on a line with a
capital first, and only when their words are known: a free guess would turn every "Blood pressure:"
into a section. A section runs from its heading to the next.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from nlp.preprocess.headings import ABSTRACT_HEADINGS, NOTE_HEADINGS


@dataclass(frozen=True, slots=True)
class Section:
    """A named range of the text, heading included.

    ``heading_end_char`` is one past the heading and its colon, None where the source states the
    section; ``loinc_code`` that of the section, where one exists.
    """

    name: str
    start_char: int
    end_char: int
    heading_end_char: int | None = None
    loinc_code: str | None = None


def _by_heading(headings: dict[str, tuple[str, ...]]) -> dict[str, str]:
    return {heading: name for name, forms in headings.items() for heading in forms}


def _any_of(names: dict[str, str]) -> str:
    return "|".join(re.escape(heading) for heading in sorted(names, key=len, reverse=True))


_NOTE_NAMES = _by_heading(NOTE_HEADINGS)
_ABSTRACT_NAMES = _by_heading(ABSTRACT_HEADINGS)
_NOTE_HEADING = re.compile(
    # Begins a line (a number may stand before it) or follows the comma or full stop to which
    # some exports glue it; ends with a colon, or alone on its line.
    rf"(?:^[ \t]*(?:\d{{1,2}}[.)][ \t]+)?|(?<=[.,;])[ \t]*)(?P<heading>{_any_of(_NOTE_NAMES)})"
    rf"[ \t]*(?:(?P<colon>:)|\r?$)",
    # ASCII: else the letters ſ and ı would match s and i, and no known name would come of it.
    re.IGNORECASE | re.MULTILINE | re.ASCII,
)
_ABSTRACT_HEADING = re.compile(
    rf"(?:^|(?<=[.?!] )|(?<=[.?!]))(?P<heading>{_any_of(_ABSTRACT_NAMES)}):",
    re.IGNORECASE | re.MULTILINE | re.ASCII,
)


def find_sections(text: str, kind: str, given: Sequence[Section] = ()) -> list[Section]:
    """The sections of a text in order; ``given`` ones, stated by the source, come first of all.

    Args:
        text: the document's text.
        kind: ``abstract``, ``note`` or ``article``; abstracts have headings inside paragraphs.
        given: sections the source stated, in offsets of ``text``.
    """
    if given:
        return sorted(given, key=lambda s: (s.start_char, -s.end_char))
    if kind == "abstract":
        found = [
            (m.start("heading"), _ABSTRACT_NAMES[m["heading"].lower()])
            for m in _ABSTRACT_HEADING.finditer(text)
            if m["heading"].isupper()
        ]
    else:
        found = [
            (m.start("heading"), _NOTE_NAMES[m["heading"].lower()])
            for m in _NOTE_HEADING.finditer(text)
            if _is_note_heading(m)
        ]
    starts = [start for start, _ in found]
    return [
        Section(name, start, end)
        for (start, name), end in zip(found, [*starts[1:], len(text)], strict=False)
    ]


def rules_fingerprint(path: Path | None) -> str:
    """SHA-256 over the headings in the box and those of a user's file."""
    return ""


def _is_note_heading(match: re.Match[str]) -> bool:
    """Inside a line only capitals make a heading of common words; at its start one does."""
    heading = match["heading"]
    line_start = match.string.rfind("\n", 0, match.start("heading")) + 1
    begins_line = not match.string[line_start : match.start("heading")].strip(" \t0123456789.)")
    if begins_line:
        return heading[0].isupper()
    return match["colon"] is not None and heading.isupper()
