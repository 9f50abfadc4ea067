"""Gold files and requests for tests of the evaluation."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from flows.evaluating.request import Request
from flows.settings import Settings

Mention = tuple[str, str, str]
"""Words that stand once in the text, label, concept ids as PubTator has them (``""`` = none)."""


def request(*gold: Path, **values: Any) -> Request:
    """A request with the defaults of the command line and few resamples."""
    return Request(gold=gold, settings=Settings(), **{"resamples": 20, **values})


def pubtator(path: Path, *documents: tuple[str, str, Sequence[Mention]]) -> Path:
    """Write documents of id, title and mentions as a PubTator file."""
    lines = []
    for native_id, title, mentions in documents:
        lines.append(f"{native_id}|t|{title}")
        for words, label, ids in mentions:
            start = title.index(words)
            row = [native_id, str(start), str(start + len(words)), words, label, ids]
            lines.append("\t".join(row if ids else row[:-1]))
        lines.append("")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path
