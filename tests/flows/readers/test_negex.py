"""Rows of the NegEx form: headers, what is found where, and what is no row."""

from __future__ import annotations

from pathlib import Path

import pytest

from flows.errors import SourceError
from flows.readers.negex import find_concept, read_judged

HEADER = "line\tconcept\tsentence\tnegation\ttemporality\texperiencer\n"


def written(path: Path, text: str) -> Path:
    file = path / "judged.tsv"
    file.write_text(text, encoding="utf-8")
    return file


def test_the_occurrence_in_capitals_counts_however_its_white_space() -> None:
    sentence = "No chest pain, but  CHEST \t PAIN later."
    start, end = find_concept("chest pain", sentence)
    assert sentence[start:end] == "CHEST \t PAIN"


def test_else_the_first_occurrence_and_else_the_sentence() -> None:
    assert find_concept("Cough", "A cough, cough.") == (2, 7)
    assert find_concept("fever", "A cough.") == (0, 8)
    assert find_concept("", "A cough.") == (0, 8)


def test_rows_are_known_by_their_own_number(tmp_path: Path) -> None:
    path = written(
        tmp_path, HEADER + "12\tfever\tNo FEVER.\tNegated\tNot  particular\tFamily member\n"
    )
    (row,) = read_judged(path)
    assert (row.line, row.negated, row.temporality, row.experiencer) == (
        12,
        True,
        "hypothetical",
        "family",
    )
    assert row.sentence[row.start_char : row.end_char] == "FEVER"


def test_columns_are_found_in_any_order_and_case(tmp_path: Path) -> None:
    path = written(tmp_path, "Sentence\tNegation\tConcept\nNo FEVER.\tnegated\tfever\n\n")
    (row,) = read_judged(path)
    assert (row.line, row.negated, row.temporality, row.experiencer) == (2, True, None, None)


@pytest.mark.parametrize(
    ("text", "line"),
    [("7\tfever\tNo FEVER.\tNegated\n", 7), ("fever\tNo FEVER.\tNegated\tRecent\n", 1)],
)
def test_files_without_a_header(tmp_path: Path, text: str, line: int) -> None:
    (row,) = read_judged(written(tmp_path, text))
    assert (row.line, row.negated) == (line, True)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("secret words\n", "line 1: neither a header nor a row"),
        (HEADER + "1\tsecret\tA secret.\n", "line 2: 3 columns, 6 are needed"),
        (HEADER + "1\tsecret\tA secret.\tsecret\tRecent\tPatient\n", "line 2: negation is none of"),
        (HEADER + "1\tsecret\tA secret.\tNegated\tsecret\tPatient\n", "line 2: temporality is"),
        (HEADER + "secret\tx\tA x.\tNegated\tRecent\tPatient\n", "line 2: does not begin with"),
        (HEADER + "1\tsecret\t \tNegated\tRecent\tPatient\n", "line 2: the sentence is empty"),
    ],
)
def test_errors_name_file_and_line_and_no_text(tmp_path: Path, text: str, problem: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(SourceError, match=problem) as error:
        list(read_judged(path))
    assert str(path) in str(error.value)
    assert "secret" not in str(error.value)


def test_bytes_that_are_no_utf8(tmp_path: Path) -> None:
    path = tmp_path / "judged.tsv"
    path.write_bytes(HEADER.encode() + b"1\t\xff\n")
    with pytest.raises(SourceError, match="line 2: is not UTF-8"):
        list(read_judged(path))


def test_the_real_file(data_dir: Path) -> None:
    rows = list(read_judged(data_dir / "assertion" / "negex_dev.tsv"))
    assert (len(rows), sum(row.negated for row in rows)) == (1188, 243)
    assert sum(row.temporality == "hypothetical" for row in rows) == 26
