from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

from flows.readers import READERS
from flows.readers.discover import discover
from flows.readers.record import BadRecord, Document, Record

Read = Callable[..., list[Record]]


def test_one_file_is_one_note_named_by_its_path(tmp_path: Path) -> None:
    folder = tmp_path / "ward"
    (folder / "a").mkdir(parents=True)
    (folder / "a" / "one.v2.txt").write_text("One.")
    (folder / "two.txt.gz").write_bytes(gzip.compress(b"Two."))
    files = discover([str(folder)])
    records = [record for file in files for record in READERS[file.format].read(file)]
    assert records == [Document("a/one.v2", "One.", "note"), Document("two", "Two.", "note")]
    assert {file.corpus for file in files} == {"ward"}


def test_text_is_untouched_but_for_the_byte_order_mark(tmp_path: Path, read: Read) -> None:
    text = "  Plan:\r\n\tρ 🙂\x0b\r end \n\n"
    path = tmp_path / "n.txt"
    path.write_bytes(b"\xef\xbb\xbf" + text.encode())
    assert read(path) == [Document("n", text, "note")]


def test_what_is_no_text(tmp_path: Path, read: Read) -> None:
    bad = {
        "latin.txt": (b"Caf\xe9", "not valid UTF-8"),
        "blank.txt": (b" \n\t", "text is empty"),
        "nul.txt": (b"a\0b", "text holds NUL characters"),
    }
    for name, (content, reason) in bad.items():
        (tmp_path / name).write_bytes(content)
        assert read(tmp_path / name) == [BadRecord(reason)]
