"""BioC, XML and JSON: collections of documents made of passages, with annotations beside the text.

The format is that of Comeau et al. 2013 (doi:10.1093/database/bat064), as BioCreative, PubTator
and BioC-PMC distribute it: a collection, a list of collections or documents, or a JSON document a
line. Passages are joined by one space, or by nothing where the offsets say that one begins where
the former ends.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from flows.errors import SourceError
from flows.readers.base import Reader, SourceFile
from flows.readers.compression import open_binary
from flows.readers.dates import parse_date, publication_date
from flows.readers.gold import GoldDocument, GoldMention, GoldRelation, curies, related
from flows.readers.jsonstream import stream_objects
from flows.readers.record import BadRecord, Document, Record, SectionSpan
from flows.readers.xmlstream import (
    Element,
    local_name,
    root_name,
    section_name,
    stream_elements,
    text_pieces,
)

_LISTS = ("documents", "PubTator3")
_CHILDREN = {"passage", "sentence", "annotation", "location", "relation"}
_JSON_DOCUMENT = re.compile(rb'"passages"\s*:\s*\[')
_XML_DOCUMENT = re.compile(rb"<(?:[\w.-]+:)?document[\s>]")
_OF_ABSTRACTS = {"", "title", "abstract"}
_SECTION_NAMES = {
    **{"intro": "introduction", "discuss": "discussion", "concl": "conclusions"},
    **{"fig": "figures", "table": "tables", "ref": "references", "case": "case_report"},
    **{"suppl": "supplementary_material", "abbr": "abbreviations"},
}
_ID_INFONS = {
    **{"identifier": "", "mesh": "MESH", "omim": "OMIM", "chebi": "CHEBI"},
    **{"ncbi_gene": "NCBIGene", "ncbi_taxonomy": "NCBITaxon"},
}
"""Infons that name concepts, and the CURIE prefix of ids that have none."""
_RELATED = (("Chemical", "Disease"), ("entity1", "entity2"))
"""Infons that name the concepts of a relation: subject, object."""

Raw = Mapping[str, Any]


class _Unfit(Exception):
    """A document that cannot be read; the message holds no text and no id."""


@dataclass(frozen=True, slots=True)
class _Piece:
    """Text that the file keeps in one: ``offset`` as the file counts, ``start`` in our text."""

    offset: int
    start: int
    text: str


@dataclass(frozen=True, slots=True)
class _Passage:
    """A passage in our text, and the annotations made in it."""

    raw: Raw
    pieces: tuple[_Piece, ...]
    annotations: tuple[Raw, ...]

    @property
    def start(self) -> int:
        return self.pieces[0].start

    @property
    def end(self) -> int:
        return self.pieces[-1].start + len(self.pieces[-1].text)


@dataclass(frozen=True, slots=True)
class _Annotation:
    """An annotation with the pieces its locations may lie in."""

    label: str
    stated: str
    locations: tuple[tuple[int, int], ...]
    concept_ids: tuple[str, ...]
    pieces: tuple[_Piece, ...]


def read_gold(path: Path) -> Iterator[GoldDocument]:
    """Yield each document with its gold mentions and relations.

    The infon ``type`` is the label; the infons ``identifier``, ``MESH``, ``OMIM`` and the like are
    the concepts. An annotation of several locations becomes the span that holds them all; one of
    no location marks nothing in the text and is skipped. A relation's type is its infon
    ``relation`` or ``type``, its concepts the infons ``Chemical`` and ``Disease`` (CDR) or
    ``entity1`` and ``entity2`` (BioRED); one that only points at annotations is skipped. Offsets
    count characters; where the
    annotations' own words show that a document counts UTF-8 bytes or UTF-16 units, as some Java
    programs write them, they are taken so.

    Raises:
        SourceError: a document is not BioC, or an annotation's words are not those at its offsets
            (file and position of the document named).
    """
    for ordinal, raw in enumerate(_documents(path), start=1):
        try:
            text, passages = _lay_out(raw)
            mentions = _mentions(text, list(_annotations(raw, passages)))
        except _Unfit as problem:
            raise SourceError(f"{path}, document {ordinal}: {problem}", "Mend it there") from None
        yield GoldDocument(_native_id(raw), text, mentions, _relations(raw, passages))


def _parse(file: SourceFile) -> Iterator[Record]:
    for raw in _documents(file.path):
        try:
            text, passages = _lay_out(raw)
        except _Unfit as problem:
            yield BadRecord(str(problem))
            continue
        sections = _sections(passages)
        yield Document(
            native_id=_native_id(raw),
            text=text,
            kind="article" if sections else "abstract",
            title=_title(passages),
            sections=sections,
            document_date=_date(raw, passages),
            metadata=_metadata(raw, passages),
        )


def _documents(path: Path) -> Iterator[Raw]:
    """The documents of a file in the form of BioC JSON, whichever form they have there."""
    with open_binary(path) as stream:
        is_xml = stream.read(512).removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"<")
    if is_xml:
        yield from map(_as_json, stream_elements(path, ("document",)))
        return
    is_empty = True
    for found in stream_objects(path, _LISTS):
        is_empty = False
        yield found if isinstance(found, dict) else {}
    if is_empty:
        raise SourceError(f"{path} holds no BioC document", "Name its --format")


def _as_json(element: Element) -> Raw:
    """An element of BioC XML as BioC JSON would have it; numbers stay strings."""
    found: dict[str, Any] = {str(name): value for name, value in element.items()}
    found["infons"] = {}
    for child in element:
        name = local_name(child)
        if name in _CHILDREN:
            found.setdefault(f"{name}s", []).append(_as_json(child))
        elif name == "infon":
            found["infons"][str(child.get("key"))] = "".join(text_pieces(child))
        elif name:
            found[name] = "".join(text_pieces(child))
    return found


def _lay_out(raw: Raw) -> tuple[str, list[_Passage]]:
    """Join a document's passages, or their sentences; passages without text are left out."""
    if not isinstance(raw.get("passages"), list):
        raise _Unfit("a document has no passages")
    text, follows = "", None
    passages = []
    for raw_passage in _objects(raw, "passages"):
        pieces = []
        annotations = _objects(raw_passage, "annotations")
        sentences = _objects(raw_passage, "sentences")
        for part in [raw_passage] if raw_passage.get("text") else sentences:
            words = part.get("text") or ""
            if not isinstance(words, str):
                raise _Unfit("a passage's text is no string")
            offset = _number(part, "offset")
            if not words:
                continue
            text += "" if not text or offset == follows else " "
            pieces.append(_Piece(offset, len(text), words))
            text += words
            follows = offset + len(words)
        for sentence in sentences:
            annotations += _objects(sentence, "annotations")
        if pieces:
            passages.append(_Passage(raw_passage, tuple(pieces), tuple(annotations)))
        elif any(annotation.get("locations") for annotation in annotations):
            raise _Unfit("a passage has annotations and no text")
    return text, passages


def _objects(raw: Raw, key: str) -> list[Raw]:
    found = raw.get(key) or []
    if not isinstance(found, list) or not all(isinstance(item, dict) for item in found):
        raise _Unfit(f"{key} is no list of objects")
    return list(found)


def _number(raw: Raw, key: str) -> int:
    value = raw.get(key)
    if isinstance(value, str) and value.strip().isdecimal():
        return int(value)
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    raise _Unfit(f"{key} is missing or no whole number")


def _infons(raw: Raw) -> Mapping[str, Any]:
    found = raw.get("infons")
    return found if isinstance(found, dict) else {}


def _annotations(raw: Raw, passages: Sequence[_Passage]) -> Iterator[_Annotation]:
    everywhere = tuple(piece for passage in passages for piece in passage.pieces)
    groups = [(passage.pieces, passage.annotations) for passage in passages]
    groups.append((everywhere, tuple(_objects(raw, "annotations"))))
    for pieces, group in groups:
        for annotation in group:
            locations = _objects(annotation, "locations")
            if not locations:
                continue
            label = _infons(annotation).get("type")
            if not isinstance(label, str) or not label.strip():
                raise _Unfit("an annotation has no infon named type")
            yield _Annotation(
                label.strip(),
                str(annotation.get("text") or ""),
                tuple((_number(at, "offset"), _number(at, "length")) for at in locations),
                _concept_ids(_infons(annotation)),
                pieces,
            )


def _relations(raw: Raw, passages: Sequence[_Passage]) -> tuple[GoldRelation, ...]:
    found: list[GoldRelation] = []
    for home in (raw, *(passage.raw for passage in passages)):
        listed = home.get("relations")
        for relation in listed if isinstance(listed, list) else []:
            if not isinstance(relation, dict):
                continue
            infons = _infons(relation)
            name = str(infons.get("relation") or infons.get("type") or "").strip()
            for sides in _RELATED:
                subject, other = (str(infons.get(side) or "") for side in sides)
                if name and subject and other:
                    found += related(name, subject, other)
    return tuple(found)


def _concept_ids(infons: Mapping[str, Any]) -> tuple[str, ...]:
    found = []
    for key, value in infons.items():
        prefix = _ID_INFONS.get(key.lower().replace(" ", "_"))
        if prefix is not None and isinstance(value, str | int):
            ids = curies(str(value))
            found += [i if ":" in i or not prefix else f"{prefix}:{i}" for i in ids]
    return tuple(dict.fromkeys(found))


def _characters(text: str, count: int) -> int:
    return count


def _utf8_bytes(text: str, count: int) -> int:
    return len(text.encode("utf-8", "replace")[:count].decode("utf-8", "ignore"))


def _utf16_units(text: str, count: int) -> int:
    raw = text.encode("utf-16-le", "replace")
    return len(raw[: 2 * count].decode("utf-16-le", "ignore"))


def _mentions(text: str, annotations: Sequence[_Annotation]) -> tuple[GoldMention, ...]:
    units = (_characters,) if text.isascii() else (_characters, _utf8_bytes, _utf16_units)
    for unit in units:
        mentions = [_mention(text, annotation, unit) for annotation in annotations]
        if all(mentions):
            return tuple(mention for mention in mentions if mention is not None)
    wrong = sum(_mention(text, annotation, _characters) is None for annotation in annotations)
    raise _Unfit(
        f"the words of {wrong} of its {len(annotations)} annotations are not those at their offsets"
    )


def _mention(
    text: str, annotation: _Annotation, unit: Callable[[str, int], int]
) -> GoldMention | None:
    """The mention, or ``None`` where the annotation's words do not stand there."""
    spans = []
    for offset, length in annotation.locations:
        home = next((p for p in reversed(annotation.pieces) if p.offset <= offset), None)
        if home is None:
            return None
        start = home.start + unit(home.text, offset - home.offset)
        end = home.start + unit(home.text, offset - home.offset + length)
        if not start < end <= len(text):
            return None
        spans.append((start, end))
    start, end = min(span[0] for span in spans), max(span[1] for span in spans)
    parts = " ".join(text[first:last] for first, last in spans)
    stated = annotation.stated
    # White space may differ: some files wrap lines. What stands between parts is written freely.
    if stated.split() not in ([], text[start:end].split()) and (
        len(spans) == 1 or re.sub(r"\W", "", parts) != re.sub(r"\W", "", stated)
    ):
        return None
    return GoldMention(
        start, end, stated or text[start:end], annotation.label, annotation.concept_ids
    )


def _native_id(raw: Raw) -> str:
    value = raw.get("id") or raw.get("pmid") or ""
    return str(value).strip() if isinstance(value, str | int) else ""


def _section_type(passage: _Passage) -> str:
    return str(_infons(passage.raw).get("section_type") or "").lower()


def _sections(passages: Sequence[_Passage]) -> tuple[SectionSpan, ...]:
    """Runs of passages of one ``section_type``; none for titles and abstracts alone."""
    if all(_section_type(passage) in _OF_ABSTRACTS for passage in passages):
        return ()
    sections = []
    for kind, run in itertools.groupby(passages, _section_type):
        name, members = section_name(kind), list(run)
        if name and name != "title":
            name = _SECTION_NAMES.get(name, name)
            sections.append(SectionSpan(name, members[0].start, members[-1].end))
    return tuple(sections)


def _title(passages: Sequence[_Passage]) -> str | None:
    """The first passage, if it says that it is a title."""
    if not passages:
        return None
    first = passages[0]
    kinds = {_section_type(first), str(_infons(first.raw).get("type") or "").lower()}
    return " ".join(p.text for p in first.pieces).strip() if kinds & {"title", "front"} else None


def _date(raw: Raw, passages: Sequence[_Passage]) -> date | None:
    year = _infons(passages[0].raw).get("year") if passages else None
    return parse_date(raw.get("date")) or publication_date(str(year or ""), None, None)


def _metadata(raw: Raw, passages: Sequence[_Passage]) -> dict[str, Any]:
    """The document's infons, and those of its first passage, where PubTator and PMC put them."""
    first = _infons(passages[0].raw) if passages else {}
    found = {"pmid": raw.get("pmid"), "pmcid": raw.get("pmcid"), **first, **_infons(raw)}
    dropped = {"type", "section_type", "section", "year"}
    return {key: value for key, value in found.items() if key not in dropped and value}


def _sniff(head: bytes) -> bool:
    if root_name(head) == "collection":
        return _XML_DOCUMENT.search(head) is not None
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    return start.startswith((b"{", b"[")) and _JSON_DOCUMENT.search(head) is not None


BIOC = Reader(
    name="bioc",
    version=1,
    suffixes=(".bioc", ".xml", ".json", ".biocxml", ".biocjson"),
    parse=_parse,
    sniff=_sniff,
)
