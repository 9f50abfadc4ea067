"""PubTator: ``PMID|t|title``, ``PMID|a|abstract``, then tab-separated annotation rows.

The format is that of NLM's PubTator (Wei et al. 2013) and of the BioCreative V CDR and NCBI
Disease corpora. Offsets count characters of title + one space + abstract.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, unquote

from flows.errors import SourceError
from flows.readers.base import Reader, SourceFile
from flows.readers.compression import open_binary
from flows.readers.gold import GoldDocument, GoldMention, GoldRelation, curies, related
from flows.readers.record import BadRecord, Document, Record

_TEXT_ROW = re.compile(r"([^|\t]+)\|([ta])\|(.*)", re.DOTALL)
_SNIFF = re.compile(rb"(?:\xef\xbb\xbf)?\s*[^\s|]+\|t\|")
_UNFIT = re.compile(r"[%|\s\x00-\x1f\x7f-\x9f]")


@dataclass(slots=True)
class _Block:
    """One document's rows."""

    native_id: str
    line: int
    title: str | None = None
    abstract: str | None = None
    rows: list[list[str]] = field(default_factory=list)
    problem: str | None = None

    @property
    def text(self) -> str:
        # Without an abstract there is nothing for the space to part from the title.
        return f"{self.title or ''} {self.abstract}" if self.abstract else self.title or ""


def as_pmid(document_id: str) -> str:
    """A document_id for the place of the PMID: what would break the file is percent-encoded."""
    return _UNFIT.sub(lambda found: quote(found[0], safe=""), document_id)


def document_id_of(pmid: str) -> str | None:
    """What :func:`as_pmid` encoded; ``None`` of an id that names no corpus."""
    return unquote(pmid) if ":" in pmid else None


def read_gold(path: Path) -> Iterator[GoldDocument]:
    """Yield each document with its gold mentions and relations.

    A relation row is PMID, type, subject's concept, object's concept; CDR's type is ``CID``
    (chemical-induced disease), of a chemical and a disease.

    Ids are made CURIEs; several (``D003110|D009369``, ``D010051+D010190``) become several, and
    ``-1`` none. A PMID that stands twice is yielded twice.

    Raises:
        SourceError: a block is not PubTator (file and line named).
    """
    for block in _blocks(path):
        if block.problem:
            raise SourceError(f"{path}, document at line {block.line}: {block.problem}")
        mentions = []
        relations: list[GoldRelation] = []
        for row in block.rows:
            # What begins with no letter is no type, but a mention whose start is broken.
            if len(row) >= 4 and row[1][:1].isalpha():
                relations += related(row[1], row[2], row[3])
                continue
            if len(row) < 5 or not (row[1].isdecimal() and row[2].isdecimal()):
                continue
            ids = curies(row[5]) if len(row) > 5 else ()
            mentions.append(GoldMention(int(row[1]), int(row[2]), row[3], row[4], ids))
        yield GoldDocument(
            block.native_id,
            block.text,
            tuple(mentions),
            tuple(relations),
            document_id=document_id_of(block.native_id),
        )


def _parse(file: SourceFile) -> Iterator[Record]:
    for block in _blocks(file.path):
        if block.problem:
            yield BadRecord(block.problem)
        else:
            yield Document(
                native_id=block.native_id, text=block.text, kind="abstract", title=block.title
            )


def _blocks(path: Path) -> Iterator[_Block]:
    block: _Block | None = None
    with open_binary(path) as stream:
        for number, raw in enumerate(stream, start=1):
            line, problem = _decode(raw.removeprefix(b"\xef\xbb\xbf") if number == 1 else raw)
            row = _TEXT_ROW.fullmatch(line)
            # A title opens a document, so that blocks need no blank line between them.
            opens = row is not None and (
                block is None or row[2] == "t" or block.native_id != row[1]
            )
            if block is not None and (opens or not line):
                yield block
                block = None
            if not line:
                continue
            if block is None:
                block = _Block(row[1].strip() if row else "", number)
            if row is not None and row[2] == "t":
                block.title = row[3]
            elif row is not None and block.abstract is None:
                block.abstract = row[3]
            elif "\t" in line:
                block.rows.append(line.split("\t"))
            else:
                problem = problem or "a line is neither title, abstract nor annotation"
            block.problem = block.problem or problem
    if block is not None:
        yield block


def _decode(raw: bytes) -> tuple[str, str | None]:
    raw = raw.rstrip(b"\r\n")
    try:
        return raw.decode("utf-8"), None
    except UnicodeDecodeError:
        return raw.decode("utf-8", errors="replace"), "not valid UTF-8"


PUBTATOR = Reader(
    name="pubtator",
    version=1,
    suffixes=(".pubtator", ".txt"),
    parse=_parse,
    sniff=lambda head: _SNIFF.match(head) is not None,
)
