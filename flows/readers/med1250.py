"""Documents with the abbreviations they define, in the form of MED1250.

MED1250 is the set that Ab3P was judged by (Sohn et al. 2008, doi:10.1186/1471-2105-9-402). A block
is a PMID, a title and an abstract, one line each, then an indented line for every definition: short
form and long form, a bar between them. Blocks are parted by blank lines; lines that begin with
``//`` are remarks.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from flows.errors import SourceError
from flows.readers.compression import numbered_lines

Pair = tuple[str, str]
"""Short form and long form, white space collapsed."""

_REMARK = "//"
_PMID = re.compile(r"\d{1,12}")
_INDENT = " \t"


@dataclass(frozen=True, slots=True)
class DefiningDocument:
    """A text, its lines joined as in the file, and the definitions annotators found in it."""

    native_id: str
    text: str
    pairs: frozenset[Pair]


def read_definitions(path: Path) -> Iterator[DefiningDocument]:
    """Yield each document with its definitions. A PMID that stands twice is yielded twice.

    Raises:
        SourceError: the file cannot be read, or a block is not of this form (file and line named).
    """
    for line, rows in _blocks(path):
        pmid = rows[0].strip()
        if not _PMID.fullmatch(pmid):
            raise SourceError(
                f"{path}, line {line}: a block does not begin with a PMID",
                "Known is the form of MED1250: PMID, title, abstract, indented short|long rows",
            )
        text: list[str] = []
        pairs: list[Pair] = []
        for number, row in enumerate(rows[1:], start=line + 1):
            if row.startswith(_REMARK):
                continue
            if row[0] in _INDENT:
                pairs.append(_pair(path, number, row))
            elif pairs:
                raise SourceError(f"{path}, line {number}: text after the definitions of a block")
            else:
                text.append(row)
        if pairs and not text:
            raise SourceError(f"{path}, line {line}: a block has definitions but no text")
        yield DefiningDocument(pmid, "\n".join(text), frozenset(pairs))


def _blocks(path: Path) -> Iterator[tuple[int, list[str]]]:
    """The number of a block's first line, and its lines."""
    first, rows = 0, list[str]()
    for number, row in numbered_lines(path):
        if row.strip():
            first = first if rows else number
            rows.append(row)
        elif rows:
            yield first, rows
            rows = []
    if rows:
        yield first, rows


def _pair(path: Path, number: int, row: str) -> Pair:
    short, bar, long = (" ".join(part.split()) for part in row.partition("|"))
    if not (short and bar and long):
        raise SourceError(f"{path}, line {number}: an indented row is not short|long")
    return short, long
