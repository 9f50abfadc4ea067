"""The end of a process that Prefect was loaded in."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest

ENDING = """
import atexit, sys
from flows.cli.main import end_at_once

{registered}
print("said", end="")
end_at_once(3, seconds=1.0)
"""


@pytest.mark.parametrize(
    ("registered", "output"),
    [
        ("atexit.register(print, ' goodbye')", "said goodbye\n"),
        ("import time; atexit.register(time.sleep, 1000)", "said"),
    ],
)
def test_process_ends_with_its_code_whatever_was_registered(registered: str, output: str) -> None:
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", ENDING.format(registered=registered)],
        capture_output=True,
        text=True,
        timeout=250,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (3, output, "")
    assert time.monotonic() - began < 240
