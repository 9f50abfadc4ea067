"""Slices: rows of one file after another, gathered into frames of bounded size."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import polars as pl

from flows.incoming import Reject, Row
from nlp.schema import DOCUMENTS, SECTION_SPANS

SLICE_RECORDS = 5_000
SLICE_CHARACTERS = 8_000_000
"""A slice ends where either is reached: planning needs the memory of one, and asks the warehouse
once for each, however small the files are."""

_DOCUMENTS = DOCUMENTS.schema | {
    "sections": SECTION_SPANS,
    "path": pl.String,
    "ordinal": pl.Int64,
    "seq": pl.Int64,
}
_REJECTS = {"path": pl.String, "ordinal": pl.Int64, "reason": pl.String, "seq": pl.Int64}


@dataclass(frozen=True)
class Slice:
    """Some records in the order they were read, numbered by ``seq`` over all sources.

    Attributes:
        number: its place among the slices, from 0.
        documents: columns of ``documents``, ``sections``, ``path``, ``ordinal``, ``seq`` and
            ``characters``; deletions have no text.
        rejects: ``path``, ``ordinal``, ``reason`` and ``seq``.
    """

    number: int
    documents: pl.DataFrame
    rejects: pl.DataFrame


class Gathering:
    """Rows that do not make a slice yet."""

    def __init__(self, hand_on: Callable[[Slice], None]) -> None:
        """Nothing is gathered yet; ``hand_on`` is given each slice as soon as it is full."""
        self._hand_on = hand_on
        self._number = 0
        self._documents: list[Row] = []
        self._rejects: list[Row] = []
        self._characters = 0
        self.next_seq = 0

    def add(self, found: Row | Reject) -> None:
        """Take one more record."""
        if isinstance(found, Reject):
            self._rejects.append(found._asdict() | {"seq": self.next_seq})
        else:
            found["seq"] = self.next_seq
            self._documents.append(found)
            self._characters += len(str(found["text"]))
        self.next_seq += 1
        if (
            len(self._documents) + len(self._rejects) >= SLICE_RECORDS
            or self._characters >= SLICE_CHARACTERS
        ):
            self.flush()

    def take_back(self, seq: int) -> None:
        """Forget the rows from ``seq`` on that were not handed on."""
        for rows in (self._documents, self._rejects):
            while rows and rows[-1]["seq"] >= seq:  # type: ignore[operator]
                rows.pop()
        self._characters = sum(len(str(row["text"])) for row in self._documents)

    def flush(self) -> None:
        """Hand on what is gathered."""
        if not self._documents and not self._rejects:
            return
        documents = pl.DataFrame(self._documents, schema=_DOCUMENTS).with_columns(
            characters=pl.col("text").str.len_chars().cast(pl.Int64)
        )
        rejects = pl.DataFrame(self._rejects, schema=_REJECTS)
        self._documents, self._rejects, self._characters = [], [], 0
        self._hand_on(Slice(self._number, documents, rejects))
        self._number += 1
