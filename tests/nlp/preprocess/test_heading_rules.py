"""Rules of headings: what a user's file may say, and what it changes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nlp.fingerprint import identify
from nlp.preprocess import PreprocessError
from nlp.preprocess.heading_rules import BOXED, load_heading_rules, rules_fingerprint
from nlp.preprocess.sections import Section, find_sections
from nlp.settings import AnnotationSettings, PreprocessSettings


def _file(folder: Path, text: str) -> Path:
    path = folder / "rules.toml"
    path.write_text(text, encoding="utf-8")
    return path


def _found(text: str, path: Path, kind: str = "note") -> list[tuple[str, str | None]]:
    sections = find_sections(text, kind, rules=load_heading_rules(path))
    return [(section.name, section.loinc_code) for section in sections]


def test_a_users_heading_is_found_and_the_box_stays(tmp_path: Path) -> None:
    path = _file(
        tmp_path, '[[section]]\nname = "night_shift"\nheadings = ["night [shift|] report"]\n'
    )
    text = "Night report: calm.\nPlan: rest.\nNIGHT SHIFT REPORT\ncalm"
    names = [name for name, _ in _found(text, path)]
    assert names == ["night_shift", "plan", "night_shift"]


def test_a_users_rule_wins(tmp_path: Path) -> None:
    path = _file(
        tmp_path, '[[section]]\nname = "assessment_and_plan"\nheadings = ["plan", "HPI"]\n'
    )
    assert _found("PLAN: rest\nHPI: cough", path) == [("assessment_and_plan", None)] * 2
    assert find_sections("PLAN: rest", "note")[0].name == "plan"


def test_a_users_code_holds_for_the_headings_in_the_box(tmp_path: Path) -> None:
    path = _file(
        tmp_path,
        '[[section]]\nname = "impression"\nloinc = "51848-0"\nheadings = ["our impression"]\n',
    )
    assert _found("Our impression: gout\nImpression: gout", path) == [("impression", "51848-0")] * 2


def test_a_users_label_opens_nothing(tmp_path: Path) -> None:
    path = _file(tmp_path, 'labels = ["plan", "lunar phase"]\n')
    text = "HPI: x\nALLERGIES: none\nPLAN: rest\nLUNAR PHASE: full"
    names = [name for name, _ in _found(text, path)]
    assert names == ["history_of_present_illness", "allergies"]


def test_a_users_prefix(tmp_path: Path) -> None:
    path = _file(tmp_path, 'prefixes = ["lunar"]\n')
    assert _found("Lunar medications: none", path) == [("medications", "10160-0")]
    assert find_sections("Lunar medications: none", "note") == []


def test_parts_of_a_users_section(tmp_path: Path) -> None:
    path = _file(
        tmp_path,
        """
        [[section]]
        name = "shift_report"
        inline_parts = true
        headings = ["shift report"]

        [[section]]
        name = "lines"
        within = ["shift_report"]
        headings = ["lines"]
        loinc = { shift_report = "11537-8" }
        """,
    )
    text = "Shift report: calm. Lines: two.\nPlan: rest. Lines: none."
    assert _found(text, path) == [
        ("shift_report", None),
        ("shift_report.lines", "11537-8"),
        ("plan", "18776-5"),
    ]


def test_labels_of_abstracts(tmp_path: Path) -> None:
    path = _file(
        tmp_path,
        '[[section]]\nname = "lay_summary"\nkinds = ["abstract"]\nheadings = ["in short"]\n',
    )
    assert _found("T. IN SHORT: x", path, "abstract") == [("lay_summary", None)]
    assert _found("IN SHORT: x", path) == []
    stated = [Section("in_short", 0, 4)]
    (section,) = find_sections("text", "abstract", stated, load_heading_rules(path))
    assert section.name == "lay_summary"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[[section]\n", "are no TOML"),
        ('headings = ["a"]\n', "headings: Extra inputs"),
        ('section = "plan"\n', "section: Input should be a valid list"),
        ('[[section]]\nheadings = ["a"]\n', "section 1: name Field required"),
        ('[[section]]\nname = "plan"\n', "section 1 (plan): headings Field required"),
        ('[[section]]\nname = "plan"\nheadings = []\n', "section 1 (plan): headings"),
        ('[[section]]\nname = "The Plan"\nheadings = ["a"]\n', "section 1 (The Plan): name"),
        ('[[section]]\nname = "plan"\nheadings = ["a"]\nkind = "note"\n', "kind Extra inputs"),
        ('[[section]]\nname = "plan"\nheadings = ["a"]\nkinds = ["letter"]\n', "kinds Input"),
        ('[[section]]\nname = "plan"\nheadings = ["[a"]\n', "groups such as [a|b]"),
        ('[[section]]\nname = "plan"\nheadings = ["[a|]"]\n', "groups such as [a|b]"),
        ('[[section]]\nname = "plan"\nheadings = ["päng"]\n', "groups such as [a|b]"),
        ('[[section]]\nname = "plan"\nheadings = ["a"]\nloinc = "18776-4"\n', "check digit"),
        ('[[section]]\nname = "plan"\nheadings = ["a"]\nloinc = "plan"\n', "a LOINC code is"),
        ('[[section]]\nname = "plan"\nheadings = ["a"]\ncolon = "yes"\n', "colon Input"),
        (
            '[[section]]\nname = "a"\nheadings = ["x"]\n'
            '[[section]]\nname = "b"\nheadings = ["X"]\n',
            "section 2 (b): heading 'x' already opens a",
        ),
    ],
)
def test_what_is_wrong_is_said_with_file_and_entry(tmp_path: Path, text: str, words: str) -> None:
    path = _file(tmp_path, text)
    with pytest.raises(PreprocessError) as caught:
        load_heading_rules(path)
    message = str(caught.value)
    assert message.startswith(f"section rules {path}")
    assert words in message
    assert "\n" not in message
    assert message.endswith("docs/sections.md has the form")


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(PreprocessError, match=r"cannot be read .*preprocess\.section_rules"):
        load_heading_rules(tmp_path / "none.toml")


def test_the_fingerprint_is_that_of_the_content(tmp_path: Path) -> None:
    first = _file(tmp_path, 'labels = ["a"]\n')
    one = rules_fingerprint(first)
    assert one != rules_fingerprint(None)
    moved = first.rename(tmp_path / "moved.toml")
    assert rules_fingerprint(moved) == one
    moved.write_text('labels = ["b"]\n')
    assert rules_fingerprint(moved) != one


def test_a_wrong_file_stops_a_run_at_the_door(tmp_path: Path) -> None:
    path = _file(tmp_path, '[[section]]\nname = "plan"\n')
    wrong = AnnotationSettings(preprocess=PreprocessSettings(section_rules=path))
    with pytest.raises(PreprocessError, match="section 1"):
        identify(wrong)


def test_rules_are_part_of_the_annotation_id(tmp_path: Path) -> None:
    path = _file(tmp_path, 'labels = ["a"]\n')
    ours = AnnotationSettings(preprocess=PreprocessSettings(section_rules=path))
    assert identify(ours).annotation_id != identify(AnnotationSettings()).annotation_id


def test_the_example_of_the_docs(tmp_path: Path) -> None:
    page = (Path(__file__).resolve().parents[3] / "docs" / "sections.md").read_text("utf-8")
    _, example = re.findall(r"^```toml\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    path = _file(tmp_path, example)
    text = (
        "NURSING REPORT: calm\nBRADEN SCORE: high\nLINES: two\nWard medications: none\nPLAN: rest"
    )
    assert [name for name, _ in _found(text, path)] == [
        "nursing_assessment",
        "nursing_assessment.lines_and_tubes",
        "medications",
        "assessment_and_plan",
    ]


def test_the_box_itself_is_in_the_users_form(tmp_path: Path) -> None:
    path = _file(tmp_path, BOXED.read_text("utf-8"))
    assert _found("PLAN: rest\nExam: fine\nNeck: supple", path) == [
        ("plan", "18776-5"),
        ("physical_examination", "29545-1"),
        ("physical_examination.neck", "11411-6"),
    ]


_words = st.lists(st.text("abcdefgh", min_size=2, max_size=6), min_size=1, max_size=3)


@settings(max_examples=30)
@given(words=_words.map(" ".join))
def test_whatever_heading_a_user_adds_wins(
    tmp_path_factory: pytest.TempPathFactory, words: str
) -> None:
    folder = tmp_path_factory.getbasetemp()
    path = _file(folder, f'[[section]]\nname = "mine"\nheadings = ["{words}"]\n')
    rules = load_heading_rules(path)
    text = f"HPI: cough.\n{words.capitalize()}: text\n{words.upper()}\ntext"
    found = find_sections(text, "note", rules=rules)
    assert [section.name for section in found[1:]] == ["mine", "mine"]
    assert text[found[1].start_char : found[1].heading_end_char] == f"{words.capitalize()}:"
