"""PubMed XML: today's ``PubmedArticleSet`` and the older ``MedlineCitationSet``.

Text is title + one space + abstract; a structured abstract joins ``LABEL: paragraph`` by single
spaces and states its sections. White space inside XML text is collapsed to single spaces.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

from flows.readers.base import Reader, SourceFile
from flows.readers.dates import medline_date, publication_date
from flows.readers.record import BadRecord, Deletion, Document, Record, SectionSpan
from flows.readers.xmlstream import (
    Element,
    inner_text,
    local_name,
    root_name,
    section_name,
    stream_elements,
)

_ROOTS = {"PubmedArticleSet", "MedlineCitationSet", "PubmedBookArticleSet", "PubmedArticle"}
_CITATIONS = ("PubmedArticle", "MedlineCitation", "PubmedBookArticle")
_DELETIONS = ("DeleteCitation", "DeleteDocument")
_RELEASE = re.compile(r"(?:pubmed|medline)(\d\d)n(\d{4})\.xml(?:\.gz|\.zst)?")


def release_number(path: Path) -> int | None:
    """Where an NLM release file stands in time: year * 10,000 + file number.

    ``pubmed24n0902.xml.gz`` is 240902. ``None`` for any other file name.
    """
    match = _RELEASE.fullmatch(path.name)
    return int(match[1]) * 10_000 + int(match[2]) if match else None


def _parse(file: SourceFile) -> Iterator[Record]:
    for element in stream_elements(file.path, (*_CITATIONS, *_DELETIONS)):
        name = local_name(element)
        if name in _DELETIONS:
            for pmid in element.iterchildren("PMID"):
                yield Deletion(inner_text(pmid), "abstract")
        elif name == "PubmedBookArticle":
            yield _document(element, element.find("BookDocument"), element.find("BookDocument"))
        else:
            citation = element if name == "MedlineCitation" else element.find("MedlineCitation")
            article = citation.find("Article") if citation is not None else None
            yield _document(element, citation, article)


def _document(record: Element, citation: Element | None, article: Element | None) -> Record:
    """A citation's document; ``record`` also holds what NLM keeps outside the citation."""
    if citation is None or article is None:
        return BadRecord("citation has no article")
    pmid = citation.find("PMID")
    if pmid is None or not inner_text(pmid):
        return BadRecord("citation has no PMID")
    # A chapter of a book has an ArticleTitle, a whole book only its own.
    title = inner_text(article.find("ArticleTitle")) or inner_text(article.find("Book/BookTitle"))
    text, sections = _text(title, article.find("Abstract"))
    if not text:
        return BadRecord("citation has no title and no abstract")
    metadata = _metadata(record, citation, article)
    types = metadata.get("publication_types", [])
    return Document(
        native_id=inner_text(pmid),
        text=text,
        kind="abstract",
        title=title or None,
        sections=sections,
        document_date=_published(article),
        document_type=types[0] if types else None,
        metadata=metadata,
    )


def _text(title: str, abstract: Element | None) -> tuple[str, tuple[SectionSpan, ...]]:
    text = title
    sections = []
    for part in abstract.iterchildren("AbstractText") if abstract is not None else ():
        paragraph = inner_text(part)
        if not paragraph:
            continue
        label = " ".join(part.get("Label", "").split()).rstrip(": ")
        category = part.get("NlmCategory", "")
        start = len(text) + 1 if text else 0
        text += (" " if text else "") + (f"{label}: {paragraph}" if label else paragraph)
        # UNLABELLED and UNASSIGNED are NLM's words for having no name.
        names = (section_name(name) for name in (label, category))
        name = next((n for n in names if n not in {"", "unlabelled", "unassigned"}), None)
        if name:
            sections.append(SectionSpan(name, start, len(text)))
    return text, tuple(sections)


def _published(article: Element) -> date | None:
    for path in ("ArticleDate", "Journal/JournalIssue/PubDate", "ContributionDate", "Book/PubDate"):
        if found := _date(article.find(path)):
            return found
    return None


def _date(element: Element | None) -> date | None:
    if element is None:
        return None
    if medline := element.findtext("MedlineDate"):
        return medline_date(medline)
    month = element.findtext("Month") or element.findtext("Season")
    return publication_date(element.findtext("Year"), month, element.findtext("Day"))


def _metadata(record: Element, citation: Element, article: Element) -> dict[str, Any]:
    """What the citation says beside text and date; absent items are left out."""
    revised = _date(citation.find("DateRevised"))
    pmid = citation.find("PMID")
    version = pmid.get("Version", "") if pmid is not None else ""
    identifiers = _identifiers(record, citation, article)
    found = {
        "pmid_version": int(version) if version.isdecimal() else None,
        "journal": inner_text(article.find("Journal/Title")),
        "book": inner_text(article.find("Book/BookTitle")),
        "issn": inner_text(article.find("Journal/ISSN")),
        "doi": identifiers.get("doi"),
        "pmc": identifiers.get("pmc"),
        "publication_types": _texts(article, "PublicationTypeList/PublicationType")
        or _texts(article, "PublicationType"),
        "mesh_headings": [_heading(h) for h in citation.findall("MeshHeadingList/MeshHeading")],
        "keywords": _texts(citation, "KeywordList/Keyword"),
        "language": _texts(article, "Language"),
        "date_revised": revised.isoformat() if revised else None,
    }
    return {name: value for name, value in found.items() if value not in (None, "", [])}


def _identifiers(record: Element, citation: Element, article: Element) -> dict[str, str]:
    found: dict[str, str] = {}
    for location in article.findall("ELocationID"):
        if location.get("ValidYN", "Y") == "Y":
            found.setdefault(location.get("EIdType", ""), inner_text(location))
    for data in ("PubmedData", "PubmedBookData", "BookDocument"):
        for identifier in record.findall(f"{data}/ArticleIdList/ArticleId"):
            found.setdefault(identifier.get("IdType", ""), inner_text(identifier))
    for other in citation.findall("OtherID"):
        if pmc := re.match(r"PMC\d+", inner_text(other)):
            found.setdefault("pmc", pmc[0])
    return found


def _heading(heading: Element) -> dict[str, Any]:
    names = [
        {
            "ui": name.get("UI"),
            "name": inner_text(name),
            "major": name.get("MajorTopicYN") == "Y",
        }
        for name in heading
        if local_name(name) in {"DescriptorName", "QualifierName"}
    ]
    return {**names[0], "qualifiers": names[1:]} if names else {}


def _texts(element: Element, path: str) -> list[str]:
    return [text for found in element.findall(path) if (text := inner_text(found))]


PUBMED = Reader(
    name="pubmed",
    version=1,
    suffixes=(".xml",),
    parse=_parse,
    sniff=lambda head: root_name(head) in _ROOTS,
    default_corpus=lambda path, root: "pubmed",
)
