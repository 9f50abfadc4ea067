"""A file of questions: CSV or JSON lines with question_id and question."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path

from flows.errors import CharthouseError

ID, TEXT = "question_id", "question"
_JSON_ENDINGS = (".jsonl", ".ndjson", ".json")
_LONGEST_LINE = 10_000_000


def read_questions(path: Path) -> list[tuple[str, str]]:
    """Read the questions of a file, as (question_id, question).

    A file that ends in .jsonl, .ndjson or .json has one JSON object a line; any other is CSV with a
    header. Further columns are passed over, blank lines too.

    Raises:
        CharthouseError: the file cannot be read, or a question has no id or no text, an id with
            white space, or one that stands there twice; names the line, never the question.
    """
    found: dict[str, str] = {}
    for line, row in _rows(path):
        key, text = (_text(path, line, row, name) for name in (ID, TEXT))
        if key.split() != [key]:
            raise _error(path, line, f"{ID} has white space in it", "Write q1, for example")
        if key in found:
            raise _error(path, line, f"its {ID} stands there twice", "Give each question its own")
        found[key] = text
    if not found:
        raise CharthouseError(
            f"questions {path}: there is none in it", f"Give columns {ID} and {TEXT}"
        )
    return list(found.items())


def _rows(path: Path) -> Iterator[tuple[int, dict[str, object]]]:
    """Rows and the numbers of their lines, from 1."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            is_json = path.suffix.lower() in _JSON_ENDINGS
            yield from _json_rows(path, file) if is_json else _csv_rows(path, file)
    except OSError as error:
        raise CharthouseError(
            f"questions {path}: it cannot be read ({error.strerror})", "Check --questions"
        ) from None
    except UnicodeDecodeError:
        raise CharthouseError(f"questions {path}: it is not UTF-8", "Store it as UTF-8") from None


def _json_rows(path: Path, file: Iterator[str]) -> Iterator[tuple[int, dict[str, object]]]:
    for line, written in enumerate(file, start=1):
        if not written.strip():
            continue
        try:
            row = json.loads(written)
        except ValueError:
            row = None
        if not isinstance(row, dict):
            raise _error(path, line, "it is no JSON object", "Write one object a line")
        yield line, row


def _csv_rows(path: Path, file: Iterator[str]) -> Iterator[tuple[int, dict[str, object]]]:
    csv.field_size_limit(_LONGEST_LINE)
    reader = csv.DictReader(file, strict=True)
    try:
        missing = [name for name in (ID, TEXT) if name not in (reader.fieldnames or ())]
        if missing:
            raise _error(
                path, 1, f"the header has no {' and no '.join(missing)}", f"Write {ID},{TEXT}"
            )
        for row in reader:
            yield reader.line_num, dict(row)
    except csv.Error:
        raise _error(
            path, reader.line_num, "it is no CSV", "A quote is not closed, or stands in a value"
        ) from None


def _text(path: Path, line: int, row: dict[str, object], name: str) -> str:
    value = row.get(name)
    if isinstance(value, int) and not isinstance(value, bool) and name == ID:
        value = str(value)
    if not isinstance(value, str) or not value.strip():
        raise _error(path, line, f"it has no {name}", f"Every row needs {ID} and {TEXT}")
    return value.strip()


def _error(path: Path, line: int, problem: str, fix: str) -> CharthouseError:
    return CharthouseError(f"questions {path}, line {line}: {problem}", fix)
