"""Chains against brute force over all tag sequences; spans against their definition."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import pairwise, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nlp.ner.chain import Calibration, Chain, Decoder, Floats, constrained
from nlp.ner.decode import Span, calibrate, find_spans, lay_out, viterbi
from nlp.ner.encoding import Ints
from nlp.ner.tags import FORBIDDEN, TagSet, bio_tags, read_tags

BIO = read_tags(dict(enumerate(bio_tags(["A", "B"]))))
BIOES = read_tags(dict(enumerate(["O", "B-A", "I-A", "E-A", "S-A"])))
IO = read_tags(dict(enumerate(["O", "A", "B", "C", "D"])))
TAG_SETS = st.sampled_from([BIO, BIOES, IO])
SEEDS = st.integers(0, 10**6)


def _logits(seed: int, words: int, tags: int = 5) -> Floats:
    drawn = np.random.default_rng(seed).normal(scale=2.0, size=(words, tags))
    return drawn.astype(np.float32)


def _learnt(tags: TagSet, seed: int) -> Chain:
    """A chain with random scores on top of the forbidden moves."""
    random = np.random.default_rng(seed)
    free = constrained(tuple(range(len(tags))), tags)
    start = free.start + random.normal(size=free.start.shape)
    moves = free.transitions + random.normal(size=free.transitions.shape)
    return Chain(free.columns, tags, start.astype(np.float32), moves.astype(np.float32))


def _total(path: tuple[int, ...], logits: Floats, chain: Chain) -> float:
    steps = math.fsum(float(chain.transitions[a, b]) for a, b in pairwise(path))
    words = math.fsum(float(logits[word, tag]) for word, tag in enumerate(path))
    return float(chain.start[path[0]]) + steps + words


def _every_path(logits: Floats, chain: Chain) -> list[tuple[tuple[int, ...], float]]:
    paths = product(range(len(chain.tags)), repeat=len(logits))
    return [(path, _total(path, logits, chain)) for path in paths]


@given(st.lists(st.integers(1, 5), min_size=1, max_size=5), SEEDS, TAG_SETS)
def test_best_allowed_path_of_each_row(lengths: list[int], seed: int, tags: TagSet) -> None:
    chain = _learnt(tags, seed)
    rows = np.stack([_logits(seed + i, 5) for i in range(len(lengths))])
    paths = viterbi(lay_out(rows, np.array(lengths), [chain]))
    for logits, length, path in zip(rows, lengths, paths, strict=True):
        chosen = tuple(int(tag) for tag in path[:length])
        best = max(score for _, score in _every_path(logits[:length], chain))
        assert best > FORBIDDEN / 2
        assert _total(chosen, logits, chain) == pytest.approx(best, abs=1e-4)


def test_padding_is_not_read() -> None:
    rows = np.stack([_logits(3, 4), _logits(4, 4)])
    lengths, chain = np.array([2, 4]), _learnt(BIO, 1)
    before = viterbi(lay_out(rows, lengths, [chain]))
    rows[0, 2:] = [0.0, FORBIDDEN, FORBIDDEN, FORBIDDEN, FORBIDDEN]
    after = viterbi(lay_out(rows, lengths, [chain]))
    assert before[0, :2].tolist() == after[0, :2].tolist()
    assert before[1].tolist() == after[1].tolist()


def _brute_spans(path: tuple[int, ...], tags: TagSet) -> set[tuple[int, int, str]]:
    """The mentions of a tag sequence by their definition: (first word, last word, label)."""
    spans = []
    for word, tag in enumerate(path):
        label = tags.labels[tag]
        joined = word and tags.prefixes[tag] == "I" and tags.labels[path[word - 1]] == label
        if label and joined:
            spans[-1] = (spans[-1][0], word, label)
        elif label:
            spans.append((word, word, label))
    return set(spans)


@settings(deadline=None)
@given(st.lists(st.integers(0, 4), min_size=1, max_size=3), SEEDS, TAG_SETS)
def test_scores_are_the_mass_of_the_paths_that_hold_the_span(
    lengths: list[int], seed: int, tags: TagSet
) -> None:
    chain = _learnt(tags, seed)
    logits = [_logits(seed + i, length) for i, length in enumerate(lengths)]
    places = [np.arange(length) for length in lengths]
    texts = ["x" * length for length in lengths]
    ends = [p + 1 for p in places]
    for row, spans in enumerate(find_spans(texts, places, ends, logits, Decoder((chain,)))):
        if not lengths[row]:
            assert spans == []
            continue
        paths = _every_path(logits[row], chain)
        largest = max(score for _, score in paths)
        mass = math.fsum(math.exp(score - largest) for _, score in paths)
        best = max(paths, key=lambda pair: pair[1])[0]
        found = {(s.start, s.end - 1, s.label) for s in spans}
        assert found == _brute_spans(best, tags)
        for span in spans:
            key = (span.start, span.end - 1, span.label)
            tagged = best[span.start : span.end]
            holding = math.fsum(
                math.exp(score - largest)
                for path, score in paths
                if key in _brute_spans(path, tags) and path[span.start : span.end] == tagged
            )
            assert span.score == pytest.approx(holding / mass, abs=1e-5)


WORDS = st.lists(st.text(min_size=1, max_size=4), max_size=8)


def _lay_out(words: list[str]) -> tuple[str, Ints, Ints]:
    """The words one after another, each with the blank that stands before it."""
    ends = np.cumsum([len(word) + 1 for word in words], dtype=np.int64)
    starts = ends - np.array([len(word) + 1 for word in words], dtype=np.int64)
    return "".join(" " + word for word in words), starts, ends


@given(WORDS, SEEDS, TAG_SETS)
def test_spans_lie_in_the_text_in_order(words: list[str], seed: int, tags: TagSet) -> None:
    text, starts, ends = _lay_out(words)
    decoder = Decoder((constrained(tuple(range(5)), tags),))
    (spans,) = find_spans([text], [starts], [ends], [_logits(seed, len(words))], decoder)
    for span in spans:
        found = text[span.start : span.end]
        assert 0 <= span.start < span.end <= len(text)
        assert found == found.strip()
        assert span.label in tags.entity_labels
        assert 0.0 <= span.score <= 1.0
    for left, right in pairwise(spans):
        assert left.end <= right.start


def _sure(tags: TagSet, names: list[str], *path: str) -> list[tuple[int, int, str]]:
    """Spans of one-letter words whose tags are certain, so that offsets count words."""
    logits = np.zeros((len(path), len(tags)), dtype=np.float32)
    for word, tag in enumerate(path):
        logits[word, names.index(tag)] = 20.0
    starts = np.arange(len(path))
    decoder = Decoder((constrained(tuple(range(len(tags))), tags),))
    (spans,) = find_spans(["x" * len(path)], [starts], [starts + 1], [logits], decoder)
    assert all(span.score > 0.99 for span in spans)
    return [(s.start, s.end, s.label) for s in spans]


def test_neighbouring_mentions_stay_apart() -> None:
    path = ("B-A", "B-A", "I-A", "B-B", "O", "B-B", "I-B")
    expected = [(0, 1, "A"), (1, 3, "A"), (3, 4, "B"), (5, 7, "B")]
    assert _sure(BIO, bio_tags(["A", "B"]), *path) == expected


def test_chains_are_read_side_by_side() -> None:
    """Two labels with three logits each may mark the same words."""
    one = read_tags({0: "O", 1: "B-A", 2: "I-A"})
    other = read_tags({0: "O", 1: "B-B", 2: "I-B"})
    decoder = Decoder((constrained((0, 1, 2), one), constrained((3, 4, 5), other)))
    logits = np.zeros((3, 6), dtype=np.float32)
    logits[[0, 1, 2], [1, 2, 0]] = 20.0  # A: words 0 and 1
    logits[[0, 1, 2], [3, 4, 5]] = 20.0  # B: words 1 and 2
    places = np.arange(3)
    (spans,) = find_spans(["xyz"], [places], [places + 1], [logits], decoder)
    assert [(s.start, s.end, s.label) for s in spans] == [(0, 2, "A"), (1, 3, "B")]


@given(st.lists(st.integers(1, 6), min_size=1, max_size=4), SEEDS)
def test_chains_in_company_are_read_as_alone(lengths: list[int], seed: int) -> None:
    """Chains that are built alike go through one lattice; others have one of their own."""
    decoders = [
        replace(_learnt(read_tags({0: "O", 1: "B-A", 2: "I-A"}), seed), columns=(0, 1, 2)),
        replace(_learnt(read_tags({0: "O", 1: "B-B", 2: "I-B"}), seed + 1), columns=(3, 4, 5)),
        replace(_learnt(read_tags({0: "I-C", 1: "O", 2: "B-C"}), seed + 2), columns=(6, 7, 8)),
    ]
    logits = [_logits(seed + i, length, 9) for i, length in enumerate(lengths)]
    places = [np.arange(length) for length in lengths]
    arguments = (["x" * n for n in lengths], places, [p + 1 for p in places], logits)
    together = find_spans(*arguments, Decoder(tuple(decoders)))
    alone = [find_spans(*arguments, Decoder((chain,))) for chain in decoders]
    for row, spans in enumerate(together):
        apart = [span for found in alone for span in found[row]]
        assert spans == sorted(apart, key=lambda s: (s.start, s.end, s.label))


def test_span_of_white_space_only_is_dropped() -> None:
    logits = np.array([[0.0, 20.0, 0.0, 0.0, 0.0]], dtype=np.float32)
    decoder = Decoder((constrained(tuple(range(5)), BIO),))
    assert find_spans(["  "], [np.array([0])], [np.array([2])], [logits], decoder) == [[]]


@given(st.floats(0, 1), st.floats(0, 1), st.floats(0.1, 3), st.floats(-2, 2))
def test_calibration_keeps_order_and_range(
    a: float, b: float, slope: float, intercept: float
) -> None:
    low, high = sorted((a, b))
    curve = Calibration(slope, intercept)
    assert 0.0 <= calibrate(low, curve) <= calibrate(high, curve) <= 1.0
    assert calibrate(low, None) == low


def test_an_even_calibration_changes_nothing() -> None:
    assert calibrate(0.73, Calibration(1.0, 0.0)) == pytest.approx(0.73)


def test_calibration_is_by_label() -> None:
    logits = np.array([[0.0, 2.0, 0.0, 0.0, 0.0]], dtype=np.float32)
    chain = constrained(tuple(range(5)), BIO)
    place = [np.array([0])], [np.array([1])]

    def score(calibration: dict[str, Calibration]) -> float:
        decoder = Decoder((chain,), calibration=calibration)
        ((span,),) = find_spans(["x"], *place, [logits], decoder)
        assert span == Span(0, 1, "A", span.score)
        return span.score

    plain = score({})
    assert score({"B": Calibration(2.0, 1.0)}) == plain
    assert score({"A": Calibration(1.0, 1.0)}) > plain
