from __future__ import annotations

import gzip
import json
from collections.abc import Callable
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


@given(st.lists(TEXTS, min_size=1, max_size=5), st.booleans())
def test_any_text_comes_back_exactly(
    tmp_path_factory: pytest.TempPathFactory, read: Read, texts: list[str], ascii_only: bool
) -> None:
    lines = [
        json.dumps({"id": n, "text": text}, ensure_ascii=ascii_only) + "\n"
        for n, text in enumerate(texts)
    ]
    path = tmp_path_factory.mktemp("jsonl") / "notes.jsonl"
    path.write_bytes("".join(lines).encode())
    assert read(path) == [Document(str(n), text, "note") for n, text in enumerate(texts)]


def test_bad_lines_spoil_only_themselves(tmp_path: Path, read: Read) -> None:
    path = tmp_path / "notes.jsonl"
    path.write_bytes(
        b'\xef\xbb\xbf{"id": "a", "text": "Fine.", "n": {"x": [1, null, NaN]}}\n\n'
        b'{"id": "b", "text": \n[1]\n{"id": "c", "text": "Caf\xe9"}\n{"id": "d"}\n'
        b'{"id": "e", "text": 5}\n{"id": " ", "text": "x"}\n{"text": "x"}\n'
        b'{"id": "f", "text": "a\\u0000b"}\n{"id": "g", "text": "\\ud800"}\n'
        b'{"id": "n", "text": "x", "deep": ' + b"[" * 70 + b"]" * 70 + b"}\n"
        b'{"id": "h", "text": "x", "more": ["\\udc00"]}\n' + b"[" * 100_000 + b"\n"
        b'{"id": "z", "": "odd", "text": "Fine."}'
    )
    assert read(path) == [
        Document("a", "Fine.", "note", metadata={"n": {"x": [1, None, None]}}),
        BadRecord("line is not JSON"),
        BadRecord("line is not a JSON object"),
        BadRecord("not valid UTF-8"),
        BadRecord("text is empty"),
        BadRecord("text or title is not a string"),
        BadRecord("id is empty"),
        BadRecord("id is empty"),
        BadRecord("text holds NUL characters"),
        BadRecord("text holds lone surrogates"),
        BadRecord("a field is nested over 64 levels deep"),
        BadRecord("a field other than the text holds lone surrogates"),
        BadRecord("line is not JSON"),
        Document("z", "Fine.", "note", metadata={"": "odd"}),
    ]


def test_columns_that_the_first_line_lacks(tmp_path: Path, read: Read) -> None:
    path = tmp_path / "papers.ndjson"
    path.write_text('{"pmid": 1, "abstract": "A."}\n{"pmid": 2, "title": "T.", "abstract": "B."}\n')
    assert read(path) == [
        Document("1", "A.", "abstract"),
        Document("2", "T. B.", "abstract", "T."),
    ]


def test_abstract_and_text_columns(tmp_path: Path, read: Read) -> None:
    path = tmp_path / "papers.jsonl"
    path.write_text('{"id": 1, "title": "T", "abstract": "A", "text": "Full"}\n')
    assert read(path) == [Document("1", "T A", "abstract", "T", metadata={"text": "Full"})]
    assert read(path, columns={"text": "text"}) == [
        Document("1", "Full", "note", "T", metadata={"abstract": "A"})
    ]
    with pytest.raises(SourceError, match="both a text and an abstract"):
        read(path, columns={"text": "text", "abstract": "abstract"})


def test_a_json_array_is_not_json_lines(tmp_path: Path, read: Read) -> None:
    path = tmp_path / "notes.jsonl"
    path.write_text('[{"id": 1, "text": "x"}]')
    with pytest.raises(SourceError, match=r"notes\.jsonl are not JSON objects"):
        read(path)


def test_truncated_gzip(tmp_path: Path, read: Read) -> None:
    path = tmp_path / "notes.jsonl.gz"
    lines = "".join(f'{{"id": {n}, "text": "note {n * 7919}"}}\n' for n in range(100_000))
    stored = gzip.compress(lines.encode())
    path.write_bytes(stored[: len(stored) // 2])
    with pytest.raises(SourceError, match=r"notes\.jsonl\.gz ends too early. Fetch it again"):
        read(path)


def test_real_notes(data_dir: Path, read: Read) -> None:
    records = read(data_dir / "notes" / "aci_bench_train.jsonl.gz")
    assert len(records) == 67
    assert all(isinstance(record, Document) and "\n\n" in record.text for record in records)
