"""What a page of the report is put together from."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Section:
    """A part of the page.

    Attributes:
        id: of its element, and what the table of contents links to.
        title: its heading.
        html: what stands below the heading; everything from the warehouse is escaped in it.
        css: its own rules, in terms of the page's custom properties (--ink, --paper, --muted,
            --line, --accent, which light and dark give their values).
        script: its own JavaScript, run once the page is there; no global names but one.
    """

    id: str
    title: str
    html: str
    css: str = ""
    script: str = ""
