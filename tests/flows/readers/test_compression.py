from __future__ import annotations

import gzip
import io
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from flows.errors import SourceError
from flows.readers.compression import bare_name, open_binary

CONTENT = b"".join(b"line %d\n" % n for n in range(50_000))


def content_of(path: Path) -> bytes:
    with open_binary(path) as stream:
        return stream.read()


def test_compression_is_told_by_content_not_by_name(tmp_path: Path) -> None:
    forms = {
        "plain.gz": CONTENT,
        "gzipped.txt": gzip.compress(CONTENT),
        "zstandard.txt": zstandard.compress(CONTENT),
        "gzipped.zst": gzip.compress(CONTENT),
    }
    for name, stored in forms.items():
        (tmp_path / name).write_bytes(stored)
        assert content_of(tmp_path / name) == CONTENT, name


def test_members_and_frames_in_a_row_are_one_stream(tmp_path: Path) -> None:
    (tmp_path / "two.gz").write_bytes(gzip.compress(CONTENT) + gzip.compress(b"end"))
    (tmp_path / "two.zst").write_bytes(zstandard.compress(CONTENT) + zstandard.compress(b"end"))
    assert content_of(tmp_path / "two.gz") == CONTENT + b"end"
    assert content_of(tmp_path / "two.zst") == CONTENT + b"end"


@given(st.binary(max_size=2000), st.integers(1, 64))
def test_zstandard_in_pieces_of_any_size(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, size: int
) -> None:
    path = tmp_path_factory.mktemp("zst") / "x.zst"
    path.write_bytes(zstandard.compress(content))
    with open_binary(path) as stream:
        pieces = list(iter(lambda: stream.read(size), b""))
    assert b"".join(pieces) == content


@pytest.mark.parametrize("compress", [gzip.compress, zstandard.compress])
@pytest.mark.parametrize("kept", [0.3, 0.95])
def test_truncated_stream_names_the_file_and_the_way_out(
    tmp_path: Path, compress: Callable[[bytes], bytes], kept: float
) -> None:
    stored = compress(CONTENT)
    path = tmp_path / "cut.gz"
    path.write_bytes(stored[: int(len(stored) * kept)])
    with pytest.raises(SourceError, match=r"cut\.gz .*[Ff]etch it again"):
        content_of(path)


def test_damaged_stream(tmp_path: Path) -> None:
    # As the zstd command line does, with a checksum.
    checked = zstandard.ZstdCompressor(write_checksum=True)
    for name, stored in (("a.gz", gzip.compress(CONTENT)), ("a.zst", checked.compress(CONTENT))):
        middle = len(stored) // 2
        harmed = stored[:middle] + b"\xff" * 16 + stored[middle + 16 :]
        (tmp_path / name).write_bytes(harmed)
        with pytest.raises(SourceError, match=rf"{name} is damaged"):
            content_of(tmp_path / name)


def test_bytes_after_the_last_gzip_member_are_damage(tmp_path: Path) -> None:
    (tmp_path / "a.gz").write_bytes(gzip.compress(CONTENT) + b"<html>")
    with pytest.raises(SourceError, match=r"a\.gz is damaged"):
        content_of(tmp_path / "a.gz")


def test_web_page_under_a_compressed_name(tmp_path: Path) -> None:
    path = tmp_path / "pubmed24n0001.xml.gz"
    path.write_bytes(b"\n<!DOCTYPE html><html><body>503</body></html>")
    with pytest.raises(SourceError, match=r"web page.*Fetch it again"):
        open_binary(path)


def test_missing_file_and_folder(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"nothing\.txt cannot be opened"):
        open_binary(tmp_path / "nothing.txt")
    with pytest.raises(SourceError, match="cannot be opened"):
        open_binary(tmp_path)


def test_forbidden_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Permissions bind no superuser, so the operating system's answer is played.
    def refuse(self: Path, mode: str = "r") -> io.BytesIO:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(SourceError, match=r"notes\.csv cannot be opened: Permission denied"):
        open_binary(tmp_path / "notes.csv")


def test_closing_closes_the_file(tmp_path: Path) -> None:
    (tmp_path / "a.gz").write_bytes(gzip.compress(b"x"))
    stream = open_binary(tmp_path / "a.gz")
    stream.close()
    with pytest.raises(ValueError, match="closed"):
        stream.read()


def test_bare_name() -> None:
    assert bare_name(Path("a/b.xml.GZ")) == "b.xml"
    assert bare_name(Path("a/b.zst")) == "b"
    assert bare_name(Path("a/b.xml")) == "b.xml"
