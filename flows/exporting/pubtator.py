"""PubTator: a title line, an abstract line, a tab-separated row for each mention.

The format is that of NLM's PubTator (Wei et al. 2013) and of the BioCreative V CDR corpus. Offsets
count characters of title, one separator, abstract. So a text is cut in two where it has a blank:
after its title, else at its first line end; what has neither is all title. Line ends and tabs
within become blanks, one for one, and every offset stays what it is in the warehouse.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from operator import attrgetter
from pathlib import Path
from typing import ClassVar

from flows.exporting.corpus_files import file_name
from flows.exporting.documents import ExportDocument, stream_documents
from flows.exporting.outcome import Written
from flows.exporting.selection import SELECTED
from flows.warehouse.layout import Connection

_BREAKS = re.compile("[\\t\\n\\x0b\\x0c\\r\\x1c-\\x1e\\x85\\u2028\\u2029]")
"""Whatever some program takes for the end of a line or column."""

NO_CONCEPT = "-"


@dataclass(frozen=True)
class Pubtator:
    """The PubTator export: it has nothing to choose."""

    name: ClassVar[str] = "pubtator"
    annotated: ClassVar[bool] = True

    def check(self) -> None:
        """Nothing can be wrong before the warehouse is open."""

    def expect(self, connection: Connection) -> Written:
        """Documents of each corpus, without writing anything."""
        return expect_corpora(connection, ".pubtator")

    def write(self, connection: Connection, folder: Path) -> Written:
        """Write a file for each corpus."""
        rows: dict[str, int] = {}
        counts = {"mentions": 0, "mentions with a concept": 0, "documents without text": 0}
        streamed = stream_documents(connection)
        for corpus, documents in itertools.groupby(streamed, attrgetter("corpus")):
            name = file_name(corpus, ".pubtator", rows)
            rows[name] = 0
            with (folder / name).open("w", encoding="utf-8", newline="\n") as file:
                for document in documents:
                    if document.text is None:
                        counts["documents without text"] += 1
                        continue
                    file.writelines(lines_of(document))
                    rows[name] += 1
                    counts["mentions"] += len(document.mentions)
                    counts["mentions with a concept"] += sum(
                        m.concept_id is not None for m in document.mentions
                    )
        return Written(rows, counts)


def lines_of(document: ExportDocument) -> Iterator[str]:
    """A document's lines, the blank one at its end included; its text must not be null."""
    text = document.text or ""
    native_id = re.sub(r"[|\s]", "_", document.native_id)
    cut = cut_place(text, document.title)
    level = flat(text)
    yield f"{native_id}|t|{level[:cut]}\n"
    yield f"{native_id}|a|{level[cut + 1 :]}\n"
    for mention in document.mentions:
        start, end = mention.start_char, mention.end_char
        concept = mention.concept_id or NO_CONCEPT
        yield f"{native_id}\t{start}\t{end}\t{level[start:end]}\t{mention.label}\t{concept}\n"
    yield "\n"


def flat(text: str) -> str:
    """The text with line ends and tabs as blanks, one for one."""
    return _BREAKS.sub(" ", text)


def cut_place(text: str, title: str | None) -> int:
    """Where the title ends: behind it stands one blank, or nothing."""
    has_title = bool(title and title.strip()) and text.startswith(title or "")
    if has_title and text[len(title or "") :][:1].isspace():
        return len(title or "")
    # White space before the first word stays with it: the title must not be empty or blank.
    found = _BREAKS.search(text, len(text) - len(text.lstrip()))
    return found.start() if found and text[found.end() :] else len(text)


def expect_corpora(connection: Connection, *suffixes: str) -> Written:
    """For a dry run: the files of a format that has one for each corpus, and their documents."""
    found = connection.execute(
        "SELECT s.corpus, count(d.text), count(*) - count(d.text) "
        f"FROM {SELECTED} s JOIN documents d ON d.rowid = s.place GROUP BY ALL ORDER BY 1"
    ).fetchall()
    rows: dict[str, int] = {}
    for corpus, documents, _ in found:
        for suffix in suffixes:
            rows[file_name(corpus, suffix, rows)] = documents
    ((mentions,),) = connection.execute(
        f"SELECT count(*) FROM mentions SEMI JOIN {SELECTED} USING (document_id, annotation_id)"
    ).fetchall()
    without = sum(row[2] for row in found)
    return Written(rows, {"mentions": mentions, "documents without text": without})
