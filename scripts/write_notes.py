"""Write the outputs of docs/notes.md: its queries are run on the bundled sample notes.

The page's first command is carried out with a warehouse in a temporary folder; then every SQL
block is asked there, and what comes out stands in the text block after it.

    python scripts/write_notes.py           run everything and write docs/notes.md
    python scripts/write_notes.py --check   write nothing; exit 1 where an output is another one
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "notes.md"
NOTES = ROOT / "flows" / "sample" / "notes.csv"
WIDTH = "110"

_QUERY = re.compile(r"(^```sql\n(?P<query>.*?)^```\n\n)```text\n.*?^```$", re.MULTILINE | re.DOTALL)


def charthouse(*arguments: str) -> str:
    """Standard output of a command; its errors are shown.

    Raises:
        CalledProcessError: it failed.
    """
    done = subprocess.run(
        [sys.executable, "-m", "flows.cli", *arguments],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        env=os.environ | {"COLUMNS": WIDTH, "HF_HUB_OFFLINE": "1"},
    )
    return done.stdout


def fill_warehouse(folder: Path) -> Path:
    """Annotate the sample notes as the page does."""
    warehouse = folder / "notes.duckdb"
    charthouse("run", str(NOTES), "--warehouse", str(warehouse))
    return warehouse


def answered(page: str, warehouse: Path) -> str:
    """The page with the outputs that its queries have now."""

    def answer(block: re.Match[str]) -> str:
        found = charthouse("sql", "--warehouse", str(warehouse), block["query"])
        lines = "\n".join(line.rstrip() for line in found.splitlines()).strip("\n")
        return f"{block[1]}```text\n{lines}\n```"

    return _QUERY.sub(answer, page)


def main() -> int:
    """Write or check the page."""
    page = PAGE.read_text("utf-8")
    with tempfile.TemporaryDirectory() as folder:
        current = answered(page, fill_warehouse(Path(folder)))
    if "--check" not in sys.argv:
        PAGE.write_text(current, "utf-8")
        return 0
    if current != page:
        print("docs/notes.md shows other outputs: run python scripts/write_notes.py")
    return int(current != page)


if __name__ == "__main__":
    sys.exit(main())
