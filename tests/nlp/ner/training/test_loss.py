"""The loss against its definition: sums over all tag sequences, one by one."""

from __future__ import annotations

import math
from itertools import pairwise, product

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from nlp.ner.training.gold import INSIDE, OUTSIDE, TAGS
from nlp.ner.training.loss import Moves, sequence_loss


def _moves(labels: int, seed: int) -> Moves:
    torch.manual_seed(seed)
    moves = Moves(labels)
    with torch.no_grad():
        moves.start.normal_()
        moves.transitions.normal_()
    return moves


def _mass(logits: torch.Tensor, allowed: torch.Tensor, moves: Moves, label: int) -> float:
    """Sum of exp(score) over the allowed sequences of one label, shapes (words, 3)."""
    total = 0.0
    for path in product(range(TAGS), repeat=len(logits)):
        legal = path[0] != INSIDE and not any(
            a == OUTSIDE and b == INSIDE for a, b in pairwise(path)
        )
        if not legal or not all(bool(allowed[word, tag]) for word, tag in enumerate(path)):
            continue
        start, transitions = moves.start.detach(), moves.transitions.detach()
        score = float(start[label, path[0]])
        score += sum(float(logits[word, tag]) for word, tag in enumerate(path))
        score += sum(float(transitions[label, a, b]) for a, b in pairwise(path))
        total += math.exp(score)
    return total


@given(st.lists(st.integers(1, 5), min_size=1, max_size=3), st.integers(0, 10**6))
def test_loss_is_the_share_of_the_allowed_sequences(lengths: list[int], seed: int) -> None:
    labels = 2
    moves = _moves(labels, seed)
    shape = (len(lengths), max(lengths), labels, TAGS)
    logits = torch.randn(shape)
    allowed = torch.rand(shape) < 0.6
    allowed[..., OUTSIDE] = True  # some sequence is always allowed
    expected = 0.0
    for row, length in enumerate(lengths):
        for label in range(labels):
            words = logits[row, :length, label]
            agreeing = _mass(words, allowed[row, :length, label], moves, label)
            everything = _mass(words, torch.ones_like(words), moves, label)
            expected -= math.log(agreeing / everything)
    loss = sequence_loss(logits, allowed, torch.tensor(lengths), moves)
    assert float(loss.detach()) == pytest.approx(expected, rel=1e-3, abs=1e-3)


def test_a_text_that_says_nothing_teaches_nothing() -> None:
    moves = _moves(2, 1)
    logits = torch.randn(1, 4, 2, TAGS, requires_grad=True)
    allowed = torch.ones(1, 4, 2, TAGS, dtype=torch.bool)
    allowed[:, :, 0, 1:] = False  # only the first label is annotated
    sequence_loss(logits, allowed, torch.tensor([4]), moves).backward()
    assert logits.grad is not None
    assert float(logits.grad[:, :, 0].abs().sum()) > 0
    assert float(logits.grad[:, :, 1].abs().max()) == pytest.approx(0, abs=1e-6)


def test_gradients_stay_finite_where_moves_are_forbidden() -> None:
    moves = _moves(1, 1)
    logits = torch.randn(1, 3, 1, TAGS, requires_grad=True)
    allowed = torch.zeros(1, 3, 1, TAGS, dtype=torch.bool)
    allowed[0, [0, 1, 2], 0, [0, 1, 2]] = True
    sequence_loss(logits, allowed, torch.tensor([3]), moves).backward()
    for tensor in (logits, moves.start, moves.transitions):
        assert tensor.grad is not None
        assert bool(torch.isfinite(tensor.grad).all())
