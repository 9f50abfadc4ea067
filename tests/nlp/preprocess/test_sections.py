"""Sections of notes, structured abstracts and articles."""

from __future__ import annotations

import itertools
import re
import time
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlp.preprocess.heading_rule import expand, normal_form
from nlp.preprocess.heading_rules import load_heading_rules
from nlp.preprocess.sections import Section, find_sections

BENCHMARKS = Path(__file__).resolve().parents[3] / "benchmarks"
NOTE_FORMS = load_heading_rules().forms["note"]


def _names(text: str, kind: str = "note") -> list[str]:
    return [section.name for section in find_sections(text, kind)]


def _parts(text: str, kind: str = "note") -> list[tuple[str, str]]:
    return [(s.name, text[s.start_char : s.end_char]) for s in find_sections(text, kind)]


def _headings(text: str, kind: str = "note") -> list[str]:
    return [text[s.start_char : s.heading_end_char] for s in find_sections(text, kind)]


# ---------------------------------------------------------------- abstracts and articles


def test_structured_abstract() -> None:
    text = "A title. BACKGROUND: One. METHODS: Two. RESULTS: Three.CONCLUSIONS: Four."
    assert _parts(text, "abstract") == [
        ("background", "BACKGROUND: One. "),
        ("methods", "METHODS: Two. "),
        ("results", "RESULTS: Three."),
        ("conclusions", "CONCLUSIONS: Four."),
    ]
    assert _headings(text, "abstract")[3] == "CONCLUSIONS:"


def test_abstract_labels_are_capitals() -> None:
    assert _names("Title. Results: good. We saw results: many. METHODS: x", "abstract") == [
        "methods"
    ]


def test_abstract_labels_begin_sentences() -> None:
    assert _names("Title. We used our METHODS: none. RESULTS: x", "abstract") == ["results"]


@pytest.mark.parametrize(
    ("label", "name"),
    [
        ("MATERIALS AND METHODS", "methods"),
        ("MAIN OUTCOME MEASURES", "methods"),
        ("BACKGROUND/AIMS", "objective"),
        ("AIMS & BACKGROUND", "objective"),
        ("CONCLUSIONS AND RELEVANCE", "conclusions"),
        ("TRIAL REGISTRATION", "trial_registration"),
    ],
)
def test_longest_abstract_label_wins(label: str, name: str) -> None:
    assert _parts(f"T. {label}: x", "abstract") == [(name, f"{label}: x")]


def test_titles_of_an_article_stand_on_lines() -> None:
    text = "1. Introduction\nThe results: fine.\nMaterials and methods\nx\n\n3 Results\ny"
    assert _names(text, "article") == ["introduction", "methods", "results"]


# ---------------------------------------------------------------- forms of headings in notes


def test_headings_on_their_own_line() -> None:
    text = "CHIEF COMPLAINT\n\nCough.\n\nFAMILY HISTORY\n\nNone."
    assert _parts(text) == [
        ("chief_complaint", "CHIEF COMPLAINT\n\nCough.\n\n"),
        ("family_history", "FAMILY HISTORY\n\nNone."),
    ]
    assert _headings(text) == ["CHIEF COMPLAINT", "FAMILY HISTORY"]


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
    text = "Family history: none.\nSocial History : none.\n  HPI: fine."
    assert _names(text) == ["family_history", "social_history", "history_of_present_illness"]
    assert _headings(text) == ["Family history:", "Social History :", "HPI:"]


def test_numbered_headings_begin_at_their_words() -> None:
    text = "1. ALLERGIES: none\n2) Medications: none\n12. PLAN\nIV. LABS: none\n"
    assert _names(text) == ["allergies", "medications", "plan", "laboratory_data"]
    assert text[find_sections(text, "note")[1].start_char :].startswith("Medications")


def test_headings_glued_by_commas() -> None:
    text = "SUBJECTIVE:, Cough.,FAMILY HISTORY: ,None.,Allergies: , None known.,PLAN:, Rest."
    assert _names(text) == ["subjective", "family_history", "allergies", "plan"]


def test_glued_heading_without_a_colon() -> None:
    text = "HPI:, Cough.,PHYSICAL EXAMINATION,GENERAL:  Well.,MEDICATIONS,1.  Aspirin."
    assert _names(text) == [
        "history_of_present_illness",
        "physical_examination",
        "physical_examination.general",
        "medications",
    ]


@pytest.mark.parametrize(
    "heading", ["**Plan:**", "**Plan**:", "## Plan", "__PLAN__", "<b>Plan:</b>", "=== PLAN ==="]
)
def test_marks_around_a_heading(heading: str) -> None:
    text = f"Cough.\n{heading}\nrest"
    (section,) = find_sections(text, "note")
    assert section.name == "plan"
    assert text[section.start_char : section.start_char + 4].lower() == "plan"
    assert text[section.heading_end_char :].strip(" *_=\n") == "rest"


def test_letters_of_a_soap_note() -> None:
    soap = "S: Tired.\nO: BP 120/80.\nT: 37\nP: 80\nA: 1. Anemia.\nP: 1) Iron."
    assert _names(soap) == ["subjective", "objective", "assessment", "plan"]
    assert _names("S: Tired.,O: Pale.,A: Anemia.,P: Iron.")[2:] == ["assessment", "plan"]
    assert _names("T: 37\nP: 80\nR: 16\nA: alert.") == [], "no plan, no SOAP note"
    assert _names("See option A: rest\nP: iron") == []


def test_headings_before_a_dash() -> None:
    text = "PLAN - rest\nAssessment – gout, well-known - no change"
    assert _names(text) == ["plan", "assessment"]
    assert _headings(text) == ["PLAN - ", "Assessment – "]


def test_what_stands_in_brackets_is_passed_over() -> None:
    assert _names("SHORT-TERM GOALS (8 WEEKS): walk\nChief complaint (1/1):  ache") == [
        "goals",
        "chief_complaint",
    ]


def test_narrow_spaces_count_as_spaces() -> None:
    assert _names("FAMILY\u202fHISTORY:\u00a0none") == ["family_history"]


def test_inside_a_line_only_capitals_count() -> None:
    assert _names("He agrees, plan: rest. Then, Exam: normal.") == []
    assert _names("He agrees, PLAN: rest.") == ["plan"]


def test_a_gap_after_a_heading_is_no_mark() -> None:
    assert _headings("Attending:  ___.\nPlan:___") == ["Attending:", "Plan:"]


def test_words_that_only_end_like_a_heading_are_none() -> None:
    assert _names("Discussed the treatment plan: rest.\nCough\nUNPLAN: none\nMyexam: x") == []


@pytest.mark.parametrize("text", ["PAſT HISTORY: x", "FAMıLY HISTORY: x", "RİSK. PLAN"])
def test_letters_that_only_look_alike_are_no_heading(text: str) -> None:
    assert _names(text) == []
    assert _names(text, "abstract") == []


# ---------------------------------------------------------------- what a heading means


def test_parts_are_named_by_the_section_they_belong_to() -> None:
    text = (
        "REVIEW OF SYSTEMS: , NECK:  No pain. Skin: Dry.,PHYSICAL EXAM:, VITAL SIGNS: fine."
        "  NECK:  Supple. Auscultation of Lungs: clear.,ALLERGIES: none. Skin: dry."
    )
    assert _names(text) == [
        "review_of_systems",
        "review_of_systems.neck",
        "review_of_systems.skin",
        "physical_examination",
        "vital_signs",
        "physical_examination.neck",
        "allergies",
    ]


def test_parts_have_codes_in_an_examination_alone() -> None:
    sections = find_sections("ROS:\nNeck: fine\nExam:\nNeck: supple\n", "note")
    assert [s.loinc_code for s in sections] == ["10187-3", None, "29545-1", "11411-6"]


def test_a_part_without_its_section_opens_an_examination_in_capitals() -> None:
    assert _names("HISTORY: cough.,HEENT:  Clear.,LUNGS:  Clear.") == [
        "history",
        "physical_examination.heent",
        "physical_examination.respiratory",
    ]
    assert _names("Plan:\nSkin of face: x\nBreasts: x") == ["plan"]


def test_an_exam_of_a_region_ends_the_review_of_systems() -> None:
    assert _names("ROS: fine.,EYE EXAM:,  Round.,Neck: supple.") == [
        "review_of_systems",
        "physical_examination.eyes",
        "physical_examination.neck",
    ]


def test_exam_before_a_modality_is_a_study() -> None:
    assert _names("EXAM:,MRI LEFT SHOULDER,FINDINGS:, Tear.") == ["study", "findings"]
    assert _names("EXAM:, Supple neck.") == ["physical_examination"]


def test_headings_of_two_sections_open_the_first() -> None:
    assert _names("HEART/LUNGS: clear\nDISPOSITION/PLAN: home\nPlan and Diet: x") == [
        "physical_examination.cardiovascular",
        "plan",
        "plan",
    ]


def test_family_history_among_others_is_a_history() -> None:
    """Not all that is said there is said of the family."""
    text = "PAST MEDICAL HISTORY, FAMILY HISTORY, SOCIAL HISTORY & REVIEW OF SYSTEMS:, Denied."
    assert _names(text) == ["history"]


def test_unknown_words_in_capitals_open_another_section() -> None:
    text = "ALLERGIES:, None.,PLAN:, Rest.,LUNAR PHASE:  Full.,BP: 1.,WBC: 2.,MOON: 7."
    assert _parts(text)[-1] == ("other", "LUNAR PHASE:  Full.,BP: 1.,WBC: 2.,MOON: 7.")


def test_unknown_words_open_nothing_where_headings_are_not_in_capitals() -> None:
    assert _names("Allergies: none\nPlan: rest\nLUNAR PHASE: full\nBlood Pressure: 1") == [
        "allergies",
        "plan",
    ]


def test_items_of_an_examination_stay_within_it() -> None:
    assert _names("PHYSICAL EXAM:, Fine.,TYMPANIC MEMBRANES:  Clear.,PLAN: rest.") == [
        "physical_examination",
        "plan",
    ]


def test_each_note_heading_is_recognised() -> None:
    for form, rules in NOTE_FORMS.items():
        if rules[-1].within:
            continue
        (section,) = find_sections(f"Intro.\n{form.upper()}: text", "note")
        assert section.name in {rule.name for rule in rules}
        assert section.start_char == 7, form


# ---------------------------------------------------------------- what the source states


def test_what_the_source_states_comes_first() -> None:
    given_sections = [Section("b", 4, 8), Section("inner", 0, 2), Section("a", 0, 4)]
    found = find_sections("PLAN: xx", "note", given_sections)
    assert [s.name for s in found] == ["a", "inner", "b"]


@pytest.mark.parametrize(
    ("kind", "stated", "name", "code"),
    [
        ("abstract", "materials_and_methods", "methods", None),
        ("abstract", "main_outcome_measures", "methods", None),
        ("abstract", "design_setting_and_participants", "methods", None),
        ("abstract", "materials_methods", "methods", None),
        ("abstract", "introduction", "background", None),
        ("article", "introduction", "introduction", None),
        ("article", "figures", "figures", None),
        ("note", "hpi", "history_of_present_illness", "10164-2"),
        ("note", "history_of_present_illness", "history_of_present_illness", "10164-2"),
        ("note", "social_work", "social_work", None),
    ],
)
def test_stated_names_are_normalised(kind: str, stated: str, name: str, code: str | None) -> None:
    assert find_sections("text", kind, [Section(stated, 0, 4)]) == [Section(name, 0, 4, None, code)]


def test_a_stated_code_is_kept() -> None:
    (section,) = find_sections("text", "note", [Section("hpi", 0, 4, loinc_code="99999-9")])
    assert section.loinc_code == "99999-9"


# ---------------------------------------------------------------- properties

_pieces = st.sampled_from(
    [
        *("PLAN:", "Exam:", "METHODS:", "FAMILY HISTORY", "HEENT:", "Neck:", "ROS", "LUNAR PHASE:"),
        *("\n", "\r\n", " ", ". ", ",", ".,", "1. ", "• ", "**", " - ", "text", "(1/1)", "A/P:"),
    ]
)
_texts = st.lists(_pieces | st.text(max_size=3)).map("".join)
_kinds = st.sampled_from(["note", "abstract", "article"])


@given(_texts, _kinds)
def test_sections_tile_the_text_from_the_first_heading(text: str, kind: str) -> None:
    sections = find_sections(text, kind)
    for left, right in itertools.pairwise(sections):
        assert left.start_char < left.end_char == right.start_char
        assert left.heading_end_char is not None
        assert left.heading_end_char <= right.start_char
    if sections:
        assert sections[-1].end_char == len(text)
    for section in sections:
        assert section.heading_end_char is not None
        heading = text[section.start_char : section.heading_end_char]
        assert heading[0].isupper() and "\n" not in heading


@given(_texts, _kinds, st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50)), min_size=1))
def test_given_sections_win(text: str, kind: str, bounds: list[tuple[int, int]]) -> None:
    stated = [Section("stated", *sorted(pair)) for pair in bounds]
    found = find_sections(text, kind, stated)
    assert sorted((s.start_char, -s.end_char) for s in stated) == [
        (s.start_char, -s.end_char) for s in found
    ]


@given(st.text())
def test_normal_form_is_one_of_itself(words: str) -> None:
    form = normal_form(words)
    assert normal_form(form) == form
    assert form.isascii() and form == form.lower()


@given(st.lists(st.lists(st.sampled_from(["a", "b c", ""]), min_size=1), min_size=1, max_size=4))
def test_groups_are_multiplied_out(groups: list[list[str]]) -> None:
    heading = " x ".join(f"[{'|'.join(group)}]" for group in groups)
    expected = {" ".join(" x ".join(chosen).split()) for chosen in itertools.product(*groups)}
    assert set(expand(heading)) == expected


@pytest.mark.parametrize(
    "piece",
    [
        ":",
        "A:",
        " ",
        "*",
        "A, ",
        ".,A",
        "a\n",
        "•",
        "PLAN:",
        "PLAN - ",
        "A ",
        ":  **",
        "A/",
        "(",
        "_ :",
    ],
)
def test_time_is_proportional_to_length(piece: str) -> None:
    """Eight times the text would take 64 times as long, were time quadratic."""

    def seconds(length: int) -> float:
        text = piece * (length // len(piece))
        tries = []
        for _ in range(3):
            clock = time.process_time()
            find_sections(text, "note")
            tries.append(time.process_time() - clock)
        return min(tries)

    assert seconds(16_000) < 24 * max(seconds(2_000), 0.0002)


# ---------------------------------------------------------------- real notes


@pytest.fixture(scope="module")
def benchmark() -> ModuleType:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(BENCHMARKS))
        import sections

        return sections


@pytest.mark.parametrize(("split", "floor"), [("tuning", 0.98), ("held_out", 0.95)])
def test_headings_of_annotated_notes(
    benchmark: ModuleType, data_dir: Path, split: str, floor: float
) -> None:
    notes = benchmark.read_gold(benchmark.read_texts(data_dir))
    chosen = [note for note in notes if note.split == split]
    assert len(chosen) == {"tuning": 40, "held_out": 20}[split]
    gold = [note.headings for note in chosen]
    found = [benchmark.find_headings(note.text) for note in chosen]
    assert benchmark.score(gold, found, str.__eq__)[2] >= floor


def test_annotated_names_are_those_of_the_rules() -> None:
    known = {rule.name for rules in NOTE_FORMS.values() for rule in rules} | {"other"}
    rows = [line.split("\t") for line in benchmark_gold().splitlines()[1:]]
    names = {name for *_, name in rows if name}
    assert {piece for name in names for piece in re.split(r"\.", name)} <= known


def benchmark_gold() -> str:
    return (Path(__file__).parent / "gold" / "sections.tsv").read_text("utf-8")
