"""The real corpora as charthouse reads them, and copies of them under new ids, as files."""

from __future__ import annotations

import csv
import gzip
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from xml.sax.saxutils import escape

from lxml import etree

from flows.readers.base import SourceFile
from flows.readers.pubtator import PUBTATOR
from flows.readers.record import Document

CORPORA = ("bc5cdr_train", "bc5cdr_dev", "ncbi_train", "ncbi_dev")
CITATIONS = "medline16n0902.xml.gz"
CITATIONS_A_FILE = 30_000
"""As in a file of PubMed's yearly baseline."""
NOTES_A_FILE = 20_000


@dataclass(frozen=True)
class Base:
    """Documents to repeat: citations as XML around their PMID, notes as a person and a text."""

    citations: Sequence[tuple[str, str]]
    notes: Sequence[tuple[str, str]]

    @property
    def documents(self) -> int:
        """Documents in one copy."""
        return len(self.citations) + len(self.notes)


def read_base(data: Path, limit: int | None) -> Base:
    """All documents of the corpora; ``limit`` takes so many of each kind, evenly spread."""
    corpora = [data / "corpora" / f"{name}.pubtator.gz" for name in CORPORA]
    citations = [
        *_medline(data / "citations" / CITATIONS),
        *(citation for path in corpora for citation in _pubtator(path)),
    ]
    notes = [
        *_transcribed(data / "notes" / "transcribed_notes.csv.gz"),
        *_dialogue_notes(data / "notes" / "aci_bench_train.jsonl.gz"),
    ]
    return Base(_spread(citations, limit), _spread(notes, limit))


def write_copies(base: Base, folder: Path, documents: int) -> int:
    """Write so many documents, each under an id of its own: release files and CSV files.

    The native id of a document is its number in its kind, from 1: its place in the base is that
    number modulo the size of the base.

    Returns:
        Bytes written.
    """
    folder.mkdir(parents=True)
    copies, rest = divmod(documents, base.documents)
    more = round(rest * len(base.citations) / base.documents)
    _write_citations(base.citations, folder, copies * len(base.citations) + more)
    _write_notes(base.notes, folder, copies * len(base.notes) + rest - more)
    return sum(path.stat().st_size for path in folder.iterdir())


def _write_citations(base: Sequence[tuple[str, str]], folder: Path, documents: int) -> None:
    pmids = iter(range(1, documents + 1))
    number = 0
    while part := list(islice(pmids, CITATIONS_A_FILE)):
        number += 1
        with gzip.open(folder / f"pubmed26n{number:04d}.xml.gz", "wt", compresslevel=1) as file:
            file.write("<PubmedArticleSet>\n")
            for pmid in part:
                head, tail = base[(pmid - 1) % len(base)]
                file.write(f"<PubmedArticle>{head}{pmid}{tail}</PubmedArticle>\n")
            file.write("</PubmedArticleSet>\n")


def _write_notes(base: Sequence[tuple[str, str]], folder: Path, documents: int) -> None:
    numbers = iter(range(1, documents + 1))
    number = 0
    while part := list(islice(numbers, NOTES_A_FILE)):
        number += 1
        path = folder / f"notes-{number:04d}.csv.gz"
        with gzip.open(path, "wt", compresslevel=1, newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["note_id", "person_id", "text"])
            for note in part:
                person, text = base[(note - 1) % len(base)]
                writer.writerow([note, f"{person}-{(note - 1) // len(base)}", text])


def _medline(path: Path) -> Iterator[tuple[str, str]]:
    with gzip.open(path) as file:
        tree = etree.parse(file)
    for citation in tree.iterfind(".//MedlineCitation"):
        citation.tail = None
        before, mark, after = etree.tostring(citation, encoding="unicode").partition("</PMID>")
        if mark and citation.find("Article") is not None:
            yield before[: before.rindex(">") + 1], mark + after


def _pubtator(path: Path) -> Iterator[tuple[str, str]]:
    for document in PUBTATOR.read(SourceFile(path, PUBTATOR.name, path.stem)):
        if not isinstance(document, Document):
            continue
        title = document.title or ""
        abstract = document.text.removeprefix(title).strip()
        yield (
            '<MedlineCitation><PMID Version="1">',
            "</PMID><Article><ArticleTitle>"
            f"{escape(title)}</ArticleTitle><Abstract><AbstractText>{escape(abstract)}"
            "</AbstractText></Abstract></Article></MedlineCitation>",
        )


def _transcribed(path: Path) -> Iterator[tuple[str, str]]:
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            yield row["person_id"], row["text"]


def _dialogue_notes(path: Path) -> Iterator[tuple[str, str]]:
    with gzip.open(path, "rt", encoding="utf-8") as file:
        for number, line in enumerate(file):
            yield f"aci{number}", json.loads(line)["text"]


def _spread(documents: list[tuple[str, str]], limit: int | None) -> list[tuple[str, str]]:
    step = max(1, len(documents) // limit) if limit else 1
    return documents[::step][:limit]
