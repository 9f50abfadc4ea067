"""From tag probabilities of words to mentions: constrained Viterbi, then spans with scores."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nlp.ner.tags import TagSet

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Span:
    """A mention: ``text[start:end]`` is it, ``score`` the model's probability in 0 to 1."""

    start: int
    end: int
    label: str
    score: float


def viterbi(log_probs: Floats, lengths: Ints, start: Floats, transitions: Floats) -> Ints:
    """The best allowed tag sequence of each row (Viterbi 1967; Forney 1973).

    Args:
        log_probs: log probabilities, shape (rows, words, tags), padded at the end.
        lengths: words of each row, at least 1, shape (rows,).
        start: log score of each tag at the first word, shape (tags,).
        transitions: log score of each move, shape (tags, tags), rows from, columns to.

    Returns:
        Tags of shape (rows, words); what stands behind a row's length means nothing.
    """
    rows, words, tags = log_probs.shape
    best = log_probs[:, 0] + start
    came_from = np.zeros((words, rows, tags), dtype=np.int64)
    stay = np.arange(tags)
    for word in range(1, words):
        moves = best[:, :, None] + transitions
        origin = moves.argmax(axis=1)
        reached = np.take_along_axis(moves, origin[:, None, :], axis=1)[:, 0] + log_probs[:, word]
        live = (word < lengths)[:, None]
        best = np.where(live, reached, best)
        came_from[word] = np.where(live, origin, stay)
    path = np.empty((rows, words), dtype=np.int64)
    path[:, -1] = best.argmax(axis=1)
    for word in range(words - 1, 0, -1):
        path[:, word - 1] = came_from[word][np.arange(rows), path[:, word]]
    return path


def tag_words(log_probs: Sequence[Floats], tags: TagSet, rows_at_once: int = 64) -> list[Ints]:
    """Decode many word sequences, each of shape (words, tags); results in input order."""
    start, transitions = tags.start_scores(), tags.transition_scores()
    result: list[Ints] = [np.empty(0, dtype=np.int64) for _ in log_probs]
    order = sorted(
        (i for i in range(len(log_probs)) if len(log_probs[i])), key=lambda i: len(log_probs[i])
    )
    for first in range(0, len(order), rows_at_once):
        chosen = order[first : first + rows_at_once]
        lengths = np.array([len(log_probs[i]) for i in chosen], dtype=np.int64)
        padded = np.zeros((len(chosen), int(lengths.max()), len(tags)), dtype=np.float32)
        for row, i in enumerate(chosen):
            padded[row, : lengths[row]] = log_probs[i]
        paths = viterbi(padded, lengths, start, transitions)
        for row, i in enumerate(chosen):
            result[i] = paths[row, : lengths[row]]
    return result


def read_spans(
    text: str, word_starts: Ints, word_ends: Ints, path: Ints, log_probs: Floats, tags: TagSet
) -> list[Span]:
    """Turn one text's tags into mentions, in text order.

    A mention's score is the probability of its tags and of its not going on: the product over its
    words of P(tag), times 1 - P(I-label) of the next word.
    """
    spans = []
    first = 0
    while first < len(path):
        label = tags.labels[path[first]]
        if not label:
            first += 1
            continue
        last = first
        while (
            last + 1 < len(path)
            and tags.prefixes[path[last + 1]] == "I"
            and tags.labels[path[last + 1]] == label
        ):
            last += 1
        start, end = _trim(text, int(word_starts[first]), int(word_ends[last]))
        if start < end:
            score = _span_probability(log_probs, path, first, last, label, tags)
            spans.append(Span(start, end, label, score))
        first = last + 1
    return spans


def _span_probability(
    log_probs: Floats, path: Ints, first: int, last: int, label: str, tags: TagSet
) -> float:
    probability = float(np.exp(log_probs[np.arange(first, last + 1), path[first : last + 1]].sum()))
    if last + 1 < len(path):
        goes_on = [
            tag
            for tag, (prefix, other) in enumerate(zip(tags.prefixes, tags.labels, strict=True))
            if prefix == "I" and other == label
        ]
        probability *= 1.0 - float(np.exp(log_probs[last + 1, goes_on]).sum())
    return min(max(probability, 0.0), 1.0)


def _trim(text: str, start: int, end: int) -> tuple[int, int]:
    """Leave out white space at the edges: some tokenizers count a leading space to the word."""
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return start, end
