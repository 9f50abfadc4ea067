from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from ontologies.ngrams import weigh_queries
from tests.ontologies.grams import gram_index

FORMS = ["asthma", "asthma bronchial", "bronchitis", "migraine", "zzz"]
NAMES = st.text(alphabet="ab é→𝛼", max_size=8).map(lambda text: " ".join(text.split()))


def test_rows_of_indexed_forms_have_length_one() -> None:
    index = gram_index(FORMS)
    for low, high in zip(index.start[:-1], index.start[1:], strict=True):
        assert np.isclose((index.value[low:high].astype(float) ** 2).sum(), 1)


@given(st.lists(NAMES, min_size=1, max_size=8, unique=True))
def test_a_form_is_weighed_alike_in_the_index_and_as_a_query(forms: list[str]) -> None:
    index = gram_index(forms)
    queries = weigh_queries(index, forms)
    assert queries.indptr.tolist() == index.start.tolist()
    assert queries.indices.tolist() == index.gram.tolist()
    assert queries.data.tolist() == index.value.tolist()


@given(st.lists(NAMES, max_size=8, unique=True), st.lists(st.integers(0, 8), max_size=3))
def test_blocks_change_nothing_but_the_postings(forms: list[str], cuts: list[int]) -> None:
    block = sorted({0, len(forms), *(cut for cut in cuts if cut < len(forms))})
    whole, parts = gram_index(forms), gram_index(forms, block)
    for field in ("vocabulary", "weight", "start", "gram", "value"):
        assert getattr(whole, field).tolist() == getattr(parts, field).tolist()
    assert parts.posting.shape == (len(parts.block) - 1, len(parts.vocabulary) + 1)


@given(st.lists(NAMES, max_size=8, unique=True), st.lists(st.integers(0, 8), max_size=3))
def test_postings_are_the_rows_turned(forms: list[str], cuts: list[int]) -> None:
    index = gram_index(forms, sorted({0, len(forms), *(c for c in cuts if c < len(forms))}))
    by_form = {
        (form, int(index.gram[at])): float(index.value[at])
        for form in range(len(forms))
        for at in range(int(index.start[form]), int(index.start[form + 1]))
    }
    by_gram = {}
    for number, first in enumerate(index.block[:-1].tolist()):
        for gram in range(len(index.vocabulary)):
            low, high = index.entry[number] + index.posting[number, gram : gram + 2]
            for at in range(int(low), int(high)):
                by_gram[first + int(index.form[at]), gram] = float(index.weighted[at])
    assert by_gram == by_form
