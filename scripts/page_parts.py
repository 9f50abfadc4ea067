"""What the generated pages of docs/ share."""

from __future__ import annotations

from collections.abc import Sequence

COMMAND = "python scripts/write_docs.py"
GENERATED = f"<!-- Made by {COMMAND} from the code. Edit the declarations, not this page. -->"


def rows_of(heading: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """A table in Markdown, and an empty line after it."""
    cells = [heading, ["---"] * len(heading), *rows]
    lines = ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in cells]
    return [*lines, ""]
