"""The multi-similarity loss over pairs that online mining leaves.

Wang et al. 2019, "Multi-Similarity Loss with General Pair Weighting for Deep Metric Learning",
https://arxiv.org/abs/1904.06627, with SapBERT's mining of hard triplets.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch


@dataclass(frozen=True)
class LossSettings:
    """Settings of the loss.

    Attributes:
        alpha, beta: how sharply positive and negative pairs are weighed.
        base: the cosine that positives should be above and negatives below.
        margin: a pair counts if a triplet with it has a negative nearer than the positive plus
            this, in Euclidean distance.
    """

    alpha: float = 2.0
    beta: float = 50.0
    base: float = 0.5
    margin: float = 0.2


def multi_similarity_loss(
    vectors: torch.Tensor, positive: torch.Tensor, negative: torch.Tensor, settings: LossSettings
) -> torch.Tensor:
    """Mean loss a name, a scalar.

    Args:
        vectors: of length 1, shape (names, dimension).
        positive, negative: which pairs mean the same and which do not, shape (names, names),
            boolean; a pair may be neither.
        settings: of mining and loss.
    """
    cosine = vectors @ vectors.T
    with torch.no_grad():
        positive, negative = mine(cosine, positive, negative, settings.margin)
    pull = torch.where(positive, -settings.alpha * (cosine - settings.base), -torch.inf)
    push = torch.where(negative, settings.beta * (cosine - settings.base), -torch.inf)
    return (_log_of_one_and(pull) / settings.alpha + _log_of_one_and(push) / settings.beta).mean()


def mine(
    cosine: torch.Tensor, positive: torch.Tensor, negative: torch.Tensor, margin: float
) -> tuple[torch.Tensor, torch.Tensor]:
    """The pairs of hard triplets: a negative no farther than the positive plus ``margin``.

    A positive is in such a triplet if it is with the nearest negative, a negative if it is with
    the farthest positive: no triplet has to be listed.
    """
    distance = (2 - 2 * cosine).clamp(min=0).sqrt()
    nearest = distance.masked_fill(~negative, torch.inf).amin(dim=1, keepdim=True)
    farthest = distance.masked_fill(~positive, -torch.inf).amax(dim=1, keepdim=True)
    return (
        positive & (nearest - distance <= margin),
        negative & (distance - farthest <= margin),
    )


def _log_of_one_and(exponents: torch.Tensor) -> torch.Tensor:
    """ln(1 + sum of exponentials) by rows, without overflow."""
    one = exponents.new_zeros((len(exponents), 1))
    return torch.logsumexp(torch.cat([one, exponents], dim=1), dim=1)
