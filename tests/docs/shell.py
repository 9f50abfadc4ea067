"""What the shell makes of the commands in the pages, without carrying out any of them.

bash itself reads the blocks, with nothing on its PATH: each command it would start comes to a
handler instead, with the arguments that the program would have got.
"""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

_BASH = """
PATH=/nowhere
exec 9>calls
note() { printf '%s\\0' "$block" "$@" >&9; printf '\\0\\0' >&9; }
command_not_found_handle() { note "$@"; }
for builtin in cd source . exec kill trap; do eval "$builtin() { note $builtin \\"\\$@\\"; }"; done
"""


def typed(code: str) -> str:
    """What a person types of a session with prompts (``$ ``); a block without them as it is."""
    if not code.startswith("$ "):
        return code
    lines, is_open = [], False
    for line in code.splitlines():
        if line.startswith("$ ") or is_open:
            lines.append(line.removeprefix("$ "))
            said = "\n".join(lines)
            is_open = said.count('"') % 2 == 1 or line.endswith("\\")
    return "\n".join(lines) + "\n"


def calls(codes: Sequence[str], folder: Path) -> list[tuple[int, list[str]]]:
    """The commands of shell blocks, as (number of the block, program and arguments).

    Raises:
        AssertionError: bash does not understand a block.
    """
    script = [_BASH]
    for number, code in enumerate(codes):
        # A program of an environment is the program.
        plain = typed(code).replace(".venv/bin/", "")
        (folder / f"{number}.sh").write_text(plain, encoding="utf-8")
        script.append(f"block={number}; ( eval \"$(<'{number}.sh')\" ) >/dev/null </dev/null")
    done = subprocess.run(
        ["/bin/bash", "--noprofile", "--norc", "-c", "\n".join(script)],
        cwd=folder,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    assert "syntax error" not in done.stderr and "unexpected" not in done.stderr, done.stderr
    found = []
    for record in (folder / "calls").read_bytes().split(b"\0\0\0"):
        if record:
            number, *words = record.decode().split("\0")
            found.append((int(number), words))
    return found
