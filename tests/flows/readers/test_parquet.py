from __future__ import annotations

import gzip
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.parquet as pq  # type: ignore[import-untyped]
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.errors import SourceError
from flows.readers.record import BadRecord, Document, Record

Read = Callable[..., list[Record]]
TEXTS = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1
).filter(str.strip)


@given(st.lists(TEXTS, min_size=1, max_size=5))
def test_any_text_comes_back_exactly(
    tmp_path_factory: pytest.TempPathFactory, read: Read, texts: list[str]
) -> None:
    path = tmp_path_factory.mktemp("parquet") / "notes.parquet"
    pq.write_table(pa.table({"note_id": list(range(len(texts))), "text": texts}), path)
    assert read(path) == [Document(str(n), text, "note") for n, text in enumerate(texts)]


def test_types_and_metadata(tmp_path: Path, read: Read) -> None:
    path = tmp_path / "notes.parquet"
    table = pa.table(
        {
            "note_id": pa.array(["a", "b", None]),
            "person_id": pa.array([53.0, float("nan"), 1.5]),
            "note_date": pa.array([1_000_000_001, None, 0], pa.timestamp("ns")),
            "text": pa.array(["One.", None, "Three."], pa.large_string()),
            "nested": [{"x": [Decimal("1.5")]}, None, None],
            "when": [datetime(2150, 1, 31, 10), None, None],
            "blob": [b"\xff", None, None],
        }
    )
    pq.write_table(table, path)
    assert read(path) == [
        Document(
            "a",
            "One.",
            "note",
            document_date=date(1970, 1, 1),
            person_id="53",
            metadata={
                "nested": {"x": ["1.5"]},
                "when": "2150-01-31T10:00:00",
                "blob": "/w==",
                "note_date": "1970-01-01T00:00:01",
            },
        ),
        BadRecord("text is empty"),
        BadRecord("id is empty"),
    ]


def test_more_rows_than_a_batch_keep_their_positions(tmp_path: Path, read: Read) -> None:
    path = tmp_path / "notes.parquet"
    pq.write_table(pa.table({"text": [f"Note {n}." for n in range(1000)]}), path)
    assert read(path) == [Document(str(n), f"Note {n}.", "note") for n in range(1000)]


def test_invalid_utf8_spoils_only_its_row(tmp_path: Path, read: Read) -> None:
    path = tmp_path / "notes.parquet"
    raw = pa.array([b"Fine.", b"Caf\xe9", b"Also fine."])
    strings = pa.Array.from_buffers(pa.string(), 3, raw.buffers())
    pq.write_table(pa.table({"text": strings}), path)
    expected = [
        Document("0", "Fine.", "note"),
        BadRecord("not valid UTF-8"),
        Document("2", "Also fine.", "note"),
    ]
    assert read(path) == expected
    # Some writers leave the string annotation out.
    pq.write_table(pa.table({"text": raw}), path)
    assert read(path) == expected


def test_dates_beyond_python_spoil_only_their_row(tmp_path: Path, read: Read) -> None:
    path = tmp_path / "notes.parquet"
    when = pa.array([0, 2**62], pa.timestamp("us"))
    pq.write_table(pa.table({"text": ["Fine.", "Late."], "date": when}), path)
    first, second = read(path)
    assert isinstance(first, Document)
    assert first.document_date == date(1970, 1, 1)
    assert second == BadRecord("row holds a value that cannot be read")


def test_text_column_of_numbers(tmp_path: Path, read: Read) -> None:
    path = tmp_path / "notes.parquet"
    pq.write_table(pa.table({"text": [1]}), path)
    assert read(path) == [BadRecord("text or title is not a string")]


def test_damaged_and_gzipped_files(tmp_path: Path, read: Read) -> None:
    path = tmp_path / "notes.parquet"
    pq.write_table(pa.table({"text": ["x"] * 1000}), path)
    stored = path.read_bytes()
    path.write_bytes(stored[:-20])
    with pytest.raises(SourceError, match=r"notes\.parquet is not a readable Parquet file"):
        read(path)
    zipped = tmp_path / "notes.parquet.gz"
    zipped.write_bytes(gzip.compress(stored))
    with pytest.raises(SourceError, match="must not be gzipped"):
        read(zipped)


def test_no_text_column(tmp_path: Path, read: Read) -> None:
    path = tmp_path / "notes.parquet"
    pq.write_table(pa.table({"a": [1], "b": [2]}), path)
    with pytest.raises(SourceError, match=r"the columns a, b.*--column text=NAME"):
        read(path)
