"""Files that no reader of text can use, whatever its format."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import pytest

from ontologies.content import ReadOptions
from ontologies.errors import OntologyError
from ontologies.extra import read_extra_names
from ontologies.kb import read_kb
from ontologies.namelist import read_namelist
from ontologies.obo import read_obo
from ontologies.obograph import read_obograph
from ontologies.opening import open_lines
from ontologies.problems import Problems

LONG = "".join(f"{number * 7919:x}" for number in range(20_000))
READERS: dict[str, tuple[Callable[[Path], object], str]] = {
    "obo": (
        lambda path: read_obo(path, ReadOptions()),
        f"format-version: 1.4\n[Term]\nid: HP:1\nname: éclat\ncomment: {LONG}\n",
    ),
    "obograph": (
        lambda path: read_obograph(path, ReadOptions()),
        '{"graphs": [\n{"nodes": [\n{"id": "http://purl.obolibrary.org/obo/HP_1",\n'
        f'"lbl": "éclat", "note": "{LONG}", "type": "CLASS"}}]}}]}}\n',
    ),
    "kb": (
        lambda path: read_kb(path, ReadOptions()),
        '{"concept_id": "X:1", "canonical_name": "a"}\n\n\n'
        f'{{"concept_id": "X:2", "canonical_name": "éclat", "definition": "{LONG}"}}\n',
    ),
    "namelist": (
        lambda path: read_namelist(path, ReadOptions()),
        f"id,name,definition\nX:1,a,\n\nX:2,éclat,{LONG[:100_000]}\n",
    ),
    "extra": (
        lambda path: read_extra_names(path, Problems()),
        f"concept_id\tname\nX:1\ta\n\nX:2\téclat {LONG[:100_000]}\n",
    ),
}


def _missing(path: Path, good: bytes) -> None:
    pass


def _folder(path: Path, good: bytes) -> None:
    path.mkdir()


def _empty(path: Path, good: bytes) -> None:
    path.write_bytes(b"")


def _blank(path: Path, good: bytes) -> None:
    path.write_bytes(b"\xef\xbb\xbf\r\n \n")


def _empty_gzip(path: Path, good: bytes) -> None:
    path.write_bytes(gzip.compress(b""))


def _html(path: Path, good: bytes) -> None:
    path.write_bytes(b"\n<!DOCTYPE HTML>\n<html><body>Not found</body></html>")


def _html_in_gzip(path: Path, good: bytes) -> None:
    path.write_bytes(gzip.compress(b"<html><body>Not found</body></html>"))


def _zip(path: Path, good: bytes) -> None:
    path.write_bytes(b"PK\x03\x04" + good)


def _truncated_gzip(path: Path, good: bytes) -> None:
    path.write_bytes(gzip.compress(good)[:-60])


def _damaged_gzip(path: Path, good: bytes) -> None:
    path.write_bytes(gzip.compress(good)[:-8] + b"\0" * 8)


def _latin(path: Path, good: bytes) -> None:
    path.write_bytes(good.decode().encode("latin-1"))


def _utf16(path: Path, good: bytes) -> None:
    path.write_bytes(good.decode().encode("utf-16"))


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (_missing, ": no such file; check the path"),
        (_folder, ": is a folder; give the file itself"),
        (_empty, ": is empty; give "),
        (_blank, ": is empty; give "),
        (_empty_gzip, ": is empty; give "),
        (_html, ": is an HTML page; give "),
        (_html_in_gzip, ": is an HTML page; give "),
        (_zip, ": is a zip archive; unpack it"),
        (_truncated_gzip, ": the gzip file is cut short or damaged; give "),
        (_damaged_gzip, ": the gzip file is cut short or damaged; give "),
        (_latin, ":4: not UTF-8 (byte 0xe9); save the file as UTF-8, or give "),
        (_utf16, ":1: not UTF-8 (byte 0xff)"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_with_a_way_out(
    tmp_path: Path, reader: str, spoil: Callable[[Path, bytes], None], said: str
) -> None:
    read, good = READERS[reader]
    path = tmp_path / "file.gz"
    spoil(path, good.encode())
    with pytest.raises(OntologyError) as caught:
        read(path)
    message = str(caught.value)
    assert f"{path}{said}" in message
    assert "\n" not in message


@pytest.mark.parametrize("reader", READERS)
def test_the_files_that_are_spoilt_above_are_good(tmp_path: Path, reader: str) -> None:
    read, good = READERS[reader]
    path = tmp_path / "file"
    path.write_bytes(gzip.compress(good.encode()))
    read(path)


def test_a_workbook_is_refused_with_its_own_way_out(tmp_path: Path) -> None:
    path = tmp_path / "list.xlsx"
    path.write_bytes(b"PK\x03\x04...")
    with pytest.raises(OntologyError, match="is a workbook; save the sheet as CSV"):
        read_namelist(path, ReadOptions())


def test_lines_are_numbered_from_one_and_come_without_their_ends(tmp_path: Path) -> None:
    path = tmp_path / "lines"
    path.write_bytes("\ufeffa\r\n\n b\u2028c \nd".encode())
    lines = list(open_lines(path, "mend it"))
    assert lines == [(1, "a"), (2, ""), (3, " b\u2028c "), (4, "d")]
