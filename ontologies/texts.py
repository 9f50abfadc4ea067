"""Many texts as ragged rows of UTF-8, in memory or in memory-mapped files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from ontologies.arrays import ArrayFile, ragged, row_starts


@dataclass(frozen=True)
class TextRows:
    """Texts as ragged rows: offsets of shape (texts + 1,), and their UTF-8 bytes."""

    start: npt.NDArray[np.int64]
    text: npt.NDArray[np.uint8]

    def __len__(self) -> int:
        """How many texts."""
        return len(self.start) - 1

    def texts(self, low: int, high: int) -> list[str]:
        """Some texts in a row."""
        offsets = self.start[low : high + 1]
        content = self.text[offsets[0] : offsets[-1]].tobytes()
        at = (offsets - offsets[0]).tolist()
        return [content[a:b].decode() for a, b in pairwise(at)]

    def take(self, rows: npt.NDArray[np.integer[Any]]) -> TextRows:
        """The texts of some rows, copied."""
        length, position = ragged(self.start, rows)
        return TextRows(row_starts(length), self.text[position])


class TextFile:
    """The two array files of ``TextRows``, written part by part; a context manager."""

    def __init__(self, start: Path, text: Path) -> None:
        """Open two new files."""
        self._start, self._text = ArrayFile(start, np.int64), ArrayFile(text, np.uint8)
        self._start.append(np.zeros(1, dtype=np.int64))
        self._end = 0

    def append(self, rows: TextRows) -> None:
        """Write further texts."""
        self._start.append(self._end + rows.start[1:] - rows.start[0])
        self._text.append(rows.text)
        self._end += len(rows.text)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._start.__exit__(kind, error, trace)
        self._text.__exit__(kind, error, trace)


def text_rows(texts: Sequence[str]) -> TextRows:
    """Texts as ragged rows."""
    encoded = [text.encode() for text in texts]
    length = np.fromiter(map(len, encoded), dtype=np.int64, count=len(encoded))
    text = np.frombuffer(b"".join(encoded), dtype=np.uint8)
    return TextRows(row_starts(length), text)
