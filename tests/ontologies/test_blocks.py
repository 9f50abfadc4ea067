from __future__ import annotations

from itertools import chain, pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ontologies import blocks
from ontologies.blocks import order_forms
from ontologies.exact import hash_forms, index_hashes

NAMES = st.lists(st.tuples(st.sampled_from(["", *"abcdefgh"]), st.integers(0, 3)), max_size=30)


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks, "BLOCK_SIZE", 4)
    monkeypatch.setattr(blocks, "_OWN", 2)


@given(NAMES)
def test_forms_of_one_kind_stand_together(names: list[tuple[str, int]]) -> None:
    forms = [form for form, _ in names]
    kinds = np.array([min(kind, len(names) - 1) for _, kind in names], dtype=int)
    index, block = order_forms(index_hashes(hash_forms(forms)), kinds)
    rows = [index.name[low:high].tolist() for low, high in pairwise(index.name_start.tolist())]
    assert sorted(chain(*rows)) == [row for row, form in enumerate(forms) if form]
    assert len({forms[names[0]] for names in rows}) == len(rows), "a form stands once"
    assert all(len({forms[name] for name in names}) == 1 for names in rows)
    assert all(names == sorted(names) for names in rows)
    of_form = [frozenset(kinds[names].tolist()) for names in rows]
    order = [(len(kind) > 1, min(kind)) for kind in of_form]
    assert order == sorted(order)

    assert block.tolist() == sorted(set(block.tolist()))
    assert (block[0], block[-1]) == (0, len(rows))
    for low, high in pairwise(block.tolist()):
        assert high - low <= 4
        inside = order[low:high]
        own = {kind for kind in inside if order.count(kind) >= 2}
        assert not own or len(set(inside)) == 1, "kinds of many forms have blocks of their own"
