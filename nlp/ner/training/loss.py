"""The loss: negative log likelihood of all tag sequences that the gold allows.

A linear-chain conditional random field (Lafferty et al. 2001) for each label, trained on partial
annotation (Tsuboi et al. 2008): the score of the allowed sequences over that of all sequences.
"""

from __future__ import annotations

import torch

from nlp.ner.tags import FORBIDDEN, bio_tags, read_tags
from nlp.ner.training.gold import TAGS


class Moves(torch.nn.Module):
    """Learnt scores of each label's first tag and moves; O to I and a first I stay forbidden."""

    def __init__(self, labels: int) -> None:
        """Start from zero for every allowed move of ``labels`` chains."""
        super().__init__()
        self.start = torch.nn.Parameter(torch.zeros(labels, TAGS))
        self.transitions = torch.nn.Parameter(torch.zeros(labels, TAGS, TAGS))
        tags = read_tags(dict(enumerate(bio_tags(["any label"]))))
        self.bar_start: torch.Tensor
        self.bar_moves: torch.Tensor
        self.register_buffer("bar_start", torch.from_numpy(tags.start_scores()), persistent=False)
        self.register_buffer(
            "bar_moves", torch.from_numpy(tags.transition_scores()), persistent=False
        )

    def scores(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Start (labels, 3) and move scores (labels, 3, 3) with the forbidden ones barred."""
        return self.start + self.bar_start, self.transitions + self.bar_moves


def sequence_loss(
    logits: torch.Tensor, allowed: torch.Tensor, lengths: torch.Tensor, moves: Moves
) -> torch.Tensor:
    """Negative log likelihood summed over rows and labels.

    Args:
        logits: shape (rows, words, labels, 3), float32, padded at the end.
        allowed: of the same shape, boolean.
        lengths: words of each row, shape (rows,), at least 1.
        moves: the learnt scores.
    """
    start, transitions = moves.scores()
    total = _log_partition(logits, start, transitions, lengths)
    barred = logits.masked_fill(~allowed, FORBIDDEN)
    agreeing = _log_partition(barred, start, transitions, lengths)
    return (total - agreeing).sum()


def _log_partition(
    logits: torch.Tensor, start: torch.Tensor, transitions: torch.Tensor, lengths: torch.Tensor
) -> torch.Tensor:
    """Log of the summed scores of all tag sequences, shape (rows, labels).

    Words are 3 x 3 matrices of log scores; a chain is their product, taken pairwise in a tree, so
    that a row of n words needs log2(n) steps instead of n.
    """
    first = logits[:, 0] + start
    product = transitions + logits[:, 1:, :, None, :]
    unit = torch.full((TAGS, TAGS), FORBIDDEN, device=logits.device).fill_diagonal_(0.0)
    words = torch.arange(1, logits.shape[1], device=logits.device)
    behind = (words >= lengths[:, None])[:, :, None, None, None]
    product = torch.where(behind, unit, product)
    while product.shape[1] > 1:
        if product.shape[1] % 2:
            product = torch.cat([product, unit.expand_as(product[:, :1])], dim=1)
        left, right = product[:, 0::2], product[:, 1::2]
        product = torch.logsumexp(left[..., :, :, None] + right[..., None, :, :], dim=-2)
    if product.shape[1]:
        first = torch.logsumexp(first[..., :, None] + product[:, 0], dim=-2)
    return torch.logsumexp(first, dim=-1)
