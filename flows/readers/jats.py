"""JATS full text, as PubMed Central distributes it.

Text is a sequence of blocks joined by one line feed: title, abstract headings and paragraphs,
body headings and paragraphs in reading order, the captions of figures and tables where they
stand. Left out are formulas, table cells, labels and numbers of figures and list items,
superscript reference and footnote marks, supplementary material, acknowledgements, references
and all other back matter, and sub-articles.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from typing import Any

from flows.readers.base import Reader, SourceFile
from flows.readers.compression import bare_name
from flows.readers.dates import publication_date
from flows.readers.record import BadRecord, Document, Record, SectionSpan
from flows.readers.xmlstream import (
    Element,
    collapse,
    entity_text,
    inner_text,
    local_name,
    root_name,
    section_name,
    stream_elements,
)

_BLOCKS = {
    *("title", "subtitle", "p", "list", "list-item", "def-item", "disp-quote", "boxed-text"),
    *("fig", "fig-group", "table-wrap", "table-wrap-group", "caption", "verse-line", "speech"),
    *("statement", "preformat"),
}
_SKIPPED = {
    *("table", "table-wrap-foot", "disp-formula", "disp-formula-group", "inline-formula", "math"),
    *("tex-math", "chem-struct-wrap", "label", "fn", "fn-group", "ref-list", "ack", "sec-meta"),
    *("supplementary-material", "inline-supplementary-material", "media", "graphic"),
    *("inline-graphic", "alt-text", "long-desc", "object-id", "attrib", "permissions"),
    "related-article",
}
_SKIPPED_SECTIONS = {
    *("supplementary_material", "supporting_information", "references", "acknowledgements"),
    *("acknowledgments", "acknowledgement", "acknowledgment"),
}
_SKIPPED_ABSTRACTS = {"graphical", "teaser", "toc", "web-summary", "editor"}
_REFERENCES = {"bibr", "fn", "table-fn", "aff", "corresp"}
_SECTION_TYPES = {
    "intro": "introduction",
    "materials": "methods",
    "subjects": "methods",
    "cases": "case_report",
}
_DATE_ORDER = ("epub", "pub", "epub-ppub", "ppub", "collection")
_XLINK_HREF = "{http://www.w3.org/1999/xlink}href"


class _Text:
    """The text being built: finished blocks, the block being filled, and the sections."""

    def __init__(self) -> None:
        self.blocks: list[str] = []
        self.starts: list[int] = []
        self.length = 0
        self.pieces: list[str] = []
        self.sections: list[SectionSpan] = []

    def flush(self) -> None:
        """End the block being filled; an empty one leaves no trace."""
        block = collapse("".join(self.pieces))
        self.pieces.clear()
        if block:
            self.starts.append(self.length + 1 if self.blocks else 0)
            self.blocks.append(block)
            self.length = self.starts[-1] + len(block)

    def section(self, name: str, element: Element) -> None:
        """Add an element's blocks as a section, its heading included."""
        self.flush()
        first = len(self.blocks)
        _fill(element, self)
        self.flush()
        if len(self.blocks) > first:
            self.sections.append(SectionSpan(name, self.starts[first], self.length))


def _parse(file: SourceFile) -> Iterator[Record]:
    for ordinal, article in enumerate(stream_elements(file.path, ("article",))):
        # The file's name can identify one article only.
        stem = bare_name(file.path).rsplit(".", 1)[0] + (f"-{ordinal}" if ordinal else "")
        yield _document(article, stem)


def _document(article: Element, stem: str) -> Record:
    meta = article.find("{*}front/{*}article-meta")
    if meta is None:
        return BadRecord("article has no front matter")
    text = _Text()
    heading = meta.find("{*}title-group/{*}article-title")
    if heading is not None:
        _fill(heading, text)
        text.flush()
    title = text.blocks[0] if text.blocks else None
    for abstract in meta.findall("{*}abstract"):
        kind = abstract.get("abstract-type", "")
        if kind not in _SKIPPED_ABSTRACTS:
            text.section(section_name(kind) or "abstract", abstract)
    body = article.find("{*}body")
    if body is not None:
        _fill(body, text)
        text.flush()
    floats = article.find("{*}floats-group")
    if floats is not None:
        text.section("figures", floats)
    ids = _identifiers(meta)
    return Document(
        native_id=ids.get("pmc") or ids.get("pmid") or ids.get("doi") or stem,
        text="\n".join(text.blocks),
        kind="article",
        title=title,
        sections=tuple(sorted(text.sections, key=lambda s: (s.start_char, -s.end_char))),
        document_date=_published(meta),
        document_type=article.get("article-type"),
        metadata=_metadata(article, meta, ids),
    )


def _fill(element: Element, text: _Text) -> None:
    text.pieces.append(element.text or "")
    for child in element:
        name = local_name(child)
        if not name:
            text.pieces.append(entity_text(child))
        elif name == "sec":
            section = _name_of_section(child)
            if section not in _SKIPPED_SECTIONS:
                text.section(section, child)
        elif name in _BLOCKS:
            text.flush()
            _fill(child, text)
            text.flush()
        elif name == "break":
            text.pieces.append(" ")
        elif name not in _SKIPPED and not _is_superscript_reference(child, name):
            _fill(child, text)
        text.pieces.append(child.tail or "")


def _is_superscript_reference(element: Element, name: str) -> bool:
    # "cancer<sup>12</sup>" would otherwise read "cancer12".
    if name == "sup":
        return any(x.get("ref-type") in _REFERENCES for x in element.iterfind(".//{*}xref"))
    return (
        name == "xref"
        and element.get("ref-type") in _REFERENCES
        and element.find("{*}sup") is not None
    )


def _name_of_section(section: Element) -> str:
    """The name a ``sec-type`` states (``materials|methods`` is methods), else the heading's."""
    kinds = section.get("sec-type", "").lower().split("|")
    if "methods" in kinds:
        return "methods"
    heading = re.sub(r"^[\d.]+\s+", "", inner_text(section.find("{*}title")))
    name = section_name(kinds[0]) or section_name(heading)
    return _SECTION_TYPES.get(name, name) or "section"


def _identifiers(meta: Element) -> dict[str, str]:
    found: dict[str, str] = {}
    for identifier in meta.findall("{*}article-id"):
        kind = identifier.get("pub-id-type") or ""
        kind = "pmc" if kind == "pmcid" else kind
        value = inner_text(identifier)
        if kind == "pmc" and value:
            value = f"PMC{value.upper().removeprefix('PMC')}"
        if value:
            found.setdefault(kind, value)
    return found


def _published(meta: Element) -> date | None:
    dates: dict[str, date] = {}
    for element in meta.findall("{*}pub-date"):
        kind = element.get("pub-type") or element.get("date-type") or ""
        month = element.findtext("{*}month") or element.findtext("{*}season")
        found = publication_date(element.findtext("{*}year"), month, element.findtext("{*}day"))
        if found:
            dates.setdefault(kind, found)
    return next((dates[kind] for kind in (*_DATE_ORDER, *dates) if kind in dates), None)


def _metadata(article: Element, meta: Element, ids: dict[str, str]) -> dict[str, Any]:
    license_ = meta.find("{*}permissions/{*}license")
    found: dict[str, Any] = {
        "pmid": ids.get("pmid"),
        "pmc": ids.get("pmc"),
        "doi": ids.get("doi"),
        "journal": inner_text(article.find("{*}front/{*}journal-meta//{*}journal-title")),
        "issn": inner_text(article.find("{*}front/{*}journal-meta/{*}issn")),
        "keywords": [k for e in meta.iterfind("{*}kwd-group/{*}kwd") if (k := inner_text(e))],
        "license": _license(license_) if license_ is not None else None,
    }
    return {name: value for name, value in found.items() if value}


def _license(element: Element) -> str:
    """The licence's address where one is given, else its words."""
    return (
        element.get(_XLINK_HREF)
        or inner_text(element.find("{*}license_ref"))
        or inner_text(element)
    )


JATS = Reader(
    name="jats",
    version=1,
    suffixes=(".nxml", ".xml"),
    parse=_parse,
    sniff=lambda head: root_name(head) in {"article", "pmc-articleset"},
    default_corpus=lambda path, root: "pmc",
)
