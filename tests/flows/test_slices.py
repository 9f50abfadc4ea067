"""What planning holds at once: slices of records, whatever files they come from."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.incoming import Reject, Row, read_rows
from flows.readers.discover import discover
from flows.slices import SLICE_RECORDS, Gathering, Slice


def rows(folder: Path, count: int) -> list[Row | Reject]:
    """Rows of plain notes, one file each; the third is empty."""
    folder.mkdir()
    for number in range(count):
        text = "" if number == 2 else f"note {number}"
        (folder / f"{number:05d}.txt").write_text(text)
    return [row for file in discover([str(folder)]) for row in read_rows(file, 0)]


def test_many_small_files_make_one_slice(tmp_path: Path) -> None:
    slices: list[Slice] = []
    gathering = Gathering(slices.append)
    for row in rows(tmp_path / "notes", 50):
        gathering.add(row)
    assert slices == []
    gathering.flush()
    gathering.flush()
    (only,) = slices
    assert (len(only.documents), len(only.rejects)) == (49, 1)
    assert only.rejects["seq"].to_list() == [2]
    assert only.documents["characters"].to_list()[:3] == [6, 6, 6]


@pytest.mark.parametrize(("characters", "expected"), [(10, SLICE_RECORDS), (4_000_000, 2)])
def test_a_slice_is_bounded_by_records_and_characters(
    tmp_path: Path, characters: int, expected: int
) -> None:
    (row, *_) = rows(tmp_path / "notes", 1)
    assert isinstance(row, dict)
    slices: list[Slice] = []
    gathering = Gathering(slices.append)
    for _ in range(2 * expected):
        gathering.add(row | {"text": "x" * characters})
    assert [len(s.documents) for s in slices] == [expected, expected]
    assert [s.number for s in slices] == [0, 1]


@given(kept=st.integers(0, 5), dropped=st.integers(0, 5), after=st.integers(1, 5))
def test_what_is_taken_back_is_not_handed_on(
    tmp_path_factory: pytest.TempPathFactory, kept: int, dropped: int, after: int
) -> None:
    (row, *_) = rows(tmp_path_factory.mktemp("notes") / "n", 1)
    assert isinstance(row, dict)
    slices: list[Slice] = []
    gathering = Gathering(slices.append)
    for _ in range(kept):
        gathering.add(dict(row))
    mark = gathering.next_seq
    for number in range(dropped):
        gathering.add(Reject("x", number, "bad") if number % 2 else dict(row))
    gathering.take_back(mark)
    for _ in range(after):
        gathering.add(dict(row))
    gathering.flush()
    (only,) = slices
    assert len(only.rejects) == 0
    expected = [*range(kept), *range(mark + dropped, mark + dropped + after)]
    assert only.documents["seq"].to_list() == expected
