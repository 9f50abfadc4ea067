"""The end of a process that Prefect was loaded in."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ProcessPoolExecutor

import pytest

from flows.processes import kill_workers_after

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


def test_a_pool_whose_idle_worker_is_stopped_still_shuts_down() -> None:
    pool = ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn"))
    try:
        idle = pool.submit(os.getpid).result()
        os.kill(idle, signal.SIGSTOP)
        timer = kill_workers_after(1.0)
    finally:
        pool.shutdown()  # would wait for ever
    timer.cancel()
    with pytest.raises(ProcessLookupError):
        os.kill(idle, 0)
