"""Abbreviations: what is a definition, where the long form begins, and what an occurrence means."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from flows.evaluating.abbreviations import find_pairs
from flows.readers.med1250 import read_definitions
from nlp.preprocess import abbreviations
from nlp.preprocess.abbreviations import Abbreviation, find_abbreviations
from nlp.preprocess.definitions import find_definitions

Pairs = set[tuple[str, str]]


def pairs(text: str) -> Pairs:
    return {(found.short_form, found.long_form) for found in find_abbreviations(text)}


def starts(text: str, short: str) -> list[int]:
    return [a.short_start_char for a in find_abbreviations(text) if a.short_form == short]


def assert_sound(text: str, found: list[Abbreviation]) -> None:
    """Offsets spell the forms, occurrences are in order and apart, short forms are tokens."""
    previous = 0
    for a in found:
        assert previous <= a.short_start_char < a.short_end_char <= len(text)
        previous = a.short_end_char
        assert text[a.short_start_char : a.short_end_char] == a.short_form
        assert 0 <= a.long_start_char < a.long_end_char <= len(text)
        assert text[a.long_start_char : a.long_end_char] == a.long_form
        assert a.short_form.strip() == a.short_form
        assert a.long_form.strip() == a.long_form
        assert len(a.long_form) > len(a.short_form)
        around = text[max(0, a.short_start_char - 1) : a.short_start_char]
        around += text[a.short_end_char : a.short_end_char + 1]
        assert not any(map(str.isalnum, around))


@pytest.mark.parametrize(
    ("text", "short", "long"),
    [
        # Initials.
        ("An acute kidney injury (AKI) is rare.", "AKI", "acute kidney injury"),
        ("the quality of life (QOL) scale", "QOL", "quality of life"),
        ("a small-cell lung cancer (SCLC)", "SCLC", "small-cell lung cancer"),
        ("two monoamine oxidase inhibitors (MAOIs)", "MAOIs", "monoamine oxidase inhibitors"),
        ("In situ hybridization (ISH) showed", "ISH", "In situ hybridization"),
        # Letters within words.
        ("serum triglyceride (TG) rose", "TG", "triglyceride"),
        ("low-density lipoprotein (LDL)", "LDL", "low-density lipoprotein"),
        ("an electroencephalogram (EEG)", "EEG", "electroencephalogram"),
        ("ovariectomized (OVX) rats", "OVX", "ovariectomized"),
        # Words that give no letter.
        ("artery smooth muscle cells (ASM)", "ASM", "artery smooth muscle cells"),
        # Figures, Greek letters, signs.
        ("a three-dimensional (3D) image", "3D", "three-dimensional"),
        ("interleukin-6 (IL-6) and", "IL-6", "interleukin-6"),
        ("growth factor-beta1 (GF-beta1)", "GF-beta1", "growth factor-beta1"),
        ("tumor necrosis factor-α (TNF-α)", "TNF-α", "tumor necrosis factor-α"),
        ("gamma-aminobutyric acid (GABA)", "GABA", "gamma-aminobutyric acid"),
        ("inositol 1,4,5-trisphosphate (IP3)", "IP3", "inositol 1,4,5-trisphosphate"),
        ("receptor positive (R+) cells", "R+", "receptor positive"),
        # Chemical names are whole.
        ("of 1,2-diacylglycerol (DAG)", "DAG", "1,2-diacylglycerol"),
        ("2,6-diaminopurine (DAP)", "DAP", "2,6-diaminopurine"),
        # Another order.
        ("the intracellular pH (pHi) fell", "pHi", "intracellular pH"),
        ("tidal volume (V(T)) fell", "V(T)", "tidal volume"),
        ("ambient temperature (T(a))", "T(a)", "ambient temperature"),
        ("the chloride current (ICl) fell", "ICl", "chloride current"),
        ("intracellular Na concentration ([Na]i)", "[Na]i", "intracellular Na concentration"),
        # Brackets and what stands in them.
        ("a confidence interval [CI] of", "CI", "confidence interval"),
        ("(relative risk [RR] 5.7)", "RR", "relative risk"),
        ("hypertensive rats (HR, 8 weeks of age)", "HR", "hypertensive rats"),
        ("an odds ratio (OR = 1.8)", "OR", "odds ratio"),
        ("vessels (blood-brain barrier, BBB)", "BBB", "blood-brain barrier"),
        ("vessels (blood-brain barrier ; BBB )", "BBB", "blood-brain barrier"),
        ("AP (acid phosphatase) activity", "AP", "acid phosphatase"),
        ("MOI (multiplicity of infection, 4)", "MOI", "multiplicity of infection"),
        ("EMLA cream (eutectic mixture of LA)", "EMLA", "eutectic mixture of LA"),
        ("acute kidney injury(AKI)", "AKI", "acute kidney injury"),
        ('an "acute kidney injury" (AKI)', "AKI", "acute kidney injury"),
        ("an acute kidney\n  injury (AKI)", "AKI", "acute kidney\n  injury"),
        ("We saw an (acute) kidney injury (KI)", "KI", "kidney injury"),
        # Sentences and lists.
        ("It fell. Acute kidney injury (AKI)", "AKI", "Acute kidney injury"),
        ("METHODS: Heart rate (HR)", "HR", "Heart rate"),
    ],
)  # fmt: skip
def test_definitions(text: str, short: str, long: str) -> None:
    assert pairs(text) == {(short, long)}


@pytest.mark.parametrize(
    "text",
    [
        "Fever (P < 0.05) in patients (n = 20) of group (group 2).",
        "The mean (SD) was high (see Table 1), as others found (Smith et al.).",
        "A dose of ten (10 mg) and (ii) another.",
        "They were transferred at once (host).",
        "AKI (AKI) was AKI (an AKI).",
        "CT scan (CT) again",
        "kidney injury () and ( ) and [",
        "patients (p) or animals (a)",
        "Fever. (AKI)",
        "acute kidney injury\n\n(AKI)",
        "a kidney) injury (KI",
        "of pain and relief (POAR)",
    ],
)
def test_what_is_no_definition(text: str) -> None:
    assert find_abbreviations(text) == []


def test_two_forms_of_one_bracket_apart() -> None:
    text = (
        "systolic (SBP) and diastolic blood pressure (DBP); heart rate (HR) and stroke volume (SV)"
    )
    assert pairs(text) >= {
        ("DBP", "diastolic blood pressure"),
        ("HR", "heart rate"),
        ("SV", "stroke volume"),
    }


def test_every_occurrence_as_a_whole_token_in_the_same_case() -> None:
    text = "AKI early. Acute kidney injury (AKI); post-AKI care, AKI's, AKIN, aki, BAKI, AKI."
    assert starts(text, "AKI") == [m.start() for m in re.finditer(r"\bAKI\b", text)]


def test_single_letters_in_other_names_and_statistics_are_not_occurrences() -> None:
    text = "Nitrogen (N) of N-methyl and 'N' with N < 3; N. N"
    places = [m.start() for m in re.finditer("N", text)]
    assert starts(text, "N") == [places[1], *places[-2:]]


def test_of_short_forms_that_begin_together_the_longest_occurs() -> None:
    text = "substance P (SP) and substance P-saporin (SP-SAP): SP-SAP, SP"
    assert [a.short_form for a in find_abbreviations(text)] == ["SP", "SP-SAP", "SP-SAP", "SP"]


def test_an_occurrence_means_what_the_last_definition_says() -> None:
    text = "PC? Pulmonary capillaries (PC). PC. Prostate cancer (PC). PC."
    assert [a.long_form for a in find_abbreviations(text)] == [
        *["Pulmonary capillaries"] * 3,
        *["Prostate cancer"] * 2,
    ]
    assert find_abbreviations(text)[0].long_start_char == text.index("Pulmonary")


def test_a_definition_counts_throughout_a_long_text() -> None:
    filler = "The ward was quiet that day and nothing was done. " * 2_000
    text = f"AKI first. {filler}Acute kidney injury (AKI). {filler}Later AKI again."
    found = find_abbreviations(text)
    assert [a.short_start_char for a in found] == [m.start() for m in re.finditer("AKI", text)]
    assert {a.long_start_char for a in found} == {text.index("Acute")}


pieces = st.sampled_from(
    [
        *["acute kidney injury ", "(AKI)", "AKI", "(", ")", "[", "]", "()", " ", ". ", "\n", "; "],
        *["CT (CT) ", "😀", "1,2-", "α", "IL-6 ", "interleukin-6 ", "(a, b", " and ", "K+", "İ"],
        *["[Ca2+]i", "V(T)", "tidal volume ", "=", "s", "'", "current ", "INa", "\u0301", "ß"],
    ]
)
texts = st.lists(pieces | st.text(max_size=6), max_size=30).map("".join)


@given(texts)
@example("İstanbul kidney injury (İKI)")  # lower case is longer
@example("ŉ (ŉŉ) ŉ")
@example("((((AKI))))")
@example("acute kidney injury (AKI" + ")" * 50)
def test_any_text_gives_sound_offsets(text: str) -> None:
    found = find_abbreviations(text)
    assert_sound(text, found)
    assert find_abbreviations(text) == found


@given(texts, texts)
def test_what_follows_a_definition_does_not_change_it(text: str, more: str) -> None:
    assert set(find_definitions(text)) <= set(find_definitions(text + more))


@given(texts)
def test_few_short_forms_are_found_as_many_are(text: str) -> None:
    found = find_abbreviations(text)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(abbreviations, "FEW", 0)
        assert find_abbreviations(text) == found


@pytest.mark.parametrize(
    "text",
    [
        "(" * 100_000,
        "word (" * 30_000,
        ")" * 100_000,
        "(" * 50_000 + ")" * 50_000,
        " " * 300_000 + "(AB)",
        "'" * 300_000 + "(AB)",
        ("(" + " " * 250 + ")") * 1_000,
        ("a" * 250 + " (AAAAAAAA) ") * 50,
        ("current " * 30 + "(IAIAIAIA) ") * 100,
        "x" * 300_000 + " (XX)",
        ("a-" * 100 + "?beta-c (CB) ") * 50,
        ("1," * 100 + "?cb (CB) ") * 50,
    ],
    ids=[
        "open",
        "words",
        "close",
        "nested",
        "space",
        "quotes",
        "blank",
        "a",
        "current",
        "x",
        "locants",
        "figures",
    ],
)
def test_texts_made_to_be_slow(text: str) -> None:
    """Each would take minutes if a bracket cost more than a few words around it."""
    assert_sound(text, find_abbreviations(text))


def test_real_abstracts(data_dir: Path) -> None:
    """Definitions judged by annotators; the aims are 0.90 F1 and 0.95 precision."""
    path = data_dir / "abbreviations" / "med1250_dev.txt.gz"
    gold = found = agreed = 0
    for document in read_definitions(path):
        assert_sound(document.text, find_abbreviations(document.text))
        ours = find_pairs(document.text)
        gold, found = gold + len(document.pairs), found + len(ours)
        agreed += len(ours & document.pairs)
    assert agreed / found >= 0.95
    assert 2 * agreed / (gold + found) >= 0.90


def test_notes_as_clinicians_write_them(data_dir: Path) -> None:
    with gzip.open(data_dir / "notes" / "transcribed_notes.csv.gz", "rt", encoding="utf-8") as file:
        text = file.read()  # 2.6 million characters at once
    found = find_abbreviations(text)
    assert_sound(text, found)
    assert len(found) > 20
