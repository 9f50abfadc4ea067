"""A user's rules: what they may say, what they change, and what is said of a mistake."""

from __future__ import annotations

from pathlib import Path

import pytest

from nlp.assertion import AssessorError
from nlp.assertion.assessor import assessor_fingerprint, load_assessor
from nlp.assertion.rule_file import load_rules
from nlp.assertion.rules import RuleAssessor
from nlp.ner.device import choose_device
from nlp.settings import AssertionSettings
from tests.nlp.assertion.marked import assess, letters_of, unmarked


def written(folder: Path, text: str) -> Path:
    path = folder / "mine.toml"
    path.write_text(text, encoding="utf-8")
    return path


def said(rules: Path | None, marked: str, section: str = "") -> list[str]:
    """The letters of each mention by the rules in the box and a file's."""
    text, mentions, _ = unmarked(marked)
    return [letters_of(a) for a in assess(load_rules(rules), text, mentions, section)]


def rule(folder: Path, words: str, direction: str = "forward", more: str = "") -> Path:
    sets = "" if direction in ("pseudo", "terminate") else 'sets = "negated"\n'
    text = f'[[rule]]\nid = "mine"\n{sets}direction = "{direction}"\nwords = {words}\n{more}\n'
    return written(folder, text)


def test_a_rule_is_added(tmp_path: Path) -> None:
    path = rule(tmp_path, '["zip (of|for)?"]')
    assert said(path, "zip for [gout]{}, no [acne]{}") == ["n", "n"]
    assert said(None, "zip for [gout]{}, no [acne]{}") == ["", "n"]


@pytest.mark.parametrize(
    ("words", "direction", "marked", "letters"),
    [
        ('["zip"]', "backward", "[gout]{} zip [acne]{}", ["n", ""]),
        ('["zip"]', "both", "[gout]{} zip [acne]{}", ["n", "n"]),
        ('["no zip"]', "pseudo", "no zip [gout]{}", [""]),
        ('["zip"]', "terminate", "no [gout]{} zip [acne]{}", ["n", ""]),
        ('["zip * zap"]', "forward", "zip any zap [gout]{}; zip zap [acne]{}", ["n", ""]),
        ('["zip #"]', "forward", "zip 12 [gout]{}; zip x [acne]{}", ["n", ""]),
        ('["ZIP"]', "forward", "Zip [gout]{}", ["n"]),
        ('["z/p"]', "forward", "z / p [gout]{}", ["n"]),
        ('["(zip)? zap"]', "forward", "zap [gout]{}; zip zap [acne]{}", ["n", "n"]),
    ],
)
def test_patterns_and_directions(
    tmp_path: Path, words: str, direction: str, marked: str, letters: list[str]
) -> None:
    assert said(rule(tmp_path, words, direction), marked) == letters


def test_a_rule_reaches_as_far_as_it_says(tmp_path: Path) -> None:
    path = rule(tmp_path, '["zip"]', more="max_tokens = 2")
    assert said(path, "zip a [gout]{} [acne]{}") == ["n", ""]


def test_a_terminator_ends_what_it_says(tmp_path: Path) -> None:
    path = rule(tmp_path, '["zip"]', "terminate", 'ends = "historical"')
    assert said(path, "no history of [gout]{} zip [acne]{}") == ["hn", "n"]


def test_the_same_id_takes_the_place_of_a_rule(tmp_path: Path) -> None:
    path = written(
        tmp_path, '[[rule]]\nid = "no"\nsets = "uncertain"\ndirection = "forward"\nwords = ["no"]'
    )
    assert said(path, "no [gout]{}") == ["u"]


def test_a_rule_without_words_is_out_of_use(tmp_path: Path) -> None:
    path = written(tmp_path, '[[rule]]\nid = "no"\ndirection = "pseudo"\nwords = []')
    assert said(path, "no [gout]{}") == [""]
    assert said(written(tmp_path, '[[rule]]\nid = "no"\nwords = []'), "no [gout]{}") == [""]


def test_sections_are_added_and_put_out_of_use(tmp_path: Path) -> None:
    path = written(
        tmp_path, '[sections]\nallergies = ["historical", "uncertain"]\nfamily_history = []\n'
    )
    assert said(path, "[gout]{}", "allergies") == ["hu"]
    assert said(path, "[gout]{}", "family_history") == [""]
    assert said(path, "[gout]{}", "past_medical_history") == ["h"]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[[rule]", "is no TOML"),
        ("[[rules]]\nid = 'x'", "'rules' is neither"),
        ("rule = 1", r"written as \[\[rule\]\]"),
        ("sections = 1", r"written as \[sections\]"),
        ("[[rule]]\nwords = ['x']", "rule 1 has no id"),
        ("[[rule]]\nid = 'section:x'", "rule 1 has no id, or one that begins with"),
        ("[[rule]]\nid = 'x'\nword = ['y']", "rule 'x' has no field 'word'"),
        ("[[rule]]\nid = 'x'\ndirection = 'left'", "rule 'x': direction is one of forward"),
        ("[[rule]]\nid = 'x'\ndirection = 'both'\nwords = 'y'", "words is a list of strings"),
        ("[[rule]]\nid = 'x'\ndirection = 'both'\nwords = ['y']", "'x' names one or more of"),
        (
            "[[rule]]\nid = 'x'\ndirection = 'both'\nsets = []\nwords = ['y']",
            "sets is one or more of",
        ),
        (
            "[[rule]]\nid = 'x'\ndirection = 'both'\nsets = 'maybe'\nwords = ['y']",
            "names one or more of negated",
        ),
        (
            "[[rule]]\nid = 'x'\ndirection = 'both'\nsets = ['family', 'other']\nwords = ['y']",
            "gives one attribute two values",
        ),
        (
            "[[rule]]\nid = 'x'\ndirection = 'pseudo'\nsets = 'negated'\nwords = ['y']",
            "direction pseudo has no 'sets'",
        ),
        (
            "[[rule]]\nid = 'x'\ndirection = 'pseudo'\nmax_tokens = 2\nwords = ['y']",
            "direction pseudo has no max_tokens",
        ),
        (
            "[[rule]]\nid = 'x'\ndirection = 'both'\nsets = 'negated'\nmax_tokens = 0\nwords = []",
            "max_tokens is a whole number of at least 1",
        ),
        ("[sections]\nplan = 'maybe'", "section 'plan' names one or more of"),
        (
            "[[rule]]\nid = 'x'\ndirection = 'pseudo'\nwords = []\n" * 2,
            "rule 'x' stands twice",
        ),
    ],
)
def test_mistakes(tmp_path: Path, text: str, problem: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(AssessorError, match=problem) as error:
        load_rules(path)
    assert str(path) in str(error.value)


@pytest.mark.parametrize(
    "pattern", ["", " ", "* x", "(a)? *", "(a|b", "a)b", "(a)?", "(a|)", "(a)b"]
)
def test_words_that_are_no_pattern(tmp_path: Path, pattern: str) -> None:
    with pytest.raises(AssessorError, match=r"rule 'mine': .* is no pattern"):
        load_rules(rule(tmp_path, f'["{pattern}"]'))


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(AssessorError, match=r"missing\.toml cannot be read"):
        assessor_fingerprint(AssertionSettings(rules=tmp_path / "missing.toml"))


def test_the_fingerprint_is_that_of_the_rules(tmp_path: Path) -> None:
    boxed = assessor_fingerprint(AssertionSettings())
    first = assessor_fingerprint(AssertionSettings(rules=rule(tmp_path, '["zip"]')))
    second = assessor_fingerprint(AssertionSettings(rules=rule(tmp_path, '["zap"]')))
    off = assessor_fingerprint(AssertionSettings(method="off"))
    assert len({boxed, first, second, off}) == 4
    assert boxed == assessor_fingerprint(AssertionSettings())


def test_what_the_settings_ask_for(tmp_path: Path) -> None:
    device = choose_device("cpu", "fp32")
    assert load_assessor(AssertionSettings(method="off"), device) is None
    assert load_assessor(AssertionSettings(kinds=()), device) is None
    assert isinstance(load_assessor(AssertionSettings(), device), RuleAssessor)
