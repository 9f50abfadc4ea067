"""IOB: one token and its tag a line, a blank line between sentences.

One document per sentence: tokens joined by one space, the sentence's 0-based ordinal its id.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from flows.errors import SourceError
from flows.readers.base import Reader, SourceFile
from flows.readers.compression import open_binary
from flows.readers.gold import GoldDocument, GoldMention
from flows.readers.record import BadRecord, Document, Record

DOCUMENT_MARK = b"-DOCSTART-"
"""Token of the lines that CoNLL files put between documents."""

_TAG = re.compile(r"O|[BIELMSU](-.+)?")
_BEGINS = frozenset("BSU")
_ENDS = frozenset("ELSU")


@dataclass(slots=True)
class _Sentence:
    line: int
    tokens: list[str] = field(default_factory=list)
    tags: list[str] = field(default_factory=list)
    problem: str | None = None


def read_gold(path: Path) -> Iterator[GoldDocument]:
    """Yield each sentence with the mentions its tags state (IOB1, IOB2, BIOES or BILOU).

    Raises:
        SourceError: a sentence has lines that are not token and tag (file and line named).
    """
    for ordinal, sentence in enumerate(_sentences(path)):
        problem = sentence.problem
        if problem is None and not all(_TAG.fullmatch(tag) for tag in sentence.tags):
            problem = "a tag is neither O nor B-, I-, E- or S- of a type"
        if problem:
            raise SourceError(f"{path}, sentence at line {sentence.line}: {problem}")
        text = " ".join(sentence.tokens)
        starts = [0]
        for token in sentence.tokens:
            starts.append(starts[-1] + len(token) + 1)
        mentions = []
        for first, last, label in tag_spans(sentence.tags):
            start, end = starts[first], starts[last] - 1
            mentions.append(GoldMention(start, end, text[start:end], label))
        yield GoldDocument(str(ordinal), text, tuple(mentions))


def tag_spans(tags: Sequence[str]) -> list[tuple[int, int, str]]:
    """The entities of one sentence as (first token, one past the last token, type).

    An I that follows no token of its type begins an entity, as in IOB1 (Tjong Kim Sang and
    Veenstra 1999); E and L end one, S and U are one, M counts as I.
    """
    spans: list[tuple[int, int, str]] = []
    start: int | None = None
    label = ""
    for position, tag in enumerate(tags):
        prefix, _, name = tag.partition("-")
        if start is not None and (prefix == "O" or prefix in _BEGINS or name != label):
            spans.append((start, position, label))
            start = None
        if prefix != "O" and start is None:
            start, label = position, name
        if start is not None and prefix in _ENDS:
            spans.append((start, position + 1, label))
            start = None
    if start is not None:
        spans.append((start, len(tags), label))
    return spans


def _parse(file: SourceFile) -> Iterator[Record]:
    for ordinal, sentence in enumerate(_sentences(file.path)):
        if sentence.problem:
            yield BadRecord(sentence.problem)
        else:
            text = " ".join(sentence.tokens)
            yield Document(native_id=str(ordinal), text=text, kind="abstract")


def _sentences(path: Path) -> Iterator[_Sentence]:
    sentence: _Sentence | None = None
    with open_binary(path) as stream:
        for number, raw in enumerate(stream, start=1):
            raw = raw.removeprefix(b"\xef\xbb\xbf") if number == 1 else raw
            if not raw.strip() or raw.split()[0] == DOCUMENT_MARK:
                if sentence is not None:
                    yield sentence
                sentence = None
                continue
            if sentence is None:
                sentence = _Sentence(number)
            try:
                columns = _columns(raw.decode("utf-8"))
            except UnicodeDecodeError:
                sentence.problem = sentence.problem or "not valid UTF-8"
                continue
            if len(columns) < 2 or not columns[0]:
                sentence.problem = sentence.problem or "a line is not token and tag"
                continue
            sentence.tokens.append(columns[0])
            sentence.tags.append(columns[-1])
    if sentence is not None:
        yield sentence


def _columns(line: str) -> list[str]:
    line = line.rstrip("\r\n")
    # Only ASCII blanks part columns: a token may hold a no-break space.
    return line.rstrip("\t ").split("\t") if "\t" in line else re.split(" +", line.strip(" "))


def _sniff(head: bytes) -> bool:
    lines = head.decode("utf-8", errors="replace").removeprefix("\ufeff").split("\n")
    # The last line may be cut off by the sniffing window.
    lines = lines[:-1] if len(lines) > 1 else lines
    rows = [_columns(s) for s in lines if s.strip() and s.split()[0] != DOCUMENT_MARK.decode()]
    return bool(rows) and all(len(row) > 1 and _TAG.fullmatch(row[-1]) for row in rows)


IOB = Reader(
    name="iob",
    version=1,
    suffixes=(".iob", ".iob2", ".bio", ".bioes", ".conll", ".tsv"),
    parse=_parse,
    sniff=_sniff,
)
