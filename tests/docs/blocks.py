"""Fenced blocks of the pages, as the tests read them.

A block says by its language how it is checked (``tests/docs/test_blocks.py``). A comment on the
line before it, which no reader sees, may say more:

- ``<!-- run -->``: the shell commands are carried out in a sandbox (``tests/docs/test_walk.py``),
  and what they print is what the ``text`` block after them shows;
- ``<!-- unchecked: REASON -->``: the block cannot be checked, for that reason.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
README = ROOT / "README.md"
PAGES = (README, *sorted(DOCS.glob("*.md")))

_FENCE = re.compile(
    r"(?:^ *<!-- (?P<mark>(?:run|unchecked)[^\n]*?) -->\n)?"
    r"^(?P<indent> *)```(?P<language>[^\n`]*)\n(?P<code>.*?)^(?P=indent)```$",
    re.MULTILINE | re.DOTALL,
)


@dataclass(frozen=True)
class Block:
    """A fenced block of a page, without its indent."""

    page: Path
    line: int
    """Of its first line of code, from 1."""
    language: str
    title: str
    """What follows the language, as ``title="marts"`` does where SQL is for other tables."""
    code: str
    mark: str | None
    """What the comment before it says."""

    def __str__(self) -> str:
        return f"{self.page.name}:{self.line}"


def blocks(page: Path) -> list[Block]:
    """All fenced blocks of a page, in order."""
    text = page.read_text("utf-8")
    found = []
    for fence in _FENCE.finditer(text):
        indent = fence["indent"]
        lines = [line.removeprefix(indent) for line in fence["code"].splitlines()]
        code = "\n".join(lines) + "\n"
        line = text[: fence.start("code")].count("\n") + 1
        language, _, title = fence["language"].strip().partition(" ")
        found.append(Block(page, line, language, title, code, fence["mark"]))
    return found


def all_blocks(*languages: str) -> list[Block]:
    """Blocks of these languages on all pages."""
    return [block for page in PAGES for block in blocks(page) if block.language in languages]
