from __future__ import annotations

from itertools import chain
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ontologies.arrays import ArrayFile, load_array, ragged
from ontologies.texts import TextFile, TextRows, text_rows

PARTS = st.lists(st.lists(st.integers(-9, 9), max_size=5), max_size=4)
TEXTS = st.lists(st.text(max_size=5), max_size=6)


@given(PARTS)
def test_parts_make_the_file_that_one_array_makes(
    tmp_path_factory: pytest.TempPathFactory, parts: list[list[int]]
) -> None:
    folder = tmp_path_factory.mktemp("arrays")
    with ArrayFile(folder / "parts.npy", np.int32) as file:
        for part in parts:
            file.append(np.array(part, dtype=np.int32))
    np.save(folder / "whole.npy", np.array(list(chain(*parts)), dtype=np.int32))
    assert (folder / "parts.npy").read_bytes() == (folder / "whole.npy").read_bytes()


def test_rows_of_several_columns(tmp_path: Path) -> None:
    with ArrayFile(tmp_path / "a.npy", np.uint64, (2,)) as file:
        file.append(np.array([[1, 2], [3, 4]], dtype=np.uint64))
        file.append(np.array([[5, 6]], dtype=np.uint64))
    assert load_array(tmp_path / "a.npy").tolist() == [[1, 2], [3, 4], [5, 6]]


def test_a_part_that_does_not_fit(tmp_path: Path) -> None:
    with (
        pytest.raises(TypeError, match="safe"),
        ArrayFile(tmp_path / "a.npy", np.int32) as file,
    ):
        file.append(np.array([2**40]))


def test_what_is_written_to_a_writable_array_stays_in_memory(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.array([1, 2]))
    array = load_array(tmp_path / "a.npy", writable=True)
    array[0] = 9
    assert load_array(tmp_path / "a.npy").tolist() == [1, 2]
    with pytest.raises(ValueError, match="read-only"):
        load_array(tmp_path / "a.npy")[0] = 9


@given(TEXTS, TEXTS)
def test_texts_come_back(
    tmp_path_factory: pytest.TempPathFactory, first: list[str], then: list[str]
) -> None:
    start, text = (tmp_path_factory.mktemp("texts") / name for name in ("start.npy", "text.npy"))
    with TextFile(start, text) as file:
        file.append(text_rows(first))
        file.append(text_rows(then))
    rows = TextRows(load_array(start), load_array(text))
    assert rows.texts(0, len(rows)) == [*first, *then]
    turned = rows.take(np.arange(len(rows))[::-1])
    assert turned.texts(0, len(turned)) == [*first, *then][::-1]


def test_ragged_rows() -> None:
    length, position = ragged(np.array([0, 2, 2, 5]), np.array([2, 1, 0, 2]))
    assert length.tolist() == [3, 0, 2, 3]
    assert position.tolist() == [2, 3, 4, 0, 1, 2, 3, 4]
