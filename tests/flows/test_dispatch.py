"""Items through a pool: results, deaths, failures, and how many are on their way at once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flows.dispatch import Pool, dispatch
from flows.processes import STOP, Interrupted, stoppable
from flows.receipt import Receipt


def receipt(number: int) -> Receipt:
    return Receipt(number, "", {}, {}, {})


@pytest.fixture(autouse=True)
def nobody_asks_to_stop_after_a_test() -> Iterator[None]:
    yield
    with stoppable():
        pass


class Kills:
    """Counts how often a pool was killed."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self) -> None:
        self.count += 1


@pytest.fixture
def kills() -> Kills:
    return Kills()


def local(kill: Callable[[], None]) -> Pool:
    return Pool((BrokenProcessPool,), kill, is_local=True)


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(4) as pool:
        yield pool


@settings(max_examples=25, deadline=None)
@given(items=st.integers(0, 60), in_flight=st.integers(1, 8), again=st.sets(st.integers(0, 59)))
def test_every_item_is_finished_once_and_never_more_are_on_their_way(
    items: int, in_flight: int, again: set[int]
) -> None:
    """Items that must run again count as on their way too."""
    finished: list[int] = []
    left = set(again)
    on_their_way, most = 0, 0

    def finish(done: Sequence[tuple[int, Receipt]]) -> list[int]:
        nonlocal on_their_way
        on_their_way -= len(done)
        back = [item for item, _ in done if item in left]
        left.difference_update(back)
        finished.extend(item for item, _ in done if item not in back)
        return back

    with ThreadPoolExecutor(4) as threads:

        def submit(item: int) -> Future[Receipt]:
            nonlocal on_their_way, most
            on_their_way += 1
            most = max(most, on_their_way)
            return threads.submit(receipt, item)

        lost = dispatch(range(items), submit, finish, pool=local(lambda: None), in_flight=in_flight)
    assert lost == []
    assert sorted(finished) == list(range(items))
    assert most <= in_flight


def test_slow_writer_holds_back_the_workers(threads: ThreadPoolExecutor, kills: Kills) -> None:
    """While the writer works nothing new is handed over, however ready the workers are."""
    handed: list[int] = []
    at_finish: list[tuple[int, int]] = []
    done_before = 0

    def submit(item: int) -> Future[Receipt]:
        handed.append(item)
        return threads.submit(receipt, item)

    def finish(done: Sequence[tuple[int, Receipt]]) -> tuple[()]:
        nonlocal done_before
        threading.Event().wait(0.05)
        at_finish.append((len(handed), done_before))
        done_before += len(done)
        return ()

    dispatch(range(40), submit, finish, pool=local(kills), in_flight=3)
    assert all(handed - finished <= 3 for handed, finished in at_finish)
    assert done_before == 40


def test_what_came_back_before_a_death_is_kept_and_the_rest_is_named(kills: Kills) -> None:
    futures = {number: Future[Receipt]() for number in range(6)}
    finished: list[int] = []

    def submit(item: int) -> Future[Receipt]:
        if item == 3:  # the fourth is handed over: two results, then the pool breaks
            futures[0].set_result(receipt(0))
            futures[2].set_result(receipt(2))
            futures[1].set_exception(BrokenProcessPool())
            futures[3].set_exception(BrokenProcessPool())
        return futures[item]

    def finish(done: Sequence[tuple[int, Receipt]]) -> tuple[()]:
        finished.extend(item for item, _ in done)
        return ()

    lost = dispatch(range(6), submit, finish, pool=local(kills), in_flight=4)
    assert lost == [1, 3]
    assert sorted(finished) == [0, 2]
    assert kills.count == 1, "a worker that is stopped would hold up the end of a broken pool"


def test_cluster_goes_on_with_what_other_workers_have(kills: Kills) -> None:
    """There a death concerns its own item; the others come back."""

    class WorkerGone(Exception):
        pass

    futures = {number: Future[Receipt]() for number in range(3)}
    finished: list[int] = []

    def submit(item: int) -> Future[Receipt]:
        if item == 2:
            futures[1].set_exception(WorkerGone())
            threading.Timer(0.5, futures[0].set_result, [receipt(0)]).start()
            threading.Timer(0.7, futures[2].set_result, [receipt(2)]).start()
        return futures[item]

    def finish(done: Sequence[tuple[int, Receipt]]) -> tuple[()]:
        finished.extend(item for item, _ in done)
        return ()

    pool = Pool((WorkerGone,), kills, is_local=False)
    assert dispatch(range(3), submit, finish, pool=pool, in_flight=3) == [1]
    assert finished == [0, 2]
    assert kills.count == 0


def test_failure_is_raised_after_what_came_back_with_it_is_finished(kills: Kills) -> None:
    futures = {number: Future[Receipt]() for number in range(3)}
    finished: list[int] = []

    def submit(item: int) -> Future[Receipt]:
        if item == 2:
            futures[0].set_exception(ValueError("a task failed"))
            futures[1].set_result(receipt(1))
            futures[2].set_result(receipt(2))
        return futures[item]

    def finish(done: Sequence[tuple[int, Receipt]]) -> tuple[()]:
        finished.extend(item for item, _ in done)
        return ()

    with pytest.raises(ValueError, match="a task failed"):
        dispatch(range(3), submit, finish, pool=local(kills), in_flight=3)
    assert finished == [1, 2]
    assert kills.count == 1


def test_stop_ends_the_workers(kills: Kills) -> None:
    with stoppable():
        STOP.ask()
        with pytest.raises(Interrupted):
            dispatch([1], lambda item: Future(), lambda done: (), pool=local(kills), in_flight=1)
    assert kills.count == 1
