"""MED1250: blocks of PMID, title, abstract and the definitions in them."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from flows.errors import SourceError
from flows.readers.med1250 import DefiningDocument, read_definitions

BLOCK = (
    "17\nA title.\nHeart rate (HR)\tand  renal\u2003failure (RF).\n"
    "  HR|Heart rate\n  RF| renal  failure \n"
)


def _read(tmp_path: Path, content: str) -> list[DefiningDocument]:
    path = tmp_path / "gold.txt"
    path.write_bytes(content.encode())
    return list(read_definitions(path))


def test_a_block(tmp_path: Path) -> None:
    (document,) = _read(tmp_path, BLOCK)
    assert document.native_id == "17"
    assert document.text == "A title.\nHeart rate (HR)\tand  renal\u2003failure (RF)."
    assert document.pairs == {("HR", "Heart rate"), ("RF", "renal failure")}


def test_blocks_are_parted_by_blank_lines_however_many(tmp_path: Path) -> None:
    found = _read(tmp_path, f"\n \n{BLOCK}\n\r\n\n18\nTitle only.\n\n19\n\n{BLOCK}")
    assert [(d.native_id, len(d.pairs)) for d in found] == [
        ("17", 2),
        ("18", 0),
        ("19", 0),
        ("17", 2),
    ]


def test_remarks_are_passed_over(tmp_path: Path) -> None:
    with_remarks = BLOCK.replace("  HR|", "// why\n//*  NO|not one\n  HR|") + "//\n"
    assert _read(tmp_path, with_remarks) == _read(tmp_path, BLOCK)


def test_line_ends_and_a_byte_order_mark_change_nothing(tmp_path: Path) -> None:
    assert _read(tmp_path, "\ufeff" + BLOCK.replace("\n", "\r\n")) == _read(tmp_path, BLOCK)


def test_compressed(tmp_path: Path) -> None:
    path = tmp_path / "gold.txt.gz"
    path.write_bytes(gzip.compress(BLOCK.encode()))
    assert list(read_definitions(path)) == _read(tmp_path, BLOCK)


@pytest.mark.parametrize(
    ("content", "line", "problem"),
    [
        ("A title.\nAn abstract.\n", 1, "does not begin with a PMID"),
        ("\n1|t|A title.\n", 2, "does not begin with a PMID"),
        (BLOCK + "\n18\nTitle.\n  HR: heart rate\n", 9, "not short|long"),
        (BLOCK + "\n18\nTitle.\n  HR|\n", 9, "not short|long"),
        (BLOCK + "\n18\nTitle.\n  |heart rate\n", 9, "not short|long"),
        (BLOCK + "More text.\n", 6, "text after the definitions"),
        ("17\n  HR|heart rate\n", 1, "no text"),
    ],
)
def test_a_block_that_is_not_one(tmp_path: Path, content: str, line: int, problem: str) -> None:
    with pytest.raises(SourceError) as caught:
        _read(tmp_path, content)
    assert f"gold.txt, line {line}: " in str(caught.value)
    assert problem in str(caught.value)
    assert "heart" not in str(caught.value)


def test_bytes_that_are_no_text(tmp_path: Path) -> None:
    path = tmp_path / "gold.txt"
    path.write_bytes(b"17\nA title.\n\xff\n")
    with pytest.raises(SourceError, match="line 3: is not UTF-8"):
        list(read_definitions(path))


def test_real_file(data_dir: Path) -> None:
    found = list(read_definitions(data_dir / "abbreviations" / "med1250_dev.txt.gz"))
    assert len(found) > 600
    assert sum(len(document.pairs) for document in found) > 550
