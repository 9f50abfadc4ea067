"""Array files of an index, written part by part, so that no array need be held whole."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
import numpy.typing as npt


class ArrayFile:
    """A ``.npy`` file that grows along its first axis.

    A context manager: the header, which states the length, is right once it is left.
    """

    def __init__(self, path: Path, dtype: npt.DTypeLike, row: tuple[int, ...] = ()) -> None:
        """Open a new file.

        Args:
            path: the file.
            dtype: of all parts; parts of another one are cast if nothing is lost.
            row: shape of one element of the first axis.
        """
        self._dtype, self._row = np.dtype(dtype), row
        self._rows = 0
        self._file = path.open("wb")
        self._write_header()

    def append(self, part: npt.NDArray[Any]) -> None:
        """Write further rows."""
        same = np.ascontiguousarray(part).astype(self._dtype, casting="safe", copy=False)
        self._file.write(same.reshape(-1).view(np.uint8).data)
        self._rows += len(same)

    def _write_header(self) -> None:
        header = {
            "descr": np.lib.format.dtype_to_descr(self._dtype),  # type: ignore[no-untyped-call]
            "fortran_order": False,
            "shape": (self._rows, *self._row),
        }
        # NumPy pads a header so that the first axis may have any length.
        np.lib.format.write_array_header_1_0(self._file, header)  # type: ignore[no-untyped-call]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with self._file:
            if kind is None:
                self._file.seek(0)
                self._write_header()


def array_path(folder: Path, group: str, field: str) -> Path:
    """Where one array of an index group stands."""
    return folder / f"{group}.{field}.npy"


def write_group(folder: Path, group: str, index: object) -> None:
    """Write the arrays of one group, a frozen dataclass of arrays."""
    for field, array in vars(index).items():
        np.save(array_path(folder, group, field), array, allow_pickle=False)


def load_array(path: Path, *, writable: bool = False) -> npt.NDArray[Any]:
    """A memory-mapped array; one without elements, which cannot be mapped, is read.

    Args:
        path: the file.
        writable: for libraries that take no read-only arrays. What is written stays in memory and
            does not reach the file.

    Raises:
        ValueError: the file is damaged.
    """
    try:
        array = np.load(path, mmap_mode="c" if writable else "r", allow_pickle=False)
    except ValueError:
        array = np.load(path, allow_pickle=False)
    return np.asarray(array)


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


def row_starts(length: npt.NDArray[np.integer[Any]]) -> npt.NDArray[np.int64]:
    """Offsets of ragged rows of given lengths, shape (rows + 1,)."""
    start = np.zeros(len(length) + 1, dtype=np.int64)
    np.cumsum(length, out=start[1:])
    return start


def ragged(start: npt.NDArray[np.integer[Any]], rows: npt.NDArray[np.integer[Any]]) -> (
    tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]
):  # fmt: skip
    """Positions of the elements of some rows of a ragged array.

    Args:
        start: where each row begins and the last one ends, shape (rows of the array + 1,).
        rows: the rows wanted, in any order.

    Returns:
        Elements of each row wanted, shape (rows,), and the position of every element in turn.
    """
    first = start[rows].astype(np.int64)
    length = start[rows + 1].astype(np.int64) - first
    end = np.cumsum(length)
    within = np.arange(int(end[-1]) if len(end) else 0, dtype=np.int64)
    return length, within + np.repeat(first - (end - length), length)
