"""Viterbi against brute force; spans against their definition."""

from __future__ import annotations

import math
from itertools import pairwise, product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlp.ner.decode import Floats, Ints, read_spans, tag_words, viterbi
from nlp.ner.tags import FORBIDDEN, TagSet, bio_tags, read_tags

BIO = read_tags(dict(enumerate(bio_tags(["A", "B"]))))
BIOES = read_tags(dict(enumerate(["O", "B-A", "I-A", "E-A", "S-A"])))
IO = read_tags(dict(enumerate(["O", "A", "B", "C", "D"])))
TAG_SETS = st.sampled_from([BIO, BIOES, IO])


def _random_log_probs(seed: int, words: int, tags: int = 5) -> Floats:
    logits = np.random.default_rng(seed).normal(scale=2.0, size=(words, tags))
    return (logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))).astype(np.float32)


def _allowed(path: tuple[int, ...], tags: TagSet) -> bool:
    moves = tags.transition_scores()
    steps = pairwise(path)
    return tags.start_scores()[path[0]] == 0.0 and all(moves[a, b] == 0.0 for a, b in steps)


def _score(path: tuple[int, ...], log_probs: Floats) -> float:
    return math.fsum(float(log_probs[word, tag]) for word, tag in enumerate(path))


@given(st.lists(st.integers(0, 5), min_size=1, max_size=6), st.integers(0, 10**6), TAG_SETS)
def test_best_allowed_path_of_each_text(lengths: list[int], seed: int, tags: TagSet) -> None:
    texts = [_random_log_probs(seed + i, length) for i, length in enumerate(lengths)]
    for log_probs, found in zip(texts, tag_words(texts, tags, rows_at_once=3), strict=True):
        assert len(found) == len(log_probs)
        if not len(log_probs):
            continue
        path = tuple(int(tag) for tag in found)
        assert _allowed(path, tags)
        paths = product(range(len(tags)), repeat=len(log_probs))
        best = max(_score(p, log_probs) for p in paths if _allowed(p, tags))
        assert _score(path, log_probs) == pytest.approx(best, abs=1e-4)


@given(st.lists(st.integers(1, 5), min_size=1, max_size=4), st.integers(0, 10**6))
def test_best_path_under_any_scores_of_moves(lengths: list[int], seed: int) -> None:
    random = np.random.default_rng(seed)
    start = random.normal(size=3).astype(np.float32)
    moves = random.normal(size=(3, 3)).astype(np.float32)
    rows = np.stack([_random_log_probs(seed + i, 5, tags=3) for i in range(len(lengths))])
    found = viterbi(rows, np.array(lengths), start, moves)

    def total(path: tuple[int, ...], log_probs: Floats) -> float:
        steps = math.fsum(float(moves[a, b]) for a, b in pairwise(path))
        return float(start[path[0]]) + steps + _score(path, log_probs)

    for log_probs, length, path in zip(rows, lengths, found, strict=True):
        best = max(total(p, log_probs) for p in product(range(3), repeat=length))
        chosen = tuple(int(tag) for tag in path[:length])
        assert total(chosen, log_probs) == pytest.approx(best, abs=1e-4)


def test_padding_is_not_read() -> None:
    log_probs = np.stack([_random_log_probs(3, 4), _random_log_probs(4, 4)])
    lengths = np.array([2, 4])
    start, moves = BIO.start_scores(), BIO.transition_scores()
    before = viterbi(log_probs, lengths, start, moves)
    log_probs[0, 2:] = [0.0, FORBIDDEN, FORBIDDEN, FORBIDDEN, FORBIDDEN]
    after = viterbi(log_probs, lengths, start, moves)
    assert before[0, :2].tolist() == after[0, :2].tolist()
    assert before[1].tolist() == after[1].tolist()


WORDS = st.lists(st.text(min_size=1, max_size=4), max_size=8)


def _lay_out(words: list[str]) -> tuple[str, Ints, Ints]:
    """The words one after another, each with the blank that stands before it."""
    ends = np.cumsum([len(word) + 1 for word in words], dtype=np.int64)
    starts = ends - np.array([len(word) + 1 for word in words], dtype=np.int64)
    return "".join(" " + word for word in words), starts, ends


@given(WORDS, st.integers(0, 10**6), TAG_SETS)
def test_spans_lie_in_the_text_in_order(words: list[str], seed: int, tags: TagSet) -> None:
    text, starts, ends = _lay_out(words)
    log_probs = _random_log_probs(seed, len(words))
    (path,) = tag_words([log_probs], tags)
    spans = read_spans(text, starts, ends, path, log_probs, tags)
    for span in spans:
        found = text[span.start : span.end]
        assert 0 <= span.start < span.end <= len(text)
        assert found == found.strip()
        assert span.label in tags.entity_labels
        assert 0.0 <= span.score <= 1.0
    for left, right in pairwise(spans):
        assert left.end <= right.start


def _spans(tags: TagSet, *path: str) -> list[tuple[int, int, str]]:
    """Spans of one-letter words without blanks, so that offsets count words."""
    names = {"O": 0} | {n: i for i, n in enumerate(bio_tags(["A", "B"]))}
    text = "x" * len(path)
    starts = np.arange(len(path))
    log_probs = np.full((len(path), len(tags)), -1.0, dtype=np.float32)
    chosen = np.array([names[tag] for tag in path])
    spans = read_spans(text, starts, starts + 1, chosen, log_probs, tags)
    return [(s.start, s.end, s.label) for s in spans]


def test_neighbouring_mentions_stay_apart() -> None:
    path = ("B-A", "B-A", "I-A", "B-B", "O", "B-B", "I-B")
    assert _spans(BIO, *path) == [(0, 1, "A"), (1, 3, "A"), (3, 4, "B"), (5, 7, "B")]


def test_score_is_the_probability_of_the_span() -> None:
    probabilities = np.array(
        [[0.1, 0.6, 0.1, 0.1, 0.1], [0.2, 0.1, 0.5, 0.1, 0.1], [0.3, 0.1, 0.4, 0.1, 0.1]]
    )
    log_probs = np.log(probabilities).astype(np.float32)
    starts = np.arange(3)
    (span,) = read_spans("abc", starts, starts + 1, np.array([1, 2, 0]), log_probs, BIO)
    assert span.score == pytest.approx(0.6 * 0.5 * (1 - 0.4), abs=1e-6)
    (span,) = read_spans("ab", starts[:2], starts[:2] + 1, np.array([1, 2]), log_probs[:2], BIO)
    assert span.score == pytest.approx(0.6 * 0.5, abs=1e-6)


def test_score_counts_every_tag_that_goes_on() -> None:
    probabilities = np.array([[0.1, 0.2, 0.0, 0.0, 0.7], [0.4, 0.1, 0.2, 0.3, 0.0]]) + 1e-12
    log_probs = np.log(probabilities).astype(np.float32)
    starts = np.arange(2)
    (span,) = read_spans("ab", starts, starts + 1, np.array([4, 0]), log_probs, BIOES)
    assert span.score == pytest.approx(0.7 * (1 - 0.2 - 0.3), abs=1e-6)


def test_span_of_white_space_only_is_dropped() -> None:
    log_probs = _random_log_probs(1, 1)
    assert read_spans("  ", np.array([0]), np.array([2]), np.array([1]), log_probs, BIO) == []
