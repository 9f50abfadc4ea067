"""Sorted arrays as a prefix trie, against plain lists of tuples."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from ontologies.writing import trie as tries
from ontologies.writing.trie import NamedTrie, NameTrie, ended_rows, make_trie, restrict

END = 0
NAMES = st.lists(st.lists(st.integers(1, 5), max_size=5), max_size=40)


def built(names: list[list[int]]) -> NamedTrie:
    token, start, row = ended_rows(names, END)
    return make_trie(token, start, row.astype(np.int32), END)


def sequences(trie: NameTrie) -> list[tuple[int, ...]]:
    return [tuple(trie.tokens(row)) for row in range(len(trie))]


def walked(trie: NameTrie) -> list[tuple[int, ...]]:
    """All sequences, by going down from the root over children alone."""
    if not len(trie):
        return []
    nodes = [((), 0, len(trie))]
    found, depth = [], 0
    while nodes:
        low, high = (np.array([node[at] for node in nodes]) for at in (1, 2))
        ways = trie.children(low, high, depth)
        assert (np.diff(ways.node) >= 0).all()
        following = []
        for node, token, first, last in zip(
            ways.node, ways.token, ways.low, ways.high, strict=True
        ):
            beginning = (*nodes[int(node)][0], int(token))
            if token == END:
                assert last == first + 1
                found.append((int(first), beginning))
            else:
                following.append((beginning, int(first), int(last)))
        nodes, depth = following, depth + 1
    return [name for _, name in sorted(found)]


@given(names=NAMES)
def test_sequences_are_distinct_and_sorted_and_keep_their_names(names: list[list[int]]) -> None:
    named = built(names)
    wanted = sorted({(*name, END) for name in names if name})
    # The end is the least token here, so that lists sort as tries do.
    assert sequences(named.trie) == wanted
    count, row = named.names(np.arange(len(named.trie)))
    its = np.repeat(np.arange(len(count)), count)
    assert {(wanted[at], int(name)) for at, name in zip(its, row, strict=True)} == {
        ((*name, END), at) for at, name in enumerate(names) if name
    }


@given(names=NAMES, data=st.data())
def test_children_lead_to_every_sequence_and_no_other(
    names: list[list[int]], data: st.DataObject
) -> None:
    trie = built(names).trie
    assert walked(trie) == sequences(trie)
    allowed = np.array(
        data.draw(st.lists(st.booleans(), min_size=len(trie), max_size=len(trie))), dtype=np.bool_
    )
    part = restrict(trie, allowed)
    kept = [name for name, its in zip(sequences(trie), allowed, strict=True) if its]
    assert sequences(part) == walked(part) == kept
    assert part.sequence.tolist() == np.flatnonzero(allowed).tolist()


def test_wide_nodes_have_the_same_children(monkeypatch) -> None:
    dice = np.random.default_rng(3)
    names = [dice.integers(1, 9, dice.integers(1, 7)).tolist() for _ in range(500)]
    plain = walked(built(names).trie)
    monkeypatch.setattr(tries, "_WIDE", 20)
    assert walked(built(names).trie) == plain


def test_the_longest_sequence_of_a_node() -> None:
    trie = built([[1], [1, 2, 3, 4], [2, 2], [3]]).trie
    assert trie.longest(np.array([0, 1, 2, 3]), np.array([2, 2, 4, 4])).tolist() == [5, 5, 3, 2]


def test_names_without_tokens_with_an_end_inside_or_too_long_are_left_out() -> None:
    _, start, row = ended_rows([[], [1], [1, END, 2], [1, 2, 3]], END, longest=3)
    assert row.tolist() == [1]
    assert start.tolist() == [0, 2]
