"""The head: from a document's token states to a score for each pair of concepts.

After ATLOP (Zhou et al. 2021, "Document-level relation extraction with adaptive thresholding and
localized context pooling"): a concept's vector is the log-sum-exp of its mentions', each pair looks
at the tokens that both of its concepts look at, and a grouped bilinear form scores it. The
attention is the head's own, and counts of mentions and sentences stand beside the vectors.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch.nn import functional

from nlp.relations.encoding import Example
from nlp.relations.features import FEATURES

PAIRS_AT_ONCE, LOOKS_AT_ONCE = 512, 1 << 22
"""Pairs scored together, and tokens times pairs: a long document of many concepts would need much
memory otherwise."""


@dataclass(frozen=True)
class HeadShape:
    """Sizes of the head: of the pair's vectors, of a bilinear group, of its hidden layer."""

    width: int
    vector: int = 256
    group: int = 64
    hidden: int = 128
    heads: int = 4
    features: int = len(FEATURES)


class PairHead(torch.nn.Module):
    """Scores the pairs of one document."""

    def __init__(self, shape: HeadShape, dropout: float = 0.0) -> None:
        """Make a head with random weights."""
        super().__init__()
        self.shape = shape
        self.dropout = dropout
        self.query = torch.nn.Linear(shape.width, shape.width)
        self.key = torch.nn.Linear(shape.width, shape.width)
        self.subject = torch.nn.Linear(2 * shape.width, shape.vector)
        self.object = torch.nn.Linear(2 * shape.width, shape.vector)
        self.bilinear = torch.nn.Linear(shape.vector * shape.group, 1)
        self.inner = torch.nn.Linear(3 * shape.vector + shape.features, shape.hidden)
        self.outer = torch.nn.Linear(shape.hidden, 1)

    def forward(self, states: torch.Tensor, example: Example) -> torch.Tensor:
        """Logits of the pairs, shape (pairs,), float32.

        Args:
            states: of the document's tokens, shape (tokens, width).
            example: the document.
        """
        device = states.device
        states = states.float()
        places = example.spans.tolist()
        # A mention without a word has no state and no concept refers to it.
        mentions = [states[first : max(end, first + 1)].mean(0) for first, end in places]
        subjects = _pooled(mentions, example.subjects)
        objects = _pooled(mentions, example.objects)
        keys = self._split(self.key(states))
        looks = [
            torch.softmax(self._split(self.query(side)) @ keys.transpose(1, 2), dim=-1)
            for side in (subjects, objects)
        ]
        features = torch.from_numpy(example.features).to(device)
        pairs = torch.from_numpy(example.pairs).to(device)
        logits = []
        at_once = max(1, min(PAIRS_AT_ONCE, LOOKS_AT_ONCE // max(1, len(states))))
        for first in range(0, len(pairs), at_once):
            chosen = pairs[first : first + at_once]
            s, o = chosen[:, 0], chosen[:, 1]
            both = (looks[0][:, s] * looks[1][:, o]).sum(0)
            context = (both / (both.sum(1, keepdim=True) + 1e-12)) @ states
            logits.append(
                self._score(
                    torch.cat([subjects[s], context], dim=1),
                    torch.cat([objects[o], context], dim=1),
                    features[first : first + at_once],
                )
            )
        return torch.cat(logits) if logits else states.new_zeros(0)

    def _score(
        self, subject: torch.Tensor, other: torch.Tensor, features: torch.Tensor
    ) -> torch.Tensor:
        one = torch.tanh(self.subject(self._drop(subject)))
        two = torch.tanh(self.object(self._drop(other)))
        group = self.shape.group
        grouped = one.view(len(one), -1, group, 1) * two.view(len(two), -1, 1, group)
        joined = torch.cat([one, two, one * two, features], dim=1)
        inner = functional.gelu(self.inner(self._drop(joined)))
        logits: torch.Tensor = self.bilinear(grouped.flatten(1)) + self.outer(self._drop(inner))
        return logits[:, 0]

    def _split(self, x: torch.Tensor) -> torch.Tensor:
        """(rows, width) to (heads, rows, head width), scaled so that products stay small."""
        heads = self.shape.heads
        size = self.shape.width // heads
        split: torch.Tensor = x.view(len(x), heads, size).transpose(0, 1) * float(size) ** -0.25
        return split

    def _drop(self, x: torch.Tensor) -> torch.Tensor:
        return functional.dropout(x, self.dropout, self.training) if self.dropout else x


def _pooled(mentions: Sequence[torch.Tensor], groups: Sequence[Sequence[int]]) -> torch.Tensor:
    """Log-sum-exp of each group's mentions, shape (groups, width)."""
    return torch.stack(
        [torch.logsumexp(torch.stack([mentions[m] for m in group]), dim=0) for group in groups]
    )
