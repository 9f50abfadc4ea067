from __future__ import annotations

from collections import Counter
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ontologies.equivalents import (
    KINDS,
    equivalence_classes,
    equivalents,
    equivalents_version,
    is_case_bound,
    written_key,
)
from ontologies.normalise import compact_form, normal_form

CLASSES = equivalence_classes()
FILE_NAMES = sorted({name for row in CLASSES for name in row.names})


def test_classes_are_sorted_by_kind_and_preferred_name() -> None:
    order = [(row.kind, row.names[0].casefold(), row.names[0]) for row in CLASSES]
    assert order == sorted(order)
    assert {row.kind for row in CLASSES} == set(KINDS)


def test_every_class_has_two_names_that_differ() -> None:
    for row in CLASSES:
        assert len(row.names) >= 2, row
        assert len({written_key(name) for name in row.names}) == len(row.names), row


def test_names_are_tidy() -> None:
    assert not [name for name in FILE_NAMES if name != " ".join(name.split()) or not name]


def test_no_name_stands_in_two_classes_of_a_kind() -> None:
    counts = Counter((row.kind, written_key(name)) for row in CLASSES for name in row.names)
    assert not [key for key, count in counts.items() if count > 1]


def test_there_are_many() -> None:
    assert len(CLASSES) >= 1_200


def test_equivalence_is_symmetric() -> None:
    for row in CLASSES:
        found = {name: equivalents(name) for name in row.names}
        # Forms that case alone tells from those of another class are never given.
        given_forms = {form for forms in found.values() for form in forms}
        for one, other in permutations(row.names, 2):
            form, own = normal_form(other), compact_form(normal_form(one))
            if form in given_forms and compact_form(form) != own:
                assert form in found[one], (one, other)


@pytest.mark.parametrize(
    ("name", "forms"),
    [
        ("mercaptamine", ("cysteamine", "beta mercaptoethylamine", "cystagon")),
        ("gullet", ("esophagus", "oesophagus")),
    ],
)
def test_equivalents_stand_in_the_order_of_the_file(name: str, forms: tuple[str, ...]) -> None:
    assert equivalents(name) == forms


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("5-FU", "fluorouracil"),
        ("5 fu", "fluorouracil"),
        ("Na+", "sodium"),
        ("Ca²⁺", "calcium"),
        ("PGE1", "alprostadil"),
        ("ecstasy", "n methyl 3 4 methylenedioxyamphetamine"),
        ("Adriamycin", "doxorubicin"),
        ("FK 506", "tacrolimus"),
        ("paracetamol", "acetaminophen"),
        ("NSAIDs", "anti inflammatory agents non steroidal"),
        ("17β-estradiol", "estradiol"),
        ("Wilson's disease", "hepatolenticular degeneration"),
        ("nephroblastoma", "wilms tumor"),
        ("ALS", "amyotrophic lateral sclerosis"),
        ("heart attack", "myocardial infarction"),
        ("Heart attacks", "myocardial infarction"),
        ("hexosaminidase A deficiency", "tay sachs disease"),
        ("manic depression", "bipolar disorder"),
        ("HNPCC", "colorectal neoplasms hereditary nonpolyposis"),
        ("E. coli", "escherichia coli"),
        ("mouse", "mus musculus"),
        ("windpipe", "trachea"),
        ("Trp53", "tumor protein p53"),
    ],
)
def test_names_that_texts_use_lead_to_the_preferred_one(name: str, other: str) -> None:
    assert other in equivalents(name)


@pytest.mark.parametrize(
    ("name", "written"),
    [("NO", "no"), ("As", "as"), ("K", "k"), ("ALL", "all"), ("AIDS", "aids"), ("Hg", "HG")],
)
def test_short_names_match_only_in_their_case(name: str, written: str) -> None:
    assert equivalents(name)
    assert equivalents(written) == ()


@pytest.mark.parametrize("name", ["TCAs", "TCA's", "T.C.A."])
def test_short_names_match_in_plural_and_with_points(name: str) -> None:
    assert equivalents(name) == equivalents("TCA") != ()
    assert equivalents(name.lower()) == ()


def test_short_words_may_begin_with_a_capital() -> None:
    assert "influenza human" in equivalents("flu")
    assert equivalents("Flu") == equivalents("flu")
    assert equivalents("FLU") == ()


def test_case_tells_symbols_apart() -> None:
    assert equivalents("CO")[0] == "carbon monoxide"
    assert equivalents("Co")[0] == "cobalt"
    assert "co" not in equivalents("carbon monoxide") + equivalents("cobalt")


def test_a_capital_s_is_no_plural() -> None:
    assert equivalents("DHEA")[0] == "dehydroepiandrosterone"
    assert equivalents("DHEAS")[0] == "dehydroepiandrosterone sulfate"
    assert "acquired immunodeficiency syndrome" in equivalents("AIDS")


def test_unknown_and_blank_names_have_none() -> None:
    assert equivalents("no such name as this") == equivalents("") == equivalents(" - ") == ()


@given(st.sampled_from(FILE_NAMES) | st.text(max_size=12))
def test_a_name_is_never_its_own_equivalent(name: str) -> None:
    found = equivalents(name)
    assert found == equivalents(name)
    assert normal_form(name) not in found
    assert len(set(found)) == len(found)
    if found and not is_case_bound(name):
        assert compact_form(normal_form(name)) not in found


@given(st.sampled_from([name for name in FILE_NAMES if not is_case_bound(name)]))
def test_case_of_longer_names_does_not_matter(name: str) -> None:
    if name.isascii() and not name.endswith(("S", "s")):
        assert equivalents(name.upper()) == equivalents(name.lower())


def test_the_version_is_short_and_stable() -> None:
    assert len(equivalents_version()) == 12
    assert equivalents_version() == equivalents_version()
