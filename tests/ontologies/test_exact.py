from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ontologies.exact import find_forms, hash_forms, index_hashes

FORMS = st.lists(st.text(alphabet="ab ", max_size=3), max_size=12)


@given(FORMS, FORMS)
def test_finds_all_names_with_the_form_and_no_other(indexed: list[str], asked: list[str]) -> None:
    query, name = find_forms(index_hashes(hash_forms(indexed)), asked)
    expected = [
        (q, n)
        for q, form in enumerate(asked)
        for n, other in enumerate(indexed)
        if form and form == other
    ]
    assert list(zip(query.tolist(), name.tolist(), strict=True)) == expected


def test_hashes_are_stable() -> None:
    index = index_hashes(hash_forms(["diabetes mellitus"]))
    # A store built on one machine is read on another: BLAKE2b-128 of the UTF-8 form.
    digest = bytes.fromhex("e6626cae2571bcbda70c778c33dae4f2")
    assert int(index.high[0]) == int.from_bytes(digest[:8], "little")
    assert int(index.low[0]) == int.from_bytes(digest[8:], "little")
