"""Beam search held to the names of a trie: the names a language model would write.

Constrained decoding as in GENRE (De Cao et al. 2021, https://arxiv.org/abs/2010.00904) and
GenBioEL (Yuan et al. 2022, https://aclanthology.org/2022.naacl-main.296/): at each step only
tokens that go on to some name compete, by the model's own probabilities; names are compared by the
geometric mean of their tokens' probabilities.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ontologies.writing.model import State, Writer, padded, share
from ontologies.writing.trie import NameTrie

Written = tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.float64]]
"""Positions of prompts, sequences of the trie (``NameTrie.sequence``) and scores in 0 to 1."""

_Name = tuple[float, int]
"""Score, negative, and row in the trie: in ascending order the best first."""


def write_names(
    writer: Writer, prompts: Sequence[Sequence[int]], trie: NameTrie, beams: int
) -> Written:
    """The names that the model goes on with, at most ``beams`` a prompt.

    With as many beams as the trie has names, they are all names in their order.

    Args:
        writer: a loaded model.
        prompts: tokens, none empty.
        trie: the names.
        beams: beginnings kept at each step, and names kept in the end.

    Returns:
        By prompt, the best first; names of one score in the trie's order.
    """
    found: list[list[_Name]] = [[] for _ in prompts]
    if len(trie):
        for rows in _groups(prompts, max(1, writer.rows // beams)):
            for row, names in zip(rows, _search(writer, prompts, rows, trie, beams), strict=True):
                found[row] = names
    counts = [len(names) for names in found]
    flat = [name for names in found for name in names]
    return (
        np.repeat(np.arange(len(prompts)), counts),
        trie.sequence[np.array([row for _, row in flat], dtype=np.int64)],
        np.array([-score for score, _ in flat], dtype=np.float64),
    )


@dataclass
class _Beams:
    """Beginnings of names, by query: its position, the row it was read in, nats, and trie range."""

    query: npt.NDArray[np.int64]
    row: npt.NDArray[np.int64]
    nats: npt.NDArray[np.float64]
    low: npt.NDArray[np.int64]
    high: npt.NDArray[np.int64]

    def take(self, at: npt.NDArray[np.int64] | npt.NDArray[np.bool_]) -> _Beams:
        return _Beams(self.query[at], self.row[at], self.nats[at], self.low[at], self.high[at])


def _search(
    writer: Writer,
    prompts: Sequence[Sequence[int]],
    rows: Sequence[int],
    trie: NameTrie,
    beams: int,
) -> list[list[_Name]]:
    """Names of prompts of one padded length, each its best ones in order."""
    queries = len(rows)
    size = max(1, writer.rows // beams) if writer.device == "cpu" else queries
    filled = [prompts[row] for row in rows] + [prompts[rows[0]]] * (size - queries)
    state = writer.begin(filled)
    every = np.arange(queries)
    alive = _Beams(
        every, every, np.zeros(queries), np.zeros_like(every), np.full(queries, len(trie))
    )
    done: list[list[_Name]] = [[] for _ in rows]
    depth = 0
    while True:
        token, alive = _step(state, trie, alive, depth, beams, done)
        depth += 1
        if not len(alive.query):
            return done
        # Rows of fixed shape: those that nobody needs go on with something.
        parent = np.zeros(size * beams, dtype=np.int64)
        following = np.full(size * beams, trie.end)
        parent[: len(alive.row)], following[: len(token)] = alive.row, token
        state = writer.go_on(state, parent, following.tolist())
        alive.row = np.arange(len(alive.query))


def _step(
    state: State,
    trie: NameTrie,
    alive: _Beams,
    depth: int,
    beams: int,
    done: list[list[_Name]],
) -> tuple[npt.NDArray[np.int64], _Beams]:
    """Go on by a token: the best beginnings of each query, and what ended goes to ``done``."""
    ways = trie.children(alive.low, alive.high, depth)
    wider = alive.take(ways.node)
    wider.nats = wider.nats + state.of(wider.row, ways.token)
    wider.low, wider.high = ways.low, ways.high
    ended = ways.token == trie.end
    for at in np.flatnonzero(ended).tolist():
        names = done[int(wider.query[at])]
        names.append((-float(share(wider.nats[at], depth + 1)), int(wider.low[at])))
    for names in done:
        names.sort()
        del names[beams:]
    token, wider = ways.token[~ended], wider.take(~ended)
    order = np.lexsort((wider.low, -wider.nats, wider.query))
    rank = np.arange(len(order)) - np.searchsorted(wider.query[order], wider.query[order])
    best = order[rank < beams]
    token, wider = token[best], wider.take(best)
    # What cannot become better than the names a query has already, ends here: probabilities only
    # fall, and the most tokens that a beginning may still have bound the mean.
    bound = share(wider.nats, np.maximum(trie.longest(wider.low, wider.high), 1))
    full = [len(names) == beams for names in done]
    worst = np.array(
        [-names[-1][0] if its else -1.0 for names, its in zip(done, full, strict=True)]
    )
    hopeful = bound > worst[wider.query]
    return token[hopeful], wider.take(hopeful)


def _groups(prompts: Sequence[Sequence[int]], size: int) -> Iterator[list[int]]:
    """Rows of prompts of one padded length, at most ``size`` together."""
    length = np.array([padded(len(prompt)) for prompt in prompts], dtype=np.int64)
    order = np.argsort(length, kind="stable")
    for group in np.split(order, np.flatnonzero(np.diff(length[order])) + 1):
        for start in range(0, len(group), size):
            yield group[start : start + size].tolist()
