"""BioC, XML and JSON (Comeau et al. 2013, doi:10.1093/database/bat064), a file for each corpus.

Passages are the title and the sections; offsets are those of the warehouse. Annotations have the
infons ``type`` (label), ``identifier`` (concept) and what is known of score, model and assertion.
"""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from operator import attrgetter
from pathlib import Path
from typing import Any, ClassVar, Protocol

from lxml import etree

from flows import __version__
from flows.exporting.choices import BiocFile
from flows.exporting.corpus_files import file_name
from flows.exporting.documents import ExportDocument, ExportMention, stream_documents
from flows.exporting.outcome import Written
from flows.exporting.passages import TITLE, passages_of
from flows.exporting.pubtator import expect_corpora
from flows.warehouse.layout import Connection

_NOT_IN_XML = re.compile("[^\\t\\n\\r\\x20-\\ud7ff\\ue000-\\ufffd\\U00010000-\\U0010ffff]")
"""Characters that XML 1.0 does not have."""

_OF_ABSTRACTS = {TITLE, ""}


@dataclass(frozen=True)
class Bioc:
    """What the user chose of a BioC export."""

    files: tuple[BiocFile, ...] = (BiocFile.xml,)

    name: ClassVar[str] = "bioc"
    annotated: ClassVar[bool] = True

    def check(self) -> None:
        """Nothing can be wrong before the warehouse is open."""

    def expect(self, connection: Connection) -> Written:
        """Documents of each file, without writing anything."""
        return expect_corpora(connection, *(f".bioc.{form}" for form in self.files))

    def write(self, connection: Connection, folder: Path) -> Written:
        """Write the files of each corpus."""
        rows: dict[str, int] = {}
        counts = {"mentions": 0, "mentions with a concept": 0, "documents without text": 0}
        streamed = stream_documents(connection, sections=True)
        for corpus, documents in itertools.groupby(streamed, attrgetter("corpus")):
            with ExitStack() as stack:
                sinks: dict[str, Sink] = {}
                for form in self.files:
                    name = file_name(corpus, f".bioc.{form}", rows)
                    rows[name] = 0
                    sinks[name] = stack.enter_context(_OPENERS[form](folder / name, corpus))
                for document in documents:
                    if document.text is None:
                        counts["documents without text"] += 1
                        continue
                    found = as_json(document)
                    for name, sink in sinks.items():
                        sink.add(found)
                        rows[name] += 1
                    counts["mentions"] += len(document.mentions)
                    counts["mentions with a concept"] += sum(
                        m.concept_id is not None for m in document.mentions
                    )
        return Written(rows, counts)


class Sink(Protocol):
    """An open collection."""

    def add(self, document: dict[str, Any]) -> None:
        """Write a document, given as BioC JSON has it."""


def as_json(document: ExportDocument) -> dict[str, Any]:
    """A document as BioC JSON; its text must not be null."""
    text = document.text or ""
    is_abstract = document.kind == "abstract"
    passages = []
    mentions = list(document.mentions)
    for start, end, name in passages_of(document):
        infons = {"type": name or ("abstract" if is_abstract else "text")}
        if not is_abstract or name not in _OF_ABSTRACTS:
            infons["section_type"] = (name or "text").upper()
        inside = list(itertools.takewhile(lambda m, end=end: m.start_char < end, mentions))  # type: ignore[misc]
        del mentions[: len(inside)]
        passages.append(
            {
                "offset": start,
                "infons": infons,
                "text": text[start:end],
                "sentences": [],
                "annotations": [_annotation(mention, text) for mention in inside],
                "relations": [],
            }
        )
    return {
        "id": document.native_id,
        "infons": _infons(
            corpus=document.corpus,
            kind=document.kind,
            document_type=document.document_type,
            date=document.document_date,
        ),
        "passages": passages,
        "annotations": [],
        "relations": [],
    }


def _annotation(mention: ExportMention, text: str) -> dict[str, Any]:
    start, end = mention.start_char, mention.end_char
    return {
        "id": str(mention.mention_id),
        "infons": _infons(
            type=mention.label,
            identifier=mention.concept_id,
            name=mention.concept_name,
            score=f"{mention.score:.4f}",
            model=mention.model,
            negated=mention.negated,
            uncertain=mention.uncertain,
            historical=mention.historical,
            hypothetical=mention.hypothetical,
            experiencer=mention.experiencer,
        ),
        "text": text[start:end],
        "locations": [{"offset": start, "length": end - start}],
    }


def _infons(**values: object) -> dict[str, str]:
    """Infons are strings; what is null has none."""
    return {
        key: str(value).lower() if isinstance(value, bool) else str(value)
        for key, value in values.items()
        if value is not None
    }


class _JsonSink:
    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self._between = ""

    def add(self, document: dict[str, Any]) -> None:
        self._stream.write(self._between + json.dumps(document, ensure_ascii=False))
        self._between = ",\n"


@contextmanager
def _open_json(path: Path, corpus: str) -> Iterator[Sink]:
    head = {
        "bioctype": "BioCCollection",
        "source": f"charthouse {__version__}, corpus {corpus}",
        "date": "",
        "key": "charthouse.key",
        "version": "1.0",
        "infons": {},
        "documents": [],
    }
    opening, closing = json.dumps(head, ensure_ascii=False)[:-2], "]}"
    with path.open("w", encoding="utf-8") as stream:
        stream.write(opening + "\n")
        yield _JsonSink(stream)
        stream.write("\n" + closing + "\n")


class _XmlSink:
    def __init__(self, writer: Any) -> None:
        self._writer = writer

    def add(self, document: dict[str, Any]) -> None:
        self._writer.write(_document_element(document))
        self._writer.write("\n")


@contextmanager
def _open_xml(path: Path, corpus: str) -> Iterator[Sink]:
    with etree.xmlfile(str(path), encoding="utf-8", buffered=True) as writer:
        writer.write_declaration()
        with writer.element("collection"):
            source = f"charthouse {__version__}, corpus {corpus}"
            for name, text in (("source", source), ("date", ""), ("key", "charthouse.key")):
                with writer.element(name):
                    writer.write(_for_xml(text))
            writer.write("\n")
            yield _XmlSink(writer)


_OPENERS = {BiocFile.xml: _open_xml, BiocFile.json: _open_json}


def _document_element(document: dict[str, Any]) -> etree._Element:
    found = etree.Element("document")
    _add(found, "id", document["id"])
    _add_infons(found, document["infons"])
    for passage in document["passages"]:
        part = etree.SubElement(found, "passage")
        _add_infons(part, passage["infons"])
        _add(part, "offset", str(passage["offset"]))
        _add(part, "text", passage["text"])
        for annotation in passage["annotations"]:
            marked = etree.SubElement(part, "annotation", id=annotation["id"])
            _add_infons(marked, annotation["infons"])
            for at in annotation["locations"]:
                place = {"offset": str(at["offset"]), "length": str(at["length"])}
                etree.SubElement(marked, "location", place)
            _add(marked, "text", annotation["text"])
    return found


def _add_infons(parent: etree._Element, infons: dict[str, str]) -> None:
    for key, value in infons.items():
        etree.SubElement(parent, "infon", key=key).text = _for_xml(value)


def _add(parent: etree._Element, name: str, text: str) -> None:
    etree.SubElement(parent, name).text = _for_xml(text)


def _for_xml(text: str) -> str:
    return text if text.isprintable() else _NOT_IN_XML.sub(" ", text)
