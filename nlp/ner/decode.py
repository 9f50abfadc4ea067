"""From logits of words to mentions: the best tag sequence of each chain, and how sure it is."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nlp.ner.chain import Calibration, Chain, Decoder
from nlp.ner.tags import TagSet

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

TEXTS_AT_ONCE = 64
"""Texts of similar length that are decoded together."""

LARGEST_LOG_ODDS = 12.0
"""Largest log odds that calibration sees: float32 logits tell no more apart."""


@dataclass(frozen=True, slots=True)
class Span:
    """A mention: ``text[start:end]`` is it, ``score`` its probability in 0 to 1."""

    start: int
    end: int
    label: str
    score: float


@dataclass(frozen=True, eq=False)
class Lattice:
    """Word sequences to be tagged: each text once for each of several chains built alike.

    Shapes: ``emissions`` (rows, words, tags) are logits, padded at the end; ``lengths`` (rows,) at
    least 1; ``start`` (rows, tags); ``transitions`` (rows, tags, tags). Row ``text * chains +
    chain`` is a text under a chain. ``tags`` are those of the first chain; the others differ from
    it in the labels' names alone.
    """

    emissions: Floats
    lengths: Ints
    start: Floats
    transitions: Floats
    tags: TagSet

    def rows(self, chosen: Ints) -> Lattice:
        """The chosen rows alone."""
        return Lattice(
            self.emissions[chosen],
            self.lengths[chosen],
            self.start[chosen],
            self.transitions[chosen],
            self.tags,
        )


def lay_out(logits: Floats, lengths: Ints, chains: Sequence[Chain]) -> Lattice:
    """Put texts and chains that are built alike into one lattice.

    Args:
        logits: shape (texts, words, all logits), padded at the end.
        lengths: words of each text, at least 1, shape (texts,).
        chains: with the same tags but for the names of labels.
    """
    texts, words, _ = logits.shape
    columns = np.array([chain.columns for chain in chains])
    emissions = logits[:, :, columns].transpose(0, 2, 1, 3)
    return Lattice(
        emissions.reshape(texts * len(chains), words, columns.shape[1]),
        np.repeat(lengths, len(chains)),
        np.tile(np.stack([chain.start for chain in chains]), (texts, 1)),
        np.tile(np.stack([chain.transitions for chain in chains]), (texts, 1, 1)),
        chains[0].tags,
    )


def find_spans(
    texts: Sequence[str],
    word_starts: Sequence[Ints],
    word_ends: Sequence[Ints],
    logits: Sequence[Floats],
    decoder: Decoder,
) -> list[list[Span]]:
    """Read each text's mentions off the logits of its words.

    A mention's score is the probability, given by the chain's conditional random field over all
    tag sequences of the text, that just these words are a mention of this label; calibrated where
    the decoder has a calibration for it.

    Args:
        texts: as they stand.
        word_starts, word_ends: per text the words in characters, shape (words,).
        logits: per text, shape (words, all logits of the classifier).
        decoder: the chains to read.

    Returns:
        Per text its mentions in text order; those of different chains may overlap.
    """
    found: list[list[Span]] = [[] for _ in texts]
    order = sorted((i for i in range(len(texts)) if len(logits[i])), key=lambda i: len(logits[i]))
    for first in range(0, len(order), TEXTS_AT_ONCE):
        chosen = order[first : first + TEXTS_AT_ONCE]
        lengths = np.array([len(logits[i]) for i in chosen], dtype=np.int64)
        padded = np.zeros((len(chosen), lengths[-1], logits[chosen[0]].shape[1]), dtype=np.float32)
        for row, i in enumerate(chosen):
            padded[row, : lengths[row]] = logits[i]
        for chains in _alike(decoder.chains):
            for row, start, end, kind, score in _spans(lay_out(padded, lengths, chains)):
                text, chain = divmod(row, len(chains))
                i, label = chosen[text], chains[chain].tags.first_seen_labels[kind]
                left, right = _trim(texts[i], int(word_starts[i][start]), int(word_ends[i][end]))
                if left < right:
                    calibrated = calibrate(score, decoder.calibration.get(label))
                    found[i].append(Span(left, right, label, calibrated))
    for spans in found:
        spans.sort(key=lambda span: (span.start, span.end, span.label))
    return found


def _alike(chains: Sequence[Chain]) -> list[list[Chain]]:
    """Chains in groups whose tags differ in the names of labels alone."""
    groups: dict[tuple[object, ...], list[Chain]] = {}
    for chain in chains:
        names = chain.tags.first_seen_labels
        kinds = tuple(names.index(label) if label else -1 for label in chain.tags.labels)
        groups.setdefault((chain.tags.prefixes, kinds), []).append(chain)
    return list(groups.values())


def calibrate(score: float, calibration: Calibration | None) -> float:
    """A probability after Platt's sigmoid of its log odds."""
    if calibration is None:
        return score
    odds = calibration.slope * log_odds(score) + calibration.intercept
    return 1.0 / (1.0 + math.exp(-min(max(odds, -500.0), 500.0)))


def log_odds(score: float) -> float:
    """Log odds of a probability, within ``LARGEST_LOG_ODDS`` of 0."""
    odds = math.log(max(score, 1e-12)) - math.log(max(1.0 - score, 1e-12))
    return min(max(odds, -LARGEST_LOG_ODDS), LARGEST_LOG_ODDS)


def viterbi(lattice: Lattice) -> Ints:
    """The best tag sequence of each row (Viterbi 1967; Forney 1973), shape (rows, words).

    What stands behind a row's length means nothing.
    """
    emissions, transitions = lattice.emissions, lattice.transitions
    rows, words, tags = emissions.shape
    best = emissions[:, 0] + lattice.start
    came_from = np.zeros((words, rows, tags), dtype=np.int64)
    stay = np.arange(tags)
    for word in range(1, words):
        moves = best[:, :, None] + transitions
        origin = moves.argmax(axis=1)
        reached = moves.max(axis=1) + emissions[:, word]
        live = (word < lattice.lengths)[:, None]
        best = np.where(live, reached, best)
        came_from[word] = np.where(live, origin, stay)
    path = np.empty((rows, words), dtype=np.int64)
    path[:, -1] = best.argmax(axis=1)
    for word in range(words - 1, 0, -1):
        path[:, word - 1] = came_from[word][np.arange(rows), path[:, word]]
    return path


@dataclass(frozen=True, eq=False)
class _Marginals:
    """The forward-backward messages of a lattice (Rabiner 1989), scaled word by word.

    Shapes: ``forward``, ``backward`` and ``weights`` (rows, words, tags): forward sums to 1 over
    tags, forward x backward is the probability of a tag, weights are exp(emission) over the
    word's scale; ``moves`` (rows, tags, tags) and ``begin`` (rows, tags) are exp(score).
    """

    forward: Doubles
    backward: Doubles
    weights: Doubles
    moves: Doubles
    begin: Doubles


def _marginals(lattice: Lattice) -> _Marginals:
    emissions = lattice.emissions.astype(np.float64)
    rows, words, tags = emissions.shape
    weights = np.exp(emissions - emissions.max(axis=2, keepdims=True))
    moves = np.exp(lattice.transitions.astype(np.float64))
    back = moves.transpose(0, 2, 1)
    begin = np.exp(lattice.start.astype(np.float64))
    forward = np.empty((rows, words, tags))
    current = weights[:, 0] * begin
    for word in range(words):
        if word:
            current = _through(forward[:, word - 1], moves) * weights[:, word]
        scale = current.sum(axis=1, keepdims=True)
        forward[:, word] = current / scale
        weights[:, word] /= scale
    backward = np.ones((rows, words, tags))
    for word in range(words - 2, -1, -1):
        message = _through(backward[:, word + 1] * weights[:, word + 1], back)
        live = (word + 1 < lattice.lengths)[:, None]
        backward[:, word] = np.where(live, message, 1.0)
    return _Marginals(forward, backward, weights, moves, begin)


def _through(masses: Doubles, moves: Doubles) -> Doubles:
    """Each row's masses times its moves, without a library that rounds by the number of rows."""
    moved: Doubles = (masses[:, :, None] * moves).sum(axis=1)
    return moved


def _spans(lattice: Lattice) -> list[tuple[int, int, int, int, float]]:
    """Mentions as (row, first word, last word, number of the label, probability)."""
    path = viterbi(lattice)
    words = np.arange(path.shape[1])
    label_of, continues = _labels(lattice.tags)
    labels = np.where(words < lattice.lengths[:, None], label_of[path], -1)
    if not (labels >= 0).any():
        return []
    goes_on = np.zeros_like(path, dtype=bool)
    goes_on[:, 1:] = continues[path[:, :-1], path[:, 1:]] & (labels[:, 1:] >= 0)
    begins = (labels >= 0) & ~goes_on
    ends = (labels >= 0) & ~np.concatenate(
        [goes_on[:, 1:], np.zeros((len(path), 1), dtype=bool)], axis=1
    )
    rows, firsts = np.nonzero(begins)
    _, lasts = np.nonzero(ends)
    touched = np.unique(rows)  # most rows of a sparse label have no mention: no need for theirs
    place = np.searchsorted(touched, rows)
    some = lattice.rows(touched)
    scores = _span_probabilities(some, path[touched], place, firsts, lasts, continues)
    return [
        (int(row), int(first), int(last), int(labels[row, first]), float(score))
        for row, first, last, score in zip(rows, firsts, lasts, scores, strict=True)
    ]


def _labels(tags: TagSet) -> tuple[Ints, Bools]:
    """Number of each tag's label, -1 for O, shape (tags,); and which moves go on in a mention."""
    names = {label: index for index, label in enumerate(tags.first_seen_labels)}
    label_of = np.array([names.get(label, -1) for label in tags.labels], dtype=np.int64)
    inside = np.array([prefix == "I" for prefix in tags.prefixes])
    same = (label_of[:, None] == label_of[None, :]) & (label_of >= 0)[:, None]
    return label_of, same & inside[None, :]


def _span_probabilities(
    lattice: Lattice, path: Ints, rows: Ints, firsts: Ints, lasts: Ints, continues: Bools
) -> Doubles:
    """Probability that words ``firsts`` to ``lasts`` have the path's tags and stand alone.

    The mass that enters the first word without having been in the mention, times the moves
    inside, times the mass that leaves the last word without going on.
    """
    m = _marginals(lattice)
    width = path.shape[1]
    tag_in, tag_out = path[rows, firsts], path[rows, lasts]
    before = np.maximum(firsts - 1, 0)
    arriving = m.forward[rows, before] * m.moves[rows, :, tag_in] * ~continues[:, tag_in].T
    entering = np.where(firsts > 0, arriving.sum(axis=1), m.begin[rows, tag_in])
    entering = entering * m.weights[rows, firsts, tag_in]
    after = np.minimum(lasts + 1, width - 1)
    leaving = m.moves[rows, tag_out] * ~continues[tag_out] * m.weights[rows, after]
    leaving = (leaving * m.backward[rows, after]).sum(axis=1)
    leaving = np.where(lasts + 1 < lattice.lengths[rows], leaving, 1.0)
    step = np.zeros(path.shape)
    columns = np.arange(1, width)
    every = np.arange(len(path))[:, None]
    with np.errstate(divide="ignore"):  # an impossible move has no log, and no span holds one
        step[:, 1:] = np.log(m.moves[every, path[:, :-1], path[:, 1:]]) + np.log(
            m.weights[every, columns, path[:, 1:]]
        )
    step = np.where(np.isfinite(step), step, 0.0)
    upto = np.cumsum(step, axis=1)
    inside = np.exp(upto[rows, lasts] - upto[rows, firsts])
    probabilities: Doubles = np.clip(entering * inside * leaving, 0.0, 1.0)
    return probabilities


def _trim(text: str, start: int, end: int) -> tuple[int, int]:
    """Leave out white space at the edges: some tokenizers count a leading space to the word."""
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return start, end
