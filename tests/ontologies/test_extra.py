from __future__ import annotations

import gzip
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from ontologies.content import EXTRA_COLUMNS
from ontologies.errors import OntologyError
from ontologies.extra import collect_names, read_extra_names, write_extra_names
from ontologies.problems import Problems

ids = st.from_regex(r"[A-Z]{1,4}:[A-Z0-9]{1,6}", fullmatch=True)
texts = st.text(max_size=12) | st.text(alphabet=" \t\n\r\u2028\x1f\"',;#|\ufeffa", max_size=8)


def read(path: Path, text: str, problems: Problems | None = None) -> list[tuple[str, str, int]]:
    file = path / "names.tsv"
    file.write_text(text, encoding="utf-8")
    return read_extra_names(file, problems or Problems()).rows()


def test_names_are_as_written_and_white_space_is_collapsed(tmp_path: Path) -> None:
    rows = read(
        tmp_path, "concept_id\tname\nMESH:D2\t HTN,  poorly\u00a0controlled \nMESH:D1\tDM2\n"
    )
    assert rows == [("MESH:D1", "DM2", 1), ("MESH:D2", "HTN, poorly controlled", 1)]


def test_a_pair_that_stands_twice_is_one_row_and_counts_add_up(tmp_path: Path) -> None:
    text = "concept_id,name,count,note\nX:1,a,2,first\nX:1, a ,3,\nX:1,A,,\nX:1,a\n"
    assert read(tmp_path, text) == [("X:1", "A", 1), ("X:1", "a", 6)]


def test_columns_may_stand_in_any_order_and_case(tmp_path: Path) -> None:
    assert read(tmp_path, "Name;Source;Concept_ID\na;b;X:1\n") == [("X:1", "a", 1)]


def test_a_header_alone_gives_no_names(tmp_path: Path) -> None:
    path = tmp_path / "names.tsv"
    path.write_text("concept_id\tname\n")
    assert_frame_equal(read_extra_names(path, Problems()), pl.DataFrame(schema=EXTRA_COLUMNS))


def test_gzip_makes_no_difference(tmp_path: Path) -> None:
    path = tmp_path / "names.tsv.gz"
    path.write_bytes(gzip.compress(b"concept_id\tname\nX:1\ta\n"))
    assert read_extra_names(path, Problems()).rows() == [("X:1", "a", 1)]


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("D003920,Diabetes,1", "the id D003920 is no CURIE"),
        (",Diabetes,1", "a row without concept_id"),
        ("X:1, ,1", "no name for X:1"),
        ("X:1,a,often", "the count often is no whole number"),
        ("X:1,a,-1", "the count -1 is no whole number"),
        ('X:1,"a"b,1', "a broken row"),
    ],
)
def test_a_bad_row_raises_or_is_listed(tmp_path: Path, row: str, said: str) -> None:
    text = f"concept_id,name,count\n{row}\nX:9,b,1\n"
    with pytest.raises(OntologyError) as caught:
        read(tmp_path, text)
    assert f"names.tsv:2: {said}" in str(caught.value)
    problems = Problems(lenient=True)
    assert read(tmp_path, text, problems) == [("X:9", "b", 1)]
    assert len(problems.found) == 1


def test_a_missing_column_tells_the_columns_found(tmp_path: Path) -> None:
    with pytest.raises(OntologyError) as caught:
        read(tmp_path, "id\tname\nX:1\ta\n")
    assert ":1: no column concept_id (columns: id, name)" in str(caught.value)


def test_collected_names_are_distinct_sorted_and_counted() -> None:
    frame = collect_names(
        [
            ("X:2", "b"),
            ("X:1", "cold\n sore"),
            (" X:2", "b "),
            ("X:1", "B"),
            ("", "c"),
            ("X:1", " "),
        ]
    )
    assert frame.rows() == [("X:1", "B", 1), ("X:1", "cold sore", 1), ("X:2", "b", 2)]
    assert frame.schema == EXTRA_COLUMNS


def test_names_with_tabs_and_line_ends_are_written_on_one_line(tmp_path: Path) -> None:
    path = tmp_path / "names.tsv"
    frame = pl.DataFrame([("X:1", "a\tb\r\nc", 2)], schema=EXTRA_COLUMNS, orient="row")
    write_extra_names(frame, path)
    assert path.read_bytes() == b"concept_id\tname\tcount\nX:1\ta b c\t2\n"


@given(rows=st.lists(st.tuples(ids, texts)))
def test_names_that_are_written_are_read_again(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str]]
) -> None:
    path = tmp_path_factory.getbasetemp() / "names.tsv"
    collected = collect_names(rows)
    write_extra_names(collected, path)
    assert_frame_equal(read_extra_names(path, Problems()), collected)
