"""Files plain, gzipped or zstandard-compressed, opened alike as binary streams."""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, BinaryIO

import zstandard

from flows.errors import SourceError

COMPRESSION_SUFFIXES = (".gz", ".zst")
_GZIP_MAGIC = b"\x1f\x8b"
_ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
# A zstandard block of a few bytes can unfold to 128 KB, so the compressed side is read in small
# pieces to bound what one piece may become.
_ZSTD_CHUNK = 16 * 1024
_BUFFER = 256 * 1024
_FETCH_AGAIN = "Fetch it again"


def bare_name(path: Path) -> str:
    """The file name without a compression suffix."""
    return path.stem if path.suffix.lower() in COMPRESSION_SUFFIXES else path.name


def open_binary(path: Path) -> BinaryIO:
    """Open a file for reading, decompressed as its first bytes say, whatever its name.

    Several gzip members or zstandard frames in a row read as one stream. Reading raises
    ``SourceError`` where the compressed stream is damaged or ends early.

    Raises:
        SourceError: the file is missing, may not be read, or is a web page under a compressed
            file's name.
    """
    try:
        raw = path.open("rb")
    except OSError as error:
        raise SourceError(f"{path} cannot be opened: {error.strerror or error}") from error
    try:
        head = raw.read(512)
        raw.seek(0)
    except OSError as error:
        raw.close()
        raise SourceError(f"{path} cannot be read: {error.strerror or error}") from error
    if head.startswith(_GZIP_MAGIC):
        return io.BufferedReader(_Guarded(path, raw, gzip.GzipFile(fileobj=raw)), _BUFFER)
    if head.startswith(_ZSTD_MAGIC):
        return io.BufferedReader(_Guarded(path, raw, _ZstdStream(raw)), _BUFFER)
    if path.suffix.lower() in COMPRESSION_SUFFIXES and _is_html(head):
        raw.close()
        raise SourceError(
            f"{path} is a web page, not a compressed file",
            f"{_FETCH_AGAIN}: the server answered with an error page",
        )
    return io.BufferedReader(_Guarded(path, raw, raw), _BUFFER)


def numbered_lines(path: Path) -> Iterator[tuple[int, str]]:
    """The lines of a UTF-8 file without their ends, and their numbers from 1.

    Raises:
        SourceError: as :func:`open_binary`; also for a line that is not UTF-8.
    """
    with open_binary(path) as stream:
        for number, raw in enumerate(stream, start=1):
            try:
                line = raw.decode("utf-8-sig" if number == 1 else "utf-8")
            except UnicodeDecodeError:
                raise SourceError(f"{path}, line {number}: is not UTF-8") from None
            yield number, line.rstrip("\r\n")


def _is_html(head: bytes) -> bool:
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    return start.startswith((b"<!doctype html", b"<html"))


class _Guarded(io.RawIOBase):
    """A stream whose decompression errors name the file and the way out."""

    def __init__(
        self, path: Path, raw: IO[bytes], inner: IO[bytes] | io.RawIOBase | gzip.GzipFile
    ) -> None:
        self._path = path
        self._raw = raw
        self._inner = inner

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        try:
            piece = self._inner.read(len(buffer)) or b""
        except EOFError as error:
            raise SourceError(f"{self._path} ends too early", _FETCH_AGAIN) from error
        except (gzip.BadGzipFile, zlib.error, zstandard.ZstdError) as error:
            raise SourceError(f"{self._path} is damaged", _FETCH_AGAIN) from error
        except OSError as error:
            reason = error.strerror or error
            raise SourceError(f"{self._path} cannot be read: {reason}") from error
        buffer[: len(piece)] = piece
        return len(piece)

    def close(self) -> None:
        if not self.closed:
            self._inner.close()
            self._raw.close()
        super().close()


class _ZstdStream(io.RawIOBase):
    """Zstandard frames one after another; unlike the library's reader, a cut frame is an error."""

    def __init__(self, raw: IO[bytes]) -> None:
        self._raw = raw
        self._frame: zstandard.ZstdDecompressionObj | None = None
        self._compressed = b""
        self._plain = memoryview(b"")

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        while not self._plain:
            chunk = self._compressed or self._raw.read(_ZSTD_CHUNK)
            self._compressed = b""
            if not chunk:
                if self._frame is not None:
                    raise EOFError
                return b""
            if self._frame is None:
                self._frame = zstandard.ZstdDecompressor().decompressobj()
            self._plain = memoryview(self._frame.decompress(chunk))
            if self._frame.eof:
                self._compressed = self._frame.unused_data
                self._frame = None
        piece, self._plain = self._plain[:size], self._plain[size:]
        return bytes(piece)
