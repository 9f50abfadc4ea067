"""Which token comes next: greedy, or drawn so that a row's draws are its own."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import torch

from nlp.generation.completion import Sampling


@dataclass
class Row:
    """A prompt under way: its tokens and what has been made so far.

    ``place`` is its place among the prompts asked for; ``log_probability`` is summed over ``made``,
    under the model itself: neither temperature nor penalty counts.
    """

    place: int
    prompt: Sequence[int]
    key: str
    made: list[int] = field(default_factory=list)
    log_probability: float = 0.0
    draws: np.random.Generator | None = None

    @property
    def length(self) -> int:
        """Tokens it holds: prompt and made."""
        return len(self.prompt) + len(self.made)

    def restart(self) -> None:
        """Forget what was made; the same will be made again."""
        self.made, self.log_probability, self.draws = [], 0.0, None


def choose_tokens(logits: torch.Tensor, rows: Sequence[Row], sampling: Sampling) -> None:
    """Append one token to each row.

    Args:
        logits: of the next token, ``(rows, vocabulary)``.
        rows: in the order of the logits.
        sampling: how to choose.
    """
    scores = logits.float()
    weighed = scores
    if sampling.repetition_penalty != 1.0:
        weighed = _penalise(scores, rows, sampling.repetition_penalty)
    if sampling.temperature == 0:
        chosen = weighed.argmax(-1)
    else:
        draws = [_draw(row, sampling.seed) for row in rows]
        below = weighed - weighed.amax(-1, keepdim=True)  # no temperature makes it infinite
        chosen = _pick(below / sampling.temperature, draws, sampling)
    taken = scores.gather(1, chosen[:, None]).squeeze(1) - scores.logsumexp(-1)
    for row, token, value in zip(rows, chosen.tolist(), taken.tolist(), strict=True):
        row.made.append(token)
        row.log_probability += value


def _penalise(scores: torch.Tensor, rows: Sequence[Row], penalty: float) -> torch.Tensor:
    """Divide positive scores of tokens that stand there by the penalty, multiply negative ones.

    Keskar et al. 2019 (https://arxiv.org/abs/1909.05858), in the form of transformers.
    """
    weighed = scores.clone()
    for number, row in enumerate(rows):
        seen = torch.tensor(sorted({*row.prompt, *row.made}), device=scores.device)
        values = scores[number, seen]
        weighed[number, seen] = torch.where(values < 0, values * penalty, values / penalty)
    return weighed


def _draw(row: Row, seed: int) -> float:
    """The row's next number in [0, 1), which hangs on seed and key alone."""
    if row.draws is None:
        digest = hashlib.sha256(f"{seed}\0{row.key}".encode()).digest()
        row.draws = np.random.default_rng(int.from_bytes(digest[:16], "little"))
    return float(row.draws.random())


def _pick(scores: torch.Tensor, draws: Sequence[float], sampling: Sampling) -> torch.Tensor:
    """Tokens at the draws' places in the cumulated probabilities, likeliest first.

    ``top_k`` is applied before ``top_p`` (Holtzman et al. 2020, nucleus sampling).
    """
    kept = min(sampling.top_k or scores.shape[-1], scores.shape[-1])
    if kept < scores.shape[-1]:
        values, tokens = scores.topk(kept, dim=-1)
    else:
        values, tokens = scores.sort(dim=-1, descending=True, stable=True)
    probabilities = values.double().softmax(-1)
    before = probabilities.cumsum(-1) - probabilities
    if sampling.top_p < 1:  # the token that crosses the bound is still in
        probabilities = probabilities.masked_fill(before >= sampling.top_p, 0.0)
        probabilities[:, 0].clamp_(min=1e-12)
    cumulated = probabilities.cumsum(-1)
    wanted = torch.tensor(draws, dtype=torch.float64, device=scores.device)[:, None]
    places = torch.searchsorted(cumulated, wanted * cumulated[:, -1:], right=True)
    last = (probabilities > 0).sum(-1, keepdim=True) - 1
    return tokens.gather(1, places.minimum(last)).squeeze(1)
