"""Write the outputs of the pages that can be walked through: tutorial and how-to guides.

Blocks with the comment ``<!-- run -->`` before them are carried out, page after page, in one new
folder that looks like a clone, and what they print stands in the text block after them. Nothing is
fetched: models and stores are those in the box.

    python scripts/write_walks.py           carry everything out and write the outputs
    python scripts/write_walks.py --check   write nothing; exit 1 where an output is another one
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
WALKED = ("tutorial.md", "own-corpus.md", "own-ontology.md", "python.md", "upgrade.md")
"""In this order: later pages go on with the warehouse of the tutorial."""

SHOWN_FOLDER = "/home/charthouse"
"""As long as the name of a temporary folder, so that columns keep their widths."""
_WIDTH = "100"

_STEP = re.compile(
    r"(?P<step>^<!-- run -->\n```(?P<language>sh|python)\n(?P<code>.*?)^```\n)"
    r"(?:\n```text\n(?P<output>.*?)^```\n)?",
    re.MULTILINE | re.DOTALL,
)
_RATE = re.compile(r"[\d.,]+ s +[\d.,]+ documents/s")
"""Left out of what is shown: the machine that wrote the page may have been busy."""
_VOLATILE = (
    (re.compile(r"\b\d{8}T\d{6}-[0-9a-f]{6}\b"), "RUN"),
    (re.compile(r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\S*"), "TIME"),
    (re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d UTC"), "TIME"),
    (re.compile(r"\b[0-9a-f]{16,64}\b"), "HASH"),
    (re.compile(r"\b0\.\d\d\b"), "SCORE"),
    (re.compile(r"\bls-[0-9a-f]{12}\b"), "LINKSET"),
    (re.compile(r"-[0-9a-f]{12}\b"), "RELEASE"),
    (re.compile(r"[ \n]+"), " "),
)
"""What another day, version or terminal makes different."""


def told(output: str) -> str:
    """What an output says, whatever the day, the ids and the widths of columns."""
    for pattern, word in _VOLATILE:
        output = pattern.sub(word, output)
    return output.strip()


def make_clone(folder: Path) -> None:
    """What the pages need of a clone, and a ``charthouse`` that runs this one."""
    for name in ("flows", "nlp", "ontologies"):
        (folder / name).symlink_to(ROOT / name)
    programs = folder / ".venv" / "bin"
    programs.mkdir(parents=True)
    for name, words in (("charthouse", " -m flows.cli"), ("python", "")):
        program = programs / name
        program.write_text(f'#!/bin/sh\nexec "{sys.executable}"{words} "$@"\n')
        program.chmod(0o755)


def carry_out(language: str, code: str, folder: Path) -> str:
    """What a block prints; progress on standard error is left out.

    Raises:
        RuntimeError: a command of it failed; with what it said.
    """
    command = ["python", "-c", code]
    if language == "sh":
        command = ["bash", "--norc", "-e", "-o", "pipefail", "-c", code]
    done = subprocess.run(
        command,
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        env={
            **{k: v for k, v in os.environ.items() if not k.startswith("CHARTHOUSE_")},
            "PATH": f"{folder}/.venv/bin:{os.environ['PATH']}",
            "PYTHONPATH": str(folder),
            "COLUMNS": _WIDTH,
            "HF_HUB_OFFLINE": "1",
        },
    )
    if done.returncode:
        raise RuntimeError(f"{code}\nended with {done.returncode}:\n{done.stdout}{done.stderr}")
    lines = "\n".join(line.rstrip() for line in done.stdout.splitlines()).strip("\n")
    lines = _RATE.sub("…", lines)
    return lines.replace(str(folder), SHOWN_FOLDER) + "\n"


def walk(page: str, folder: Path) -> str:
    """A page with the outputs that its steps have now; those that say the same stay."""

    def step(found: re.Match[str]) -> str:
        output = carry_out(found["language"], found["code"], folder)
        shown = found["output"]
        if shown is None:
            if output.strip():
                raise RuntimeError(f"{found['code']}\nhas an output that is not shown:\n{output}")
            return found[0]
        same = told(output) == told(shown)
        return f"{found['step']}\n```text\n{shown if same else output}```\n"

    return _STEP.sub(step, page)


def main() -> int:
    """Write or check the pages."""
    with tempfile.TemporaryDirectory(dir="/tmp") as name:
        folder = Path(name).resolve()
        make_clone(folder)
        stale = []
        for page in WALKED:
            path = DOCS / page
            before = path.read_text("utf-8")
            after = walk(before, folder)
            if after != before:
                stale.append(page)
                if "--check" not in sys.argv:
                    path.write_text(after, encoding="utf-8")
    if "--check" in sys.argv and stale:
        print(f"other outputs in {', '.join(stale)}: run python scripts/write_walks.py")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
