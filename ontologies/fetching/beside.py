"""Small files beside a large one, named after it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


def beside(path: Path, suffix: str) -> Path:
    """A file beside another, named after it."""
    return path.with_name(path.name + suffix)


def read_json(path: Path) -> dict[str, Any] | None:
    """A small JSON object; None if it is not there or not readable as one."""
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return None
    return stored if isinstance(stored, dict) else None


def write_json(path: Path, content: dict[str, Any]) -> None:
    """Write a small JSON object in one step."""
    temporary = beside(path, ".tmp")
    temporary.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    temporary.replace(path)
