"""What a language model learns from: text files, JSON Lines, and documents of a warehouse."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from flows.errors import CharthouseError, SourceError
from flows.readers.compression import open_binary
from nlp.generation.training.lesson import Lesson

if TYPE_CHECKING:
    from flows.settings import Settings

_JSON_LINES = (".jsonl", ".ndjson", ".json")
_COMPRESSED = (".gz", ".zst")


def read_lessons(paths: Sequence[Path], *, blocks: bool = False) -> list[Lesson]:
    """Lessons of files in the order given, plain, gzipped or zstandard-compressed.

    ``.jsonl``, ``.ndjson`` and ``.json`` are JSON Lines: an object a line with ``prompt`` and
    ``completion``, or with ``text``. Any other file is a text; of a folder, all ``.txt`` in it.

    Args:
        paths: files and folders.
        blocks: a text file holds several documents, with blank lines between.

    Raises:
        SourceError: a file cannot be read or holds nothing, or a row is damaged (file and row
            named).
    """
    lessons = []
    for path in _files(paths):
        content = _read(path)
        if _suffix(path) in _JSON_LINES:
            found = list(_rows(path, content))
        else:
            texts = _blocks(content) if blocks else [content]
            found = [Lesson(text.strip()) for text in texts if text.strip()]
        if not found:
            raise SourceError(f"{path} holds no text", "Leave it out")
        lessons += found
    return lessons


def read_documents(warehouse: Path, where: str, settings: Settings) -> list[Lesson]:
    """Texts of a warehouse's documents, in the order of their ids; those without a text left out.

    Raises:
        UsageError: ``where`` is no condition on ``documents``.
        CharthouseError: the warehouse cannot be read, or no document is chosen.
    """
    from flows.generating.where import check_where, one_expression
    from flows.warehouse.access import access_of
    from flows.warehouse.connection import read_warehouse

    condition = one_expression(where)
    if not warehouse.is_file():
        raise CharthouseError(
            f"warehouse {warehouse} does not exist", "charthouse run SOURCE --warehouse makes one"
        )
    with read_warehouse(warehouse, access_of(settings.warehouse)) as connection:
        check_where(connection, condition)
        try:
            rows = connection.execute(
                f"SELECT text FROM documents WHERE ({condition}) AND NOT is_deleted "
                "AND text IS NOT NULL ORDER BY document_id"
            ).fetchall()
        except Exception as error:  # it may quote values
            raise CharthouseError(
                f"--where failed while it ran ({type(error).__name__})",
                "Give a condition over columns of the table documents",
            ) from None
    lessons = [Lesson(text.strip()) for (text,) in rows if text.strip()]
    if not lessons:
        raise CharthouseError(
            "--where selects no document that has a text", "Give another condition"
        )
    return lessons


def set_apart(lessons: Sequence[Lesson], share: float) -> list[Lesson]:
    """A share of the lessons, at least one, that hangs on their texts alone."""
    distinct = sorted(dict.fromkeys(lessons), key=_digest)
    return distinct[: max(1, round(share * len(distinct)))]


def fingerprint(lessons: Sequence[Lesson]) -> str:
    """SHA-256 over lessons and their order."""
    return hashlib.sha256(b"".join(map(_digest, lessons))).hexdigest()


def _digest(lesson: Lesson) -> bytes:
    told = json.dumps([lesson.prompt, lesson.text])
    return hashlib.sha256(told.encode()).digest()


def _files(paths: Sequence[Path]) -> Iterator[Path]:
    seen = set[Path]()
    for path in paths:
        inside = sorted(path.rglob("*.txt")) if path.is_dir() else [path]
        if not inside:
            raise SourceError(f"{path} holds no .txt file", "Name a folder of texts, or files")
        for file in inside:
            if file.resolve() in seen:
                raise SourceError(f"{file} is given twice", "Leave one out")
            seen.add(file.resolve())
            yield file


def _suffix(path: Path) -> str:
    plain = path.with_suffix("") if path.suffix.lower() in _COMPRESSED else path
    return plain.suffix.lower()


def _read(path: Path) -> str:
    with open_binary(path) as stream:
        try:
            return stream.read().decode("utf-8-sig")
        except UnicodeDecodeError:
            raise SourceError(f"{path} is not valid UTF-8", "Convert it to UTF-8") from None


def _blocks(content: str) -> list[str]:
    blocks: list[list[str]] = [[]]
    for line in content.splitlines():
        if line.strip():
            blocks[-1].append(line)
        elif blocks[-1]:
            blocks.append([])
    return ["\n".join(lines) for lines in blocks]


def _rows(path: Path, content: str) -> Iterator[Lesson]:
    fix = "Give an object a line: prompt and completion, or text"
    for number, line in enumerate(content.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError:
            raise SourceError(f"{path}, row {number} is no JSON", fix) from None
        if not isinstance(row, dict):
            raise SourceError(f"{path}, row {number} is no object", fix)
        if "text" in row and not {"prompt", "completion"} & row.keys():
            yield Lesson(_field(path, number, row, "text"))
        else:
            prompt = _field(path, number, row, "prompt")
            yield Lesson(_field(path, number, row, "completion"), prompt)


def _field(path: Path, number: int, row: dict[str, object], name: str) -> str:
    value = row.get(name)
    if not isinstance(value, str) or not value.strip():
        state = "is empty or no text" if name in row else "is missing"
        raise SourceError(
            f"{path}, row {number}, field {name}: {state}",
            "Give an object a line: prompt and completion, or text",
        )
    return value
