from __future__ import annotations

import csv
import io
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.errors import SourceError
from flows.readers.record import BadRecord, Document, Record

Read = Callable[..., list[Record]]
TEXTS = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1
).filter(str.strip)


@given(
    texts=st.lists(TEXTS, min_size=1, max_size=5),
    delimiter=st.sampled_from(",\t;|"),
    bom=st.booleans(),
    line_end=st.sampled_from(["\n", "\r\n"]),
)
def test_any_text_comes_back_exactly(
    tmp_path_factory: pytest.TempPathFactory,
    read: Read,
    texts: list[str],
    delimiter: str,
    bom: bool,
    line_end: str,
) -> None:
    table = io.StringIO(newline="")
    writer = csv.writer(table, delimiter=delimiter, lineterminator=line_end, quoting=csv.QUOTE_ALL)
    writer.writerow(["note_id", "text"])
    writer.writerows([[f"n{n}", text] for n, text in enumerate(texts)])
    path = tmp_path_factory.mktemp("csv") / "notes.csv"
    path.write_bytes((b"\xef\xbb\xbf" if bom else b"") + table.getvalue().encode())
    assert read(path) == [Document(f"n{n}", text, "note") for n, text in enumerate(texts)]


def test_mapped_columns_and_metadata(tmp_path: Path, read: Read) -> None:
    path = tmp_path / "notes.tsv"
    path.write_text(
        "ROW_ID\tSUBJECT_ID\tHADM_ID\tCHARTTIME\tCATEGORY\tWARD\tTEXT\n"
        "1\t7\t\t2150-01-31 10:00\tNursing\tB\tSleeps.\n"
        "2\t7\t9\t2150-02-01\t\t\tAwake.\n"
        "3\t7\t9\tyesterday\t\t\tGone.\n"
    )
    assert read(path) == [
        Document(
            "1",
            "Sleeps.",
            "note",
            document_date=date(2150, 1, 31),
            document_type="Nursing",
            person_id="7",
            metadata={"WARD": "B", "CHARTTIME": "2150-01-31 10:00"},
        ),
        Document(
            "2",
            "Awake.",
            "note",
            document_date=date(2150, 2, 1),
            person_id="7",
            encounter_id="9",
            metadata={"WARD": ""},
        ),
        Document(
            "3",
            "Gone.",
            "note",
            person_id="7",
            encounter_id="9",
            metadata={"WARD": "", "CHARTTIME": "yesterday"},
        ),
    ]


def test_given_columns(tmp_path: Path, read: Read) -> None:
    path = tmp_path / "notes.csv"
    path.write_text("id,text,key,words\nwrong,wrong,k1,Right.\n")
    (document,) = read(path, columns={"id": "key", "text": "words"})
    assert document == Document("k1", "Right.", "note", metadata={"id": "wrong", "text": "wrong"})


def test_abstracts(tmp_path: Path, read: Read) -> None:
    path = tmp_path / "papers.csv"
    path.write_text("pmid,title,abstract\n1,Title., Body. \n2,Title.,\n3,,Body.\n4,,\n")
    assert read(path) == [
        Document("1", "Title.  Body. ", "abstract", "Title."),
        Document("2", "Title.", "abstract", "Title."),
        Document("3", "Body.", "abstract"),
        BadRecord("text is empty"),
    ]


def test_without_an_id_column_the_position_counts(tmp_path: Path, read: Read) -> None:
    path = tmp_path / "notes.csv"
    path.write_text("text,x\nOne.,1\n\ntoo,many,cells\nTwo.,2\n")
    assert read(path) == [
        Document("0", "One.", "note", metadata={"x": "1"}),
        BadRecord("row has 3 cells, header has 2"),
        Document("2", "Two.", "note", metadata={"x": "2"}),
    ]


def test_bad_rows_spoil_only_themselves(tmp_path: Path, read: Read) -> None:
    path = tmp_path / "notes.csv"
    path.write_bytes(
        b'id,text\n1,Fine.\n2,Caf\xe9\n,No id.\n4,\n5,nul\0\n6,"odd"quote\n'
        b'7\n8,"two\nlines ""q"""\n'
    )
    assert read(path) == [
        Document("1", "Fine.", "note"),
        BadRecord("not valid UTF-8"),
        BadRecord("id is empty"),
        BadRecord("text is empty"),
        BadRecord("text holds NUL characters"),
        BadRecord("row breaks the rules of CSV quoting or a cell is over 67108864 characters"),
        BadRecord("row has 1 cells, header has 2"),
        Document("8", 'two\nlines "q"', "note"),
    ]


def test_a_quote_never_closed_says_how_much_is_lost(tmp_path: Path, read: Read) -> None:
    path = tmp_path / "notes.csv"
    path.write_text('id,text\n1,Fine.\n2,"Open\n3,Lost.\n4,Lost.\n')
    assert read(path) == [
        Document("1", "Fine.", "note"),
        BadRecord("a quote is never closed, 3 lines to the end of the file are lost"),
    ]


def test_a_cell_longer_than_the_standard_limit(tmp_path: Path, read: Read) -> None:
    path = tmp_path / "notes.csv"
    text = "long " * 100_000
    path.write_text(f"id,text\n1,{text}\n")
    assert read(path) == [Document("1", text, "note")]


def test_delimiter_of_a_quoted_header(tmp_path: Path, read: Read) -> None:
    path = tmp_path / "notes.csv"
    path.write_text('id;"a,b,c,d";text\n1;x;"One; two, three"\n')
    assert read(path) == [Document("1", "One; two, three", "note", metadata={"a,b,c,d": "x"})]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            b"id,words\n1,x\n",
            r"no column known to hold the text; it has the columns id, words\. .*"
            "--column text=NAME",
        ),
        (b"id,text,id\n1,x,2\n", "two columns of one name"),
        (b"\nid,text\n", "has no columns"),
        (b"id,t\xe9xt\n1,x\n", "header line .* is not UTF-8"),
        (b'id,"text\n1,x\n', "header line .* is not valid CSV"),
        ("id,text\n1,x\n".encode("utf-16"), "is UTF-16. Convert it to UTF-8"),
    ],
)
def test_tables_that_cannot_be_read(
    tmp_path: Path, read: Read, content: bytes, message: str
) -> None:
    path = tmp_path / "notes.csv"
    path.write_bytes(content)
    with pytest.raises(SourceError, match=message) as caught:
        read(path)
    assert "notes.csv" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "first_row",
    [
        "17,Mr Smith was admitted with chest pain and was given aspirin at once on the ward",
        "5,Smith",
    ],
)
def test_a_missing_header_is_not_quoted_in_the_error(
    tmp_path: Path, read: Read, first_row: str
) -> None:
    path = tmp_path / "notes.csv"
    path.write_text(f"{first_row}\n18,More\n")
    with pytest.raises(SourceError, match=r"is the header line missing\? Name") as caught:
        read(path)
    assert "Smith" not in str(caught.value)


def test_a_given_column_that_is_not_there(tmp_path: Path, read: Read) -> None:
    path = tmp_path / "notes.csv"
    path.write_text("id,text\n1,x\n")
    with pytest.raises(SourceError, match="has no column body; it has the columns id, text"):
        read(path, columns={"text": "body"})


def test_real_notes(data_dir: Path, read: Read) -> None:
    path = data_dir / "notes" / "transcribed_notes.csv.gz"
    documents = [record for record in read(path) if isinstance(record, Document)]
    assert len(documents) == 800
    assert all(d.person_id and d.document_date and d.document_type for d in documents)
    assert {tuple(d.metadata) for d in documents} == {("gender", "birth_date")}
    assert 3000 < sum(len(d.text) for d in documents) / 800 < 3600
