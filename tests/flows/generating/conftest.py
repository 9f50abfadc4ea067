"""Fixtures: the sample annotated once, and the echo task in place of that of ``generate text``."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from flows.generating.tasks import TASKS
from tests.flows.conftest import Bench
from tests.flows.generating.bench import Generating
from tests.flows.generating.echo import Echo
from tests.flows.generating.sampled import sampled

__all__ = ["sampled"]


@pytest.fixture
def echo() -> Iterator[Echo]:
    """The task ``text`` writes the first word of each document."""
    made = Echo()
    maker = TASKS._makers["text"]
    TASKS["text"] = made
    yield made
    TASKS._makers["text"] = maker
    TASKS._made.pop("text", None)


@pytest.fixture
def generating(bench: Bench, echo: Echo) -> Generating:
    return Generating(bench)
