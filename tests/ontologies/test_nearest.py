from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ontologies import nearest as search_rule
from ontologies.nearest import nearest, restrict
from ontologies.ngrams import GramIndex
from tests.ontologies.grams import gram_index, similarities

FORMS = ["asthma", "asthma bronchial", "bronchitis", "migraine", "zzz"]
INDEX = gram_index(FORMS)

WORDS = st.sampled_from(["acute", "renal", "fever", "femur", "b6", "β", "nephritis", "a", "zz"])
NAMES = st.lists(WORDS, min_size=1, max_size=4).map(" ".join)
Restricted = tuple[list[str], list[int], list[bool]]


@st.composite
def restricted(draw: Callable[..., object]) -> Restricted:
    """Forms, where their blocks begin, and which of them are allowed."""
    forms = draw(st.lists(NAMES, min_size=1, max_size=12, unique=True))
    cuts = draw(st.lists(st.integers(0, len(forms) - 1), max_size=3))
    allowed = draw(st.lists(st.booleans(), min_size=len(forms), max_size=len(forms)))
    return forms, sorted({0, len(forms), *cuts}), allowed


def everything(count: int = len(FORMS)) -> np.ndarray:
    return np.ones(count, dtype=np.bool_)


@pytest.fixture(params=["exact", "pruned"])
def steps(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Small indexes are searched exactly; ``pruned`` searches them as if they were large."""
    if request.param == "pruned":
        monkeypatch.setattr(search_rule, "_BUDGET", 0)


@pytest.mark.usefixtures("steps")
@pytest.mark.parametrize("asked", ["asthmatic", "bronchial asthma", "migrain", "zzzzz", "asthma"])
def test_similarity_is_the_cosine_of_tfidf(asked: str) -> None:
    _, form, score = nearest(INDEX, restrict(INDEX, everything()), [asked], 5, 0.0)
    found = dict(zip(form.tolist(), score.tolist(), strict=True))
    expected = similarities(FORMS, asked)
    assert found
    for row, similarity in found.items():
        assert similarity == pytest.approx(expected[row], abs=1e-5)
    assert found.get(int(np.argmax(expected))) is not None


@given(restricted(), st.lists(NAMES, min_size=1, max_size=4), st.integers(1, 12))
def test_equals_brute_force(given_forms: Restricted, asked: list[str], count: int) -> None:
    forms, block, allowed = given_forms
    index = gram_index(forms, block)
    query, form, score = nearest(index, restrict(index, np.array(allowed)), asked, count, 0.1)
    for row, name in enumerate(asked):
        expected = [
            similarity if may else 0.0
            for similarity, may in zip(similarities(forms, name), allowed, strict=True)
        ]
        best = sorted((value for value in expected if value > 0.1), reverse=True)[:count]
        assert score[query == row].tolist() == pytest.approx(best, abs=1e-5)
        for found, similarity in zip(form[query == row], score[query == row], strict=True):
            assert allowed[found]
            assert similarity == pytest.approx(expected[found], abs=1e-5)


@given(restricted(), NAMES)
def test_what_pruning_finds_is_right_and_holds_what_is_alike(
    given_forms: Restricted, asked: str
) -> None:
    forms, block, allowed = given_forms
    index = gram_index(forms, block)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(search_rule, "_BUDGET", 0)
        _, form, score = nearest(index, restrict(index, np.array(allowed)), [asked], 12, 0.1)
    expected = similarities(forms, asked)
    for found, similarity in zip(form.tolist(), score.tolist(), strict=True):
        assert allowed[found]
        assert similarity == pytest.approx(expected[found], abs=1e-5)
    # The bound of the prefix filter, with all candidates kept.
    sure = {row for row, value in enumerate(expected) if value > 0.534 and allowed[row]}
    assert sure <= set(form.tolist())


@pytest.mark.usefixtures("steps")
def test_best_first_no_more_than_asked_and_above_the_floor() -> None:
    search = restrict(INDEX, everything())
    _, form, score = nearest(INDEX, search, ["asthma bronchial"], 2, 0.1)
    assert form.tolist()[0] == 1
    assert len(form) == 2
    assert score.tolist() == sorted(score.tolist(), reverse=True)
    assert nearest(INDEX, search, ["asthma"], 5, 0.99)[1].tolist() == [0]


@pytest.mark.usefixtures("steps")
@pytest.mark.parametrize("block", [[0, 5], [0, 1, 5], [0, 2, 5]])
def test_only_allowed_forms(block: list[int]) -> None:
    index = gram_index(FORMS, block)
    allowed = np.array([False, True, True, True, True])
    _, form, _ = nearest(index, restrict(index, allowed), ["asthma"], 5, 0.0)
    assert form.tolist()[0] == 1
    assert 0 not in form.tolist()


def test_blocks_without_an_allowed_form_are_not_searched_and_whole_ones_are_not_copied() -> None:
    index = gram_index(FORMS, [0, 2, 4, 5])
    search = restrict(index, np.array([False, False, True, True, True]))
    assert len(search.matrices) == 2
    assert all(np.shares_memory(matrix.data, index.weighted) for matrix in search.matrices)


@pytest.mark.usefixtures("steps")
@pytest.mark.parametrize("asked", ["", "ж", "qqqq", "\ud800"])
def test_nothing_in_common(asked: str) -> None:
    assert nearest(INDEX, restrict(INDEX, everything()), [asked], 5, 0.0)[1].tolist() == []


@pytest.mark.usefixtures("steps")
def test_empty_index_query_and_restriction() -> None:
    empty = gram_index([])
    assert nearest(empty, restrict(empty, everything(0)), ["asthma"], 5, 0.0)[1].tolist() == []
    assert nearest(INDEX, restrict(INDEX, everything()), [], 5, 0.0)[1].tolist() == []
    assert nearest(INDEX, restrict(INDEX, ~everything()), ["asthma"], 5, 0.0)[1].tolist() == []


@settings(max_examples=50)
@given(st.lists(st.text(max_size=12) | NAMES, min_size=1, max_size=6), st.sampled_from([0, 4, 99]))
def test_a_result_does_not_depend_on_the_batch(asked: list[str], budget: int) -> None:
    index: GramIndex = INDEX
    search = restrict(index, everything())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(search_rule, "_BUDGET", budget)
        query, form, score = nearest(index, search, asked, 3, 0.0)
        for row, one in enumerate(asked):
            _, alone, alone_score = nearest(index, search, [one], 3, 0.0)
            assert form[query == row].tolist() == alone.tolist()
            assert score[query == row].tolist() == alone_score.tolist()
