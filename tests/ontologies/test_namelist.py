from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from ontologies.content import Content, ReadOptions
from ontologies.errors import OntologyError
from ontologies.namelist import read_namelist
from ontologies.problems import Problems


def read(path: Path, text: str, **options: Any) -> Content:
    file = path / "list.csv"
    file.write_bytes(text.encode())
    return read_namelist(file, ReadOptions(**options))


def read_parquet(path: Path, columns: dict[str, Any], **options: Any) -> Content:
    file = path / "list.parquet"
    pl.DataFrame(columns).write_parquet(file)
    return read_namelist(file, ReadOptions(**options))


def test_a_row_becomes_a_concept_with_its_line(tmp_path: Path) -> None:
    content = read(
        tmp_path,
        "id,name,synonyms,types,definition,parents,tree_numbers\n"
        "LOCAL:1,Fever,Pyrexia| high  temperature |Pyrexia,Finding|T184,Hot.,LOCAL:2|HP:1,C23\n"
        "LOCAL:2,Finding,,,,,\n",
    )
    fever, finding = content.concepts.rows(named=True)
    assert fever["concept_id"] == "LOCAL:1"
    assert fever["concept_name"] == "Fever"
    assert fever["semantic_types"] == ["Finding", "T184"]
    assert fever["tree_numbers"] == ["C23"]
    assert fever["definition"] == "Hot."
    assert fever["line"] == 2
    assert content.names.select("concept_id", "name").rows() == [
        ("LOCAL:1", "Pyrexia"),
        ("LOCAL:1", "high temperature"),
    ]
    assert content.parents["parent_id"].to_list() == ["LOCAL:2", "HP:1"]
    assert finding["semantic_types"] == []
    assert finding["definition"] is None


@pytest.mark.parametrize(
    "text",
    [
        "id\tname\nX:1\tFever, high\n",
        'id;name\nX:1;"Fever, high"\n',
        'id,name\nX:1,"Fever, high"\n',
        '\ufeffName , ID\r\n"Fever, high",X:1\r\n',
        '\n\nConcept ID,Preferred-Name\n,\nX:1,"Fever, high"',
        '"concept_id","label"\n"X:1","Fever, high"\n',
        "id\tname\tsynonyms\nX:1\tFever, high\n",
    ],
)
def test_delimiter_quotes_and_names_of_columns_may_differ(tmp_path: Path, text: str) -> None:
    content = read(tmp_path, text)
    assert content.concepts.select("concept_id", "concept_name").rows() == [("X:1", "Fever, high")]


def test_quotes_may_hold_line_ends_and_lines_are_still_right(tmp_path: Path) -> None:
    content = read(tmp_path, 'id,name,definition\nX:1,"a ""b""","one\ntwo"\n\nX:2,c,\n')
    assert content.concepts.select("concept_name", "definition", "line").rows() == [
        ('a "b"', "one two", 2),
        ("c", None, 5),
    ]


def test_parquet_gives_what_text_gives(tmp_path: Path) -> None:
    text = read(
        tmp_path,
        "id,name,synonyms,types,definition\nX:1,Fever,Pyrexia|Heat,T184,Hot.\nX:2,Cough,,,\n",
    )
    parquet = read_parquet(
        tmp_path,
        {
            "Name": ["Fever", "Cough"],
            "ID": ["X:1", "X:2"],
            "synonyms": [["Pyrexia", "Heat", None], None],
            "types": ["T184", None],
            "definition": ["Hot.", None],
        },
    )
    assert_frame_equal(parquet.concepts.drop("line"), text.concepts.drop("line"))
    assert_frame_equal(parquet.names, text.names)
    assert parquet.concepts["line"].to_list() == [1, 2]


def test_only_concepts_of_the_wanted_types_are_read(tmp_path: Path) -> None:
    content = read(tmp_path, "id,name,types\nX:1,a,T1|T2\nX:2,b,T3\n", semantic_types=("T2",))
    assert content.concepts["concept_id"].to_list() == ["X:1"]


def test_a_concept_defined_twice_is_given_twice_with_both_lines(tmp_path: Path) -> None:
    assert read(tmp_path, "id,name\nX:1,a\nX:1,b\n").concepts["line"].to_list() == [2, 3]


def test_gzip_makes_no_difference(tmp_path: Path) -> None:
    plain = read(tmp_path, "id,name\nX:1,a\n")
    path = tmp_path / "list.csv"
    path.write_bytes(gzip.compress(path.read_bytes()))
    assert_frame_equal(read_namelist(path, ReadOptions()).concepts, plain.concepts)


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("D003920,Diabetes,,", ":2: the id D003920 is no CURIE; write the id with its vocabulary"),
        (",Diabetes,,", ":2: a row without id"),
        ("http://example.org/1,Diabetes,,", "is no CURIE"),
        ("X:1, ,,", ":2: X:1 has no name"),
        ("X:1,Diabetes,,,,Type 2", ":2: 6 cells where the header has 4; put cells that hold"),
        ('X:1,"Diabetes"s,,', ":2: a broken row"),
    ],
)
def test_a_bad_row_raises_or_is_listed(tmp_path: Path, row: str, said: str) -> None:
    text = f"id,name,types,parents\n{row}\nX:9,Fever,,\n"
    with pytest.raises(OntologyError) as caught:
        read(tmp_path, text)
    assert said in str(caught.value)
    problems = Problems(lenient=True)
    content = read(tmp_path, text, problems=problems)
    assert content.concepts.select("concept_id", "line").rows() == [("X:9", 3)]
    assert len(problems.found) == 1
    assert said.partition(";")[0] in problems.found[0]


def test_a_parent_that_is_no_curie_is_left_out_alone(tmp_path: Path) -> None:
    problems = Problems(lenient=True)
    content = read(tmp_path, "id,name,parents\nX:1,a,X:2|D1\n", problems=problems)
    assert content.parents["parent_id"].to_list() == ["X:2"]
    assert problems.found == [f"{tmp_path}/list.csv:2: the parent D1 is no CURIE"]


def test_a_quote_that_is_never_closed_names_the_line_it_opens_on(tmp_path: Path) -> None:
    with pytest.raises(OntologyError, match=r"list\.csv:3: a broken row .*close them"):
        read(tmp_path, 'id,name\nX:1,a\nX:2,"b\nX:3,c\n')


def test_a_bad_row_of_parquet_is_named_by_its_number(tmp_path: Path) -> None:
    with pytest.raises(OntologyError, match="row 2: the id 7 is no CURIE"):
        read_parquet(tmp_path, {"id": ["X:1", "7"], "name": ["a", "b"]})
    with pytest.raises(OntologyError, match="row 1: the id 7 is no CURIE"):
        read_parquet(tmp_path, {"id": [7], "name": ["a"]})


@pytest.mark.parametrize(
    ("header", "said"),
    [
        ("id,title", ":1: no column name (columns: id, title); give a CSV"),
        ("disease,cases", ":1: no column id and name (columns: disease, cases)"),
        ("id,name,label", ":1: two columns for name (columns: id, name, label)"),
    ],
)
def test_a_header_that_cannot_be_used_tells_its_columns(
    tmp_path: Path, header: str, said: str
) -> None:
    for lenient in (False, True):
        with pytest.raises(OntologyError) as caught:
            read(tmp_path, f"{header}\nX:1,a,b\n", problems=Problems(lenient=lenient))
        assert said in str(caught.value)
    with pytest.raises(OntologyError) as caught:
        read_parquet(tmp_path, {column: ["a"] for column in header.split(",")})
    assert said.removeprefix(":1") in str(caught.value)


def test_an_unknown_column_raises_or_is_left_out(tmp_path: Path) -> None:
    text = "id,name,synonims,\nX:1,a,b,\n"
    with pytest.raises(OntologyError) as caught:
        read(tmp_path, text)
    assert ":1: unknown column synonims (columns: id, name, synonims)" in str(caught.value)
    problems = Problems(lenient=True)
    content = read(tmp_path, text, problems=problems)
    assert content.concepts["concept_name"].to_list() == ["a"]
    assert len(problems.found) == 1


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ({"id": ["X:1"], "name": [["a", "b"]]}, "the column name holds lists"),
        (
            {"id": ["X:1"], "name": ["a"], "synonyms": [{"b": 1}]},
            "the column synonyms holds Struct",
        ),
    ],
)
def test_a_parquet_column_that_is_no_text_is_refused(
    tmp_path: Path, columns: dict[str, Any], said: str
) -> None:
    with pytest.raises(OntologyError, match=said):
        read_parquet(tmp_path, columns)


def test_a_damaged_parquet_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "list.parquet"
    pl.DataFrame({"id": ["X:1"], "name": ["a"]}).write_parquet(path)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(OntologyError, match="not a readable Parquet file") as caught:
        read_namelist(path, ReadOptions())
    assert "\n" not in str(caught.value)


def test_a_table_without_rows_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OntologyError, match=r"list\.csv: holds no concepts; give a CSV"):
        read(tmp_path, "id,name\n")
