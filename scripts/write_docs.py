"""Write the generated pages of docs/: tables, settings, names of sections, commands.

All are made from the declarations that the code itself uses, each by the module of its name.

    python scripts/write_docs.py           write them
    python scripts/write_docs.py --check   write nothing; exit 1 where a page is out of date
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from cli_page import cli_page
from configuration_page import configuration_page
from page_parts import COMMAND, GENERATED
from section_names_page import section_names_page
from tables_page import tables_page

DOCS = Path(__file__).resolve().parents[1] / "docs"


def pages() -> dict[Path, str]:
    """Path and text of every generated page."""
    return {
        DOCS / "tables.md": tables_page(),
        DOCS / "configuration.md": configuration_page(),
        DOCS / "section-names.md": section_names_page(),
        DOCS / "cli.md": f"{GENERATED}\n\n{cli_page()}",
    }


def stale() -> list[Path]:
    """Pages on disk that are not what the code would write."""
    return [
        path
        for path, text in pages().items()
        if not path.is_file() or path.read_text("utf-8") != text
    ]


def main() -> int:
    """Write the pages, or say which are out of date."""
    parser = argparse.ArgumentParser(description="Write the generated pages of docs/.")
    parser.add_argument("--check", action="store_true", help="write nothing, exit 1 on difference")
    if parser.parse_args().check:
        out_of_date = stale()
        for path in out_of_date:
            print(f"docs/{path.name} is out of date; run: {COMMAND}", file=sys.stderr)
        return 1 if out_of_date else 0
    DOCS.mkdir(exist_ok=True)
    for path, text in pages().items():
        path.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
