"""Progress in a log: what a line says of pace and time left."""

from __future__ import annotations

import pytest

from flows import progress


@pytest.mark.parametrize(
    ("total", "seconds", "done", "said"),
    [
        (300, 10.0, 1, "annotating: 1 of 300 documents (0%), 0.1/s"),  # foretells nothing yet
        (300, 10.0, 0, "annotating: 0 of 300 documents (0%)"),
        (300, 20.0, 100, "annotating: 100 of 300 documents (33%), 5.0/s, 0:40 left"),
        (6, 60.0, 1, "annotating: 1 of 6 documents (17%), 1.0/min, 5:00 left"),
        (None, 20.0, 100, "annotating: 100 documents, 5.0/s"),
    ],
)
def test_a_line_of_progress(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    total: int | None,
    seconds: float,
    done: int,
    said: str,
) -> None:
    clock = 1000.0
    monkeypatch.setattr(progress.time, "monotonic", lambda: clock)
    reporter = progress.Reporter("run", None)
    reporter.stage("annotating", "documents", total)
    clock += seconds
    reporter.done(done)
    assert capsys.readouterr().err.splitlines() == [said]
