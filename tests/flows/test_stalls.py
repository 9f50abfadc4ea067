"""Hangs: a process that ends itself, and silence as the main process hears it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from flows import stalls
from flows.stalls import StallWatch, stall_limit, watchdog


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(stalls, "time", clock)
    return clock


def look(
    watch: StallWatch[str], clock: Clock, in_flight: list[str], seconds: float
) -> list[str] | None:
    """Look every half second for so long; the first answer, or None."""
    for _ in range(int(seconds * 2)):
        clock.now += 0.5
        if stuck := watch.stuck(in_flight):
            return stuck
    return None


def test_longer_document_gets_more_time() -> None:
    assert stall_limit(60, 0) == stall_limit(60, 200_000) == 60
    assert stall_limit(60, 2_000_000) == 600


def test_item_whose_sign_stands_still_is_stuck_and_its_neighbours_are_not(clock: Clock) -> None:
    watch: StallWatch[str] = StallWatch(
        lambda item: "still" if item == "a" else clock.now, 20, lambda item: 20
    )
    assert look(watch, clock, ["a", "b"], 20) is None
    assert look(watch, clock, ["a", "b"], 20) == ["a"]


def test_item_that_no_worker_has_begun_is_not_stuck_while_others_move(clock: Clock) -> None:
    watch: StallWatch[str] = StallWatch(
        lambda item: None if item == "waiting" else clock.now, 20, lambda item: 20
    )
    assert look(watch, clock, ["waiting", "b"], 200) is None


def test_silence_of_all_is_a_hang(clock: Clock) -> None:
    """Workers that never begin, or linking, which gives no signs."""
    watch: StallWatch[str] = StallWatch(lambda item: None, 20, lambda item: 20)
    assert look(watch, clock, ["a", "b"], 25) is None
    assert watch.stuck(["b"]) == [], "a result came back: that is a sign"
    assert look(watch, clock, ["b"], 25) is None
    assert look(watch, clock, ["b"], 20) == ["b"]


def test_item_with_a_long_document_is_waited_for(clock: Clock) -> None:
    limits = {"long": 100, "short": 20}
    watch: StallWatch[str] = StallWatch(lambda item: "still", 20, limits.__getitem__)
    assert look(watch, clock, ["long"], 100) is None
    assert look(watch, clock, ["long"], 100) == ["long"]


def test_time_in_which_nobody_looked_does_not_count(clock: Clock) -> None:
    """A commit that takes an hour, or a stop of the whole group, is nobody's hang."""
    watch: StallWatch[str] = StallWatch(lambda item: "still", 20, lambda item: 20)
    watch.stuck(["a"])
    clock.now += 3600
    assert watch.stuck(["a"]) == []


HANG = """
import re, sys
from pathlib import Path
from flows.stalls import watchdog

with watchdog(Path(sys.argv[1]), 1.0) as alive:
    alive()
    re.match(r"(a+)+$", "a" * 60 + "b")
"""


def test_process_that_never_lets_go_of_the_interpreter_ends_itself(tmp_path: Path) -> None:
    report = tmp_path / "report"
    done = subprocess.run(
        [sys.executable, "-c", HANG, str(report)], capture_output=True, timeout=120, check=False
    )
    assert done.returncode == 1
    assert done.stderr == b"", "the report is not for the terminal"
    assert "<string>" in report.read_text(), "where it hung"


def test_watchdog_that_is_not_needed_leaves_nothing(tmp_path: Path) -> None:
    with watchdog(tmp_path / "report", 60.0) as alive:
        alive()
    assert list(tmp_path.iterdir()) == []
