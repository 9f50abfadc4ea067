"""Marks and colours change nothing of the text, wherever mentions begin and end."""

from __future__ import annotations

import re
from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from flows.showing.document import Link, Provenance, ShownDocument, ShownMention, ShownSection
from flows.showing.pieces import Kind, crossing, cut
from flows.showing.printed import coloured, harmless, marked

NO_LINK = Link(None, None, None, None, None, None)
ORIGIN = Provenance("a", True, (), 0, "r", None, None, "hash", "hash", None)


def document_of(
    text: str,
    spans: Sequence[tuple[int, int]],
    sections: Sequence[tuple[int, int, int | None]] = (),
    assertions: Sequence[tuple[str, ...] | None] = (),
) -> ShownDocument:
    mentions = tuple(
        ShownMention(
            number, start, end, text[start:end], text[start:end], "Disease", 1.0, "m", None, None,
            assertions[number] if number < len(assertions) else None, NO_LINK,
        )
        for number, (start, end) in enumerate(spans)
    )  # fmt: skip
    return ShownDocument(
        "c:1", "c", "note", None, None, None, text, False,
        tuple(ShownSection("plan", *section) for section in sections), (), mentions, ORIGIN,
    )  # fmt: skip


@st.composite
def documents(draw: st.DrawFn, alphabet: st.SearchStrategy[str]) -> ShownDocument:
    text = draw(st.text(alphabet, min_size=1, max_size=40))
    place = st.integers(0, len(text))
    spans = draw(st.lists(st.tuples(place, place).filter(lambda s: s[0] < s[1]), max_size=6))
    starts = sorted(draw(st.sets(st.integers(0, len(text) - 1), max_size=3)))
    ends = [*starts[1:], len(text)]
    sections = [
        (start, end, draw(st.none() | st.integers(start, end)))
        for start, end in zip(starts, ends, strict=False)
    ]
    said = st.none() | st.lists(st.sampled_from(["negated", "family"]), unique=True).map(tuple)
    return document_of(text, spans, sections, draw(st.lists(said, max_size=6)))


FEW = settings(max_examples=40)
ANY = st.characters(codec="utf-8")
NO_MARKS = st.sampled_from("ab :.\n\t💊é")


@FEW
@given(documents(ANY))
def test_pieces_are_the_text_and_each_mention_covers_its_own(document: ShownDocument) -> None:
    pieces = cut(document)
    assert "".join(piece.text for piece in pieces) == document.text
    for mention in document.mentions:
        covered = [piece.text for piece in pieces if mention in piece.mentions and piece.text]
        assert "".join(covered) == mention.text


@FEW
@given(documents(ANY))
def test_marks_open_and_close_once_around_the_mention(document: ShownDocument) -> None:
    seen: dict[int, str] = {}
    open_: set[int] = set()
    for piece in cut(document):
        ids = {mention.mention_id for mention in piece.mentions}
        if piece.kind is Kind.opens:
            assert not ids & set(seen)
            open_ |= ids
            seen |= dict.fromkeys(ids, "")
        elif piece.kind is Kind.closes:
            assert ids <= open_
            open_ -= ids
        elif piece.kind is Kind.text:
            assert ids == open_
    assert not open_
    assert set(seen) == {mention.mention_id for mention in document.mentions}


@FEW
@given(documents(NO_MARKS))
def test_what_is_printed_is_the_text_but_for_the_marks(document: ShownDocument) -> None:
    plain = re.sub(r"\[(\d+\|)?|\]\{[^}]*\}|§ plan ", "", marked(document))
    assert plain == document.text
    assert re.sub("[⁰¹²³⁴⁵⁶⁷⁸⁹]|§ plan ", "", coloured(document).plain) == document.text


@FEW
@given(documents(ANY))
def test_nothing_that_a_terminal_would_obey_is_printed(document: ShownDocument) -> None:
    for printed in (marked(document), coloured(document).plain):
        assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", printed)


def test_nested_mentions() -> None:
    document = document_of("no kidney injury.", [(3, 16), (3, 9)], assertions=[("negated",)])
    assert marked(document) == "no [[kidney]{1 Disease} injury]{0 Disease, negated}."


def test_crossing_mentions_have_their_number_at_both_ends() -> None:
    document = document_of("one two three", [(0, 7), (4, 13)])
    assert marked(document) == "[0|one [1|two]{0 Disease} three]{1 Disease}"
    assert crossing(document.mentions) == {0, 1}


def test_two_mentions_of_the_same_words() -> None:
    document = document_of("rash", [(0, 4), (0, 4)])
    assert marked(document) == "[[rash]{1 Disease}]{0 Disease}"
    assert crossing(document.mentions) == set()


def test_a_negated_mention_is_struck_and_a_doubtful_one_dim() -> None:
    said = [("negated",), ("family",), None]
    document = document_of("rash gout pain", [(0, 4), (5, 9), (10, 14)], assertions=said)
    styles = {
        coloured(document).plain[span.start : span.end]: str(span.style)
        for span in coloured(document).spans
    }
    assert "strike" in styles["rash"]
    assert "dim" not in styles["rash"]
    assert "dim" in styles["gout"]
    assert not {"strike", "dim"} & set(styles["pain"].split())


def test_headings_are_bold_and_stated_sections_named() -> None:
    text = "PLAN: rest. AIM: rest. rest."
    document = document_of(text, [], [(0, 12, 5), (12, 23, None), (23, 28, None)])
    assert [piece.text for piece in cut(document) if piece.is_heading] == ["PLAN:", "AIM:"]
    assert marked(document) == "PLAN: rest. AIM: rest. § plan rest."


def test_a_text_of_another_version_has_no_marks() -> None:
    document = document_of("rash", [(0, 2)])
    other = Provenance("a", True, (), 0, "r", None, None, "hash", "older", None)
    stale = ShownDocument(**{**vars(document), "provenance": other})
    assert marked(stale) == "rash"


def test_carriage_returns_before_line_feeds_are_not_shown() -> None:
    assert harmless("a\r\nb\rc\x1b[31m") == "a\nb␍c␛[31m"
