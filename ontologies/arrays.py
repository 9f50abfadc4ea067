"""Array files of an index, written part by part, so that no array need be held whole."""

from __future__ import annotations

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
