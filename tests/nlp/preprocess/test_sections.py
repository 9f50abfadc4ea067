"""Sections of notes and structured abstracts."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlp.preprocess.headings import ABSTRACT_HEADINGS, NOTE_HEADINGS
from nlp.preprocess.sections import Section, find_sections


def _names(text: str, kind: str = "note") -> list[str]:
    return [section.name for section in find_sections(text, kind)]


def _parts(text: str, kind: str = "note") -> list[tuple[str, str]]:
    return [(s.name, text[s.start_char : s.end_char]) for s in find_sections(text, kind)]


def test_structured_abstract() -> None:
    text = "A title. BACKGROUND: One. METHODS: Two. RESULTS: Three.CONCLUSIONS: Four."
    assert _parts(text, "abstract") == [
        ("background", "BACKGROUND: One. "),
        ("methods", "METHODS: Two. "),
        ("results", "RESULTS: Three."),
        ("conclusions", "CONCLUSIONS: Four."),
    ]


def test_abstract_labels_are_capitals() -> None:
    assert _names("Title. Results: good. We saw results: many. METHODS: x", "abstract") == [
        "methods"
    ]


def test_longest_abstract_label_wins() -> None:
    assert _parts("T. MATERIALS AND METHODS: x", "abstract") == [
        ("methods", "MATERIALS AND METHODS: x")
    ]


def test_headings_on_their_own_line() -> None:
    text = "CHIEF COMPLAINT\n\nCough.\n\nFAMILY HISTORY\n\nNone."
    assert _parts(text) == [
        ("chief_complaint", "CHIEF COMPLAINT\n\nCough.\n\n"),
        ("family_history", "FAMILY HISTORY\n\nNone."),
    ]


@pytest.mark.parametrize("end", ["\n", "\r\n", " \t\n", " \r\n", ""])
def test_line_ends_after_a_heading(end: str) -> None:
    assert _names(f"ALLERGIES{end}") == ["allergies"]


@pytest.mark.parametrize(
    "heading", ["Assessment and Plan", "Medications", "History of present illness"]
)
def test_capitalised_heading_alone_on_a_line(heading: str) -> None:
    assert len(_names(f"Text.\n{heading}\nmore")) == 1


@pytest.mark.parametrize("line", ["assessment and plan", "the plan", "Plan for today", "x, PLAN"])
def test_other_lines_are_no_headings(line: str) -> None:
    assert _names(f"Text.\n{line}\nmore") == []


def test_headings_with_colon() -> None:
    text = "Family history: none.\nSocial History: none.\n  HPI: fine."
    assert _names(text) == ["family_history", "social_history", "history_of_present_illness"]


def test_numbered_headings_begin_at_their_words() -> None:
    text = "1. ALLERGIES: none\n2) Medications: none\n12. PLAN\n"
    assert _names(text) == ["allergies", "medications", "plan"]
    assert text[find_sections(text, "note")[1].start_char :].startswith("Medications")


def test_headings_glued_by_commas() -> None:
    text = "SUBJECTIVE:, Cough.,FAMILY HISTORY: ,None.,ALLERGIES: , None known.,PLAN:, Rest."
    assert _names(text) == ["history_of_present_illness", "family_history", "allergies", "plan"]


def test_inside_a_line_only_capitals_count() -> None:
    assert _names("He agrees, plan: rest. Then, Exam: normal.") == []
    assert _names("He agrees, PLAN: rest.") == ["plan"]


def test_unknown_headings_open_nothing() -> None:
    assert _names("BLOOD PRESSURE: 120/80\nPLANS: none\nMYPLAN: none") == []


@pytest.mark.parametrize("text", ["PAſT HISTORY: x", "FAMıLY HISTORY: x", "RİSK. PLAN"])
def test_letters_that_only_look_alike_are_no_heading(text: str) -> None:
    assert _names(text) == []
    assert _names(text, "abstract") == []


def test_what_the_source_states_comes_first() -> None:
    given_sections = [Section("b", 4, 8), Section("inner", 0, 2), Section("a", 0, 4)]
    found = find_sections("PLAN: xx", "note", given_sections)
    assert [s.name for s in found] == ["a", "inner", "b"]


@pytest.mark.parametrize("headings", [NOTE_HEADINGS, ABSTRACT_HEADINGS], ids=["note", "abstract"])
def test_each_form_is_lower_case_and_names_one_section(
    headings: dict[str, tuple[str, ...]],
) -> None:
    forms = [form for name_forms in headings.values() for form in name_forms]
    assert len(forms) == len(set(forms))
    assert forms == [form.lower() for form in forms]


@pytest.mark.parametrize("form", [f for forms in NOTE_HEADINGS.values() for f in forms])
def test_each_note_heading_is_recognised(form: str) -> None:
    (section,) = find_sections(f"Intro.\n{form.upper()}: text", "note")
    assert form in NOTE_HEADINGS[section.name]
    assert section.start_char == 7


pieces = st.sampled_from(
    ["PLAN:", "Exam:", "METHODS:", "FAMILY HISTORY", "\n", "\r\n", " ", ". ", ",", "1. ", "text"]
)


@given(st.lists(pieces | st.text(max_size=3)).map("".join), st.sampled_from(["note", "abstract"]))
def test_sections_tile_the_text_from_the_first_heading(text: str, kind: str) -> None:
    sections = find_sections(text, kind)
    for left, right in itertools.pairwise(sections):
        assert left.start_char < left.end_char == right.start_char
    if sections:
        assert sections[-1].end_char == len(text)
    headings = NOTE_HEADINGS if kind == "note" else ABSTRACT_HEADINGS
    for section in sections:
        assert text[section.start_char :].lower().startswith(headings[section.name])
