"""The engine of the rules: offsets, scopes, sections, and that order and company do not matter."""

from __future__ import annotations

import time
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from nlp.assertion.result import ATTRIBUTES, PATIENT, Assessed, Range
from nlp.assertion.rule_file import load_rules
from nlp.assertion.rules import RuleAssessor
from nlp.preprocess.sections import Section
from tests.nlp.assertion.marked import assess, letters_of, unmarked

ASSESSOR = RuleAssessor(load_rules())

WORDS = st.sampled_from(
    [
        *("no", "denies", "fever,", "cough", "pain", "but", ".", ";", "(possible", "history", "of"),
        *("mother", "had", "if", ")", "without", "ruled", "out", "negative", "for", "İstanbul"),
        *("ſ", "patient’s", "who\n\nFAMILY", "HISTORY:", "3", "unlikely", "in", "the", "past"),
        *("resolved", "not", "only", "patient"),
    ]
)


@st.composite
def documents(draw: st.DrawFn) -> Assessed:
    """Texts of cue words, cut into sentences, sections and mentions anywhere."""
    text = " ".join(draw(st.lists(WORDS, min_size=1, max_size=40)))
    places = st.integers(0, len(text))
    cuts = sorted({0, len(text), *draw(st.lists(places, max_size=4))})
    sentences = [(a, b) for a, b in pairwise(cuts) if draw(st.booleans())]
    marks = sorted({*draw(st.lists(places, max_size=3)), len(text)})
    names = st.sampled_from(["family_history", "past_medical_history", "plan"])
    sections = [Section(draw(names), a, b) for a, b in pairwise(marks)]
    pairs = draw(st.lists(st.tuples(places, places).filter(lambda p: p[0] != p[1]), max_size=8))
    mentions = sorted((min(pair), max(pair)) for pair in pairs)
    return Assessed(text, mentions, sentences, sections)


@given(documents())
def test_cues_are_words_of_the_mentions_sentence(document: Assessed) -> None:
    (assertions,) = ASSESSOR.assess([document])
    for (start, end), assertion in zip(document.mentions, assertions, strict=True):
        inside = [(a, b) for a, b in document.sentences if a <= start < b] or [(start, end)]
        for cue in assertion.cues:
            if cue.rule_id.startswith("section:"):
                assert (cue.start_char, cue.end_char) == (None, None)
                continue
            assert cue.start_char is not None and cue.end_char is not None
            assert inside[0][0] <= cue.start_char < cue.end_char <= inside[0][1]
            assert not document.text[cue.start_char].isspace()


@given(documents())
def test_there_is_a_cue_for_what_is_set_and_for_nothing_else(document: Assessed) -> None:
    (assertions,) = ASSESSOR.assess([document])
    for assertion in assertions:
        values = [getattr(assertion, attribute) for attribute in ATTRIBUTES]
        assert None not in values
        is_set = [
            attribute
            for attribute, value in zip(ATTRIBUTES, values, strict=True)
            if value not in (False, PATIENT)
        ]
        assert [cue.attribute for cue in assertion.cues] == is_set


@given(documents())
def test_mentions_say_nothing_of_each_other(document: Assessed) -> None:
    (together,) = ASSESSOR.assess([document])
    alone = [
        ASSESSOR.assess([Assessed(document.text, [m], document.sentences, document.sections)])[0][0]
        for m in document.mentions
    ]
    assert together == alone


def seconds(cues: int, mentions: int) -> float:
    """How long one sentence of so many cues and mentions takes, at best of three."""
    text = "no fever and possible cough , history of pain ( mother ) but if " * cues
    step = len(text) // mentions
    places: list[Range] = [(place, place + 3) for place in range(0, mentions * step, step)]
    document = Assessed(text, places, [(0, len(text))], ())
    times = []
    for _ in range(3):
        clock = time.process_time()
        ASSESSOR.assess([document])
        times.append(time.process_time() - clock)
    return min(times)


def test_a_sentence_ten_times_as_long_takes_about_ten_times_as_long() -> None:
    assert seconds(3000, 3000) < 40 * seconds(300, 300)


def test_open_brackets_cost_no_more_than_other_marks() -> None:
    text = "(no fever " * 20_000 + ")" * 20_000
    clock = time.process_time()
    assess(ASSESSOR, text, [(4, 9)])
    assert time.process_time() - clock < 5


def test_the_nearest_cue_is_the_reason() -> None:
    text = "Denies cough, has no fever."
    start = text.index("fever")
    (assertion,) = assess(ASSESSOR, text, [(start, start + 5)])
    (cue,) = assertion.cues
    assert (cue.attribute, cue.rule_id) == ("negated", "no")
    assert text[cue.start_char : cue.end_char] == "no"


def test_a_section_is_the_reason_where_no_words_are() -> None:
    (assertion,) = assess(ASSESSOR, "Diabetes.", [(0, 8)], "family_history")
    assert [cue.attribute for cue in assertion.cues] == ["historical", "experiencer"]
    for cue in assertion.cues:
        assert cue.rule_id == "section:family_history"
        assert (cue.start_char, cue.end_char) == (None, None)


def test_scopes_end_where_a_section_begins() -> None:
    text, mentions, _ = unmarked("No [fever]{} or, Plan: [rash]{}")
    sections = [Section("history", 0, 13), Section("plan", 13, len(text))]
    document = Assessed(text, mentions, [(0, len(text))], sections)
    assert [letters_of(a) for a in ASSESSOR.assess([document])[0]] == ["n", ""]


def test_cues_in_another_sentence_do_not_count() -> None:
    text, mentions, _ = unmarked("No [fever]{}. [Cough]{} today. Pain denied.")
    sentences = [(0, 9), (10, 22), (23, len(text))]
    (assertions,) = ASSESSOR.assess([Assessed(text, mentions, sentences, ())])
    assert [letters_of(a) for a in assertions] == ["n", ""]


def test_words_within_a_mention_are_its_name() -> None:
    for marked in ("[No fever]{}, [cough]{n}", "[effusion without loculation]{} or [mass]{n}"):
        text, mentions, letters = unmarked(marked)
        assert [letters_of(a) for a in assess(ASSESSOR, text, mentions)] == letters


def test_a_mention_outside_every_sentence_has_what_its_section_says() -> None:
    document = Assessed("No gout", [(3, 7)], [(0, 2)], [Section("past_medical_history", 0, 7)])
    assert letters_of(ASSESSOR.assess([document])[0][0]) == "h"


def test_documents_without_mentions() -> None:
    assert ASSESSOR.assess([Assessed("No.", [], [(0, 3)], ()), Assessed("", [], [], ())]) == [
        [],
        [],
    ]
