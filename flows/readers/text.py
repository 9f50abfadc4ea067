"""Plain text: one file is one note, named by its path below the folder the user gave."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from flows.readers.base import Reader, SourceFile
from flows.readers.compression import bare_name, open_binary
from flows.readers.record import BadRecord, Document, Record

_BOM = b"\xef\xbb\xbf"


def _parse(file: SourceFile) -> Iterator[Record]:
    with open_binary(file.path) as stream:
        raw = stream.read()
    try:
        text = raw.removeprefix(_BOM).decode("utf-8")
    except UnicodeDecodeError:
        yield BadRecord("not valid UTF-8")
        return
    yield Document(native_id=_native_id(file.path, file.root), text=text, kind="note")


def _native_id(path: Path, root: Path | None) -> str:
    stem = Path(bare_name(path)).stem
    if root is None:
        return stem
    return path.relative_to(root).with_name(stem).as_posix()


def _corpus_of_folder(path: Path, root: Path | None) -> str:
    return (root or path.parent).resolve().name


TEXT = Reader(
    name="text",
    version=1,
    suffixes=(".txt", ".text"),
    parse=_parse,
    sniff=lambda head: True,
    default_corpus=_corpus_of_folder,
)
