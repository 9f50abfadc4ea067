"""Fields of a row, checked."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from flows.errors import SourceError


def damaged(path: Path, row: object, field: str, problem: str) -> SourceError:
    """An error that names file, row and field, and no text."""
    return SourceError(f"{path}, row {row}, field {field}: {problem}", "Mend the row")


def text_of(path: Path, row: object, values: Mapping[str, Any], field: str) -> str:
    """A field that must hold text.

    Raises:
        SourceError: it is missing, no text, or empty.
    """
    value = values.get(field)
    if value is None:
        raise damaged(path, row, field, "is missing")
    if not isinstance(value, str):
        raise damaged(path, row, field, "is no text")
    if not value.strip():
        raise damaged(path, row, field, "is empty")
    return value


def optional_text(path: Path, row: object, values: Mapping[str, Any], field: str) -> str:
    """A field that may be missing or null; then it is empty.

    Raises:
        SourceError: it is no text.
    """
    value = values.get(field)
    if value is not None and not isinstance(value, str):
        raise damaged(path, row, field, "is no text")
    return value or ""
