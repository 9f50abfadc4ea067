"""Write the outputs of docs/sql.md: its commands and queries are run on the bundled sample.

The page is gone through from its top, in a temporary folder where ``flows/sample`` is the one in
the box: a block of commands is carried out, an SQL block is asked of ``demo.duckdb``, and what
comes out stands in the text block after it.

    python scripts/write_sql.py           run everything and write docs/sql.md
    python scripts/write_sql.py --check   write nothing; exit 1 where an output is another one
"""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
import tempfile
from contextlib import redirect_stdout
from pathlib import Path
from unittest.mock import patch

from flows.cli.inspect import Output, print_rows
from flows.warehouse.connection import read_warehouse
from flows.warehouse.session import confine

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "sql.md"
WAREHOUSE = "demo.duckdb"
WIDTH = "110"

_BLOCK = re.compile(
    r"^```sh\n(?P<commands>.*?)^```$"
    r"|(?P<head>^```sql\n(?P<query>.*?)^```\n\n)```text\n.*?^```$",
    re.MULTILINE | re.DOTALL,
)
_SHELL = 'charthouse() { "$PYTHON" -m flows.cli "$@" || [ $? -eq 3 ]; }\n'
"""Exit code 3 says that records were rejected."""


def answered(page: str, folder: Path) -> str:
    """The page with the outputs that its queries have now, its files in ``folder``.

    Raises:
        CalledProcessError: a command failed; its errors are shown.
        duckdb.Error: a query did.
    """
    (folder / "flows").mkdir()
    (folder / "flows" / "sample").symlink_to(ROOT / "flows" / "sample")

    def answer(block: re.Match[str]) -> str:
        if block["commands"]:
            carry_out(block["commands"], folder)
            return block[0]
        return f"{block['head']}```text\n{asked(block['query'], folder / WAREHOUSE)}\n```"

    return _BLOCK.sub(answer, page)


def carry_out(commands: str, folder: Path) -> None:
    """Run a block of shell commands; what they print is not shown."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("CHARTHOUSE_")}
    subprocess.run(
        ["bash", "-euo", "pipefail", "-c", _SHELL + commands],
        cwd=folder,
        stdout=subprocess.DEVNULL,
        check=True,
        # The folder's own flows/ holds the sample alone.
        env=own
        | {
            "PYTHON": sys.executable,
            "PYTHONPATH": str(ROOT),
            "PYTHONSAFEPATH": "1",
            "HF_HUB_OFFLINE": "1",
            "PREFECT_HOME": str(folder / "prefect"),
        },
    )


def asked(query: str, warehouse: Path) -> str:
    """What ``charthouse sql`` prints."""
    printed = io.StringIO()
    with (
        read_warehouse(warehouse) as connection,
        redirect_stdout(printed),
        patch.dict(os.environ, {"COLUMNS": WIDTH}),
    ):
        confine(connection)
        result = connection.execute(query)
        names = [column[0] for column in result.description or []]
        print_rows(names, result.fetchall(), Output.table)
    return "\n".join(line.rstrip() for line in printed.getvalue().splitlines()).strip("\n")


def main() -> int:
    """Write or check the page."""
    page = PAGE.read_text("utf-8")
    with tempfile.TemporaryDirectory() as folder:
        current = answered(page, Path(folder))
    if "--check" not in sys.argv:
        PAGE.write_text(current, "utf-8")
        return 0
    if current != page:
        print("docs/sql.md shows other outputs: run python scripts/write_sql.py")
    return int(current != page)


if __name__ == "__main__":
    sys.exit(main())
