"""One file for each corpus: names, and opening one after the other as documents come."""

from __future__ import annotations

import re
from collections.abc import Collection


def file_name(corpus: str, suffix: str, taken: Collection[str]) -> str:
    """A name for a corpus's file: letters, digits, ``.``, ``-`` and ``_``; none of ``taken``."""
    stem = re.sub(r"[^\w.-]+", "_", corpus).lstrip(".") or "corpus"
    name, number = f"{stem}{suffix}", 2
    while name.lower() in {other.lower() for other in taken}:
        name, number = f"{stem}-{number}{suffix}", number + 1
    return name
