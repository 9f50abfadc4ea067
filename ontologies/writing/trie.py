"""A prefix trie of names as tokens: sorted arrays, and ranges of them for its nodes.

A node is a range of sequences that begin alike; its children are the ranges in which the next
token is the same too. There is no object for a node, so that ten million names are some hundred
million small integers, which may lie in mapped files.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from ontologies.arrays import ragged, row_starts

LONGEST = 128
"""Tokens of a name at most, its end included; longer ones are not in a trie."""

_WIDE = 4096
"""The children of nodes of so many sequences are kept: there are few such nodes."""

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Children:
    """Children of some nodes: the position of the node, the token, and the range, of one length."""

    node: Ints
    token: Ints
    low: Ints
    high: Ints


@dataclass(frozen=True)
class NameTrie:
    """Distinct token sequences in ascending order, each with an end that stands nowhere else.

    Attributes:
        token: the tokens of all sequences, int32.
        start, length: where each sequence begins in ``token``, and its tokens, its end included.
        shared: leading tokens that a sequence shares with the one before; 0 for the first.
        sequence: number of each sequence in the trie that this one is a part of.
        end: the token that ends every sequence.
    """

    token: npt.NDArray[np.int32]
    start: Ints
    length: npt.NDArray[np.uint8]
    shared: npt.NDArray[np.uint8]
    sequence: Ints
    end: int
    _wide: dict[tuple[int, int, int], Children] = field(default_factory=dict, repr=False)

    def __len__(self) -> int:
        """How many sequences."""
        return len(self.start)

    def children(self, low: Ints, high: Ints, depth: int) -> Children:
        """Children of nodes that are not ended, by node and token.

        Args:
            low, high: ranges of sequences, shape (nodes,), none empty.
            depth: tokens that the sequences of each node share.
        """
        wide = high - low > _WIDE
        if not wide.any():
            return self._find(low, high, depth)
        parts = [
            self._of_wide(node, int(low[node]), int(high[node]), depth)
            for node in np.flatnonzero(wide).tolist()
        ]
        narrow = np.flatnonzero(~wide)
        found = self._find(low[narrow], high[narrow], depth)
        parts.append(Children(narrow[found.node], found.token, found.low, found.high))
        columns = [
            np.concatenate([getattr(part, name) for part in parts])
            for name in ("node", "token", "low", "high")
        ]
        order = np.argsort(columns[0], kind="stable")
        return Children(*(column[order] for column in columns))

    def longest(self, low: Ints, high: Ints) -> Ints:
        """Tokens of the longest sequence of each node, shape (nodes,)."""
        return np.array(
            [self.length[a:b].max() for a, b in zip(low.tolist(), high.tolist(), strict=True)],
            dtype=np.int64,
        )

    def tokens(self, row: int) -> list[int]:
        """The tokens of a sequence, its end included."""
        first = int(self.start[row])
        return [int(token) for token in self.token[first : first + int(self.length[row])]]

    def _of_wide(self, node: int, low: int, high: int, depth: int) -> Children:
        key = low, high, depth
        if key not in self._wide:
            self._wide[key] = self._find(np.array([low]), np.array([high]), depth)
        kept = self._wide[key]
        return Children(np.full(len(kept.token), node), kept.token, kept.low, kept.high)

    def _find(self, low: Ints, high: Ints, depth: int) -> Children:
        length = high - low
        within = row_starts(length)
        position = np.arange(within[-1]) + np.repeat(low - within[:-1], length)
        first = self.shared[position] <= depth
        first[within[:-1]] = True
        at = np.flatnonzero(first)
        node = np.repeat(np.arange(len(low)), length)[at]
        begin = position[at]
        after = np.append(begin[1:], 0)
        last = np.append(node[1:] != node[:-1], True)[: len(node)]
        return Children(
            node=node,
            token=self.token[self.start[begin] + depth].astype(np.int64),
            low=begin,
            high=np.where(last, high[node], after),
        )


@dataclass(frozen=True)
class NamedTrie:
    """A trie, and for each of its sequences the names that have it, as ragged rows."""

    trie: NameTrie
    name_start: Ints
    name: npt.NDArray[np.int32]

    def names(self, sequences: Ints) -> tuple[Ints, npt.NDArray[np.int32]]:
        """How many names each sequence has, and their rows in turn."""
        length, position = ragged(self.name_start, sequences)
        return length, self.name[position]


def make_trie(
    tokens: npt.NDArray[np.int32], start: Ints, name: npt.NDArray[np.int32], end: int
) -> NamedTrie:
    """Sort token sequences into a trie.

    Groups of sequences that are alike so far are parted by one token after the other, all groups
    at once.

    Args:
        tokens, start: ragged sequences, each ended by ``end``, none above :data:`LONGEST`.
        name: the name of each.
        end: a token that stands nowhere but at ends.
    """
    length = np.diff(start)
    order = np.arange(len(length))
    shared = np.zeros(len(length), dtype=np.uint8)
    group = np.zeros(len(length), dtype=np.int64)
    active, depth = order.copy(), 0
    while len(active):
        row, its = order[active], group[active]
        token = tokens[start[row] + depth]
        by = np.lexsort((row, token, its))
        order[active], token = row[by], token[by]
        opens = np.append(True, its[1:] != its[:-1])
        begins = opens.copy()
        begins[1:] |= token[1:] != token[:-1]
        shared[active[begins & ~opens]] = depth
        size = np.diff(np.append(np.flatnonzero(begins), len(active)))
        group[active] = np.repeat(active[begins], size)
        active = active[(np.repeat(size, size) > 1) & (token != end)]
        depth += 1
    distinct = np.flatnonzero(group == np.arange(len(group)))
    rows = order[distinct]
    trie = NameTrie(
        token=tokens,
        start=start[rows],
        length=length[rows].astype(np.uint8),
        shared=shared[distinct],
        sequence=np.arange(len(rows)),
        end=end,
    )
    return NamedTrie(trie, np.append(distinct, len(order)), name[order])


def restrict(trie: NameTrie, allowed: npt.NDArray[np.bool_]) -> NameTrie:
    """The part of a trie whose sequences are ``allowed``, shape (sequences,)."""
    rows = np.flatnonzero(allowed)
    shared = np.zeros(len(rows), dtype=np.uint8)
    if len(rows) > 1:
        # What two sequences share is the least of what those between them share in turn.
        shared[1:] = np.minimum.reduceat(trie.shared[: rows[-1] + 1], rows[:-1] + 1)
    return NameTrie(
        token=trie.token,
        start=trie.start[rows],
        length=trie.length[rows],
        shared=shared,
        sequence=trie.sequence[rows],
        end=trie.end,
    )


def ended_rows(
    sequences: Sequence[Sequence[int]], end: int, longest: int = LONGEST
) -> tuple[npt.NDArray[np.int32], Ints, Ints]:
    """Ragged rows of token sequences with their end, and which of the sequences they are.

    Empty ones, those with ``end`` inside and those above ``longest`` are left out.
    """
    kept = [
        row
        for row, tokens in enumerate(sequences)
        if 0 < len(tokens) < longest and end not in tokens
    ]
    length = np.array([len(sequences[row]) + 1 for row in kept], dtype=np.int64)
    flat: list[Any] = [token for row in kept for token in (*sequences[row], end)]
    return np.array(flat, dtype=np.int32), row_starts(length), np.array(kept, dtype=np.int64)
