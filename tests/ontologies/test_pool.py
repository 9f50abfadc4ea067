from __future__ import annotations

import operator

import pytest

from ontologies.pool import spreading


@pytest.mark.parametrize("workers", [1, 2])
def test_results_come_in_order(workers: int) -> None:
    with spreading(workers) as spread:
        assert list(spread(operator.neg, range(50))) == [-number for number in range(50)]
        assert list(spread(str, [])) == []


def test_items_are_taken_as_they_are_needed() -> None:
    taken = []

    def items():
        for number in range(100):
            taken.append(number)
            yield number

    with spreading(2) as spread:
        results = spread(operator.neg, items())
        assert next(results) == 0
        assert len(taken) < 10


@pytest.mark.parametrize("workers", [1, 2])
def test_errors_reach_the_caller(workers: int) -> None:
    with spreading(workers) as spread, pytest.raises(ZeroDivisionError):
        list(spread((1).__truediv__, [1, 0]))
