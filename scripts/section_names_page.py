"""docs/section-names.md: names of sections, from the file of heading rules in the box."""

from __future__ import annotations

from collections.abc import Sequence

from page_parts import GENERATED, rows_of

from nlp.preprocess.heading_file import HeadingEntry, read_heading_file
from nlp.preprocess.heading_rules import BOXED

SECTION_NAMES_INTRODUCTION = """\
# Names of sections

For analysts who filter by section: the names that headings in notes, abstracts and articles get.

What `sections.name` may say of headings in the box, and `loinc_code` beside it.
[Sections](sections.md) tells what counts as a heading, and how to add your own. Only the first
headings of each are shown; `[a|b]` stands for a or b, `[a|]` for a or nothing.
"""

SECTION_KINDS = {
    "note": "Notes",
    "abstract": "Abstracts",
    "article": "Articles",
}

SHOWN_HEADINGS = 4


def section_names_page() -> str:
    """The names that the rules in the box give to sections, by kind of document."""
    entries = read_heading_file(BOXED).section
    lines = [GENERATED, "", SECTION_NAMES_INTRODUCTION]
    for kind, title in SECTION_KINDS.items():
        lines += [f"## {title}", ""]
        lines += _section_names([e for e in entries if kind in e.kinds and not e.within])
    lines += ["## Parts of sections of notes", ""]
    lines += ["The name is that of the section and this one, with a full stop between.", ""]
    lines += _section_names([entry for entry in entries if entry.within and entry.joined])
    return "\n".join(lines).rstrip() + "\n"


def _section_names(entries: Sequence[HeadingEntry]) -> list[str]:
    by_name: dict[str, list[HeadingEntry]] = {}
    for entry in entries:
        by_name.setdefault(entry.name, []).append(entry)
    rows = []
    for name, of_name in by_name.items():
        codes = dict.fromkeys(code for entry in of_name for code in entry.loinc.values())
        headings = [heading for entry in of_name for heading in entry.headings]
        sections = dict.fromkeys(section for entry in of_name for section in entry.within)
        shown = ", ".join(headings[:SHOWN_HEADINGS]) + (" …" if headings[SHOWN_HEADINGS:] else "")
        rows.append(
            (f"`{name}`", *([", ".join(sections)] if sections else []), ", ".join(codes), shown)
        )
    if entries[0].within:
        return rows_of(("part", "of", "LOINC, of an examination", "headings"), rows)
    return rows_of(("name", "LOINC", "headings"), rows)
