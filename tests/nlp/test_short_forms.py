"""A short form is what its definition is."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from nlp.ner.decode import Span
from nlp.preprocess.abbreviations import Abbreviation
from nlp.short_forms import spread_labels

#       0         1         2         3         4
#       0123456789012345678901234567890123456789012345678
TEXT = "breast cancer (BC) is studied. BC and BC grow fast"
OCCURRENCES = [(15, 17), (31, 33), (38, 40)]
SHORT = [Abbreviation("BC", "breast cancer", start, end, 0, 13) for start, end in OCCURRENCES]
LONG = Span(0, 13, "Disease", 0.9)


def _keys(spans: list[Span]) -> list[tuple[int, int, str]]:
    return [(s.start, s.end, s.label) for s in spans]


def test_every_occurrence_gets_the_label_of_its_definition() -> None:
    found = spread_labels([LONG], SHORT)
    assert _keys(found) == [(0, 13, "Disease"), *((a, b, "Disease") for a, b in OCCURRENCES)]
    assert {span.score for span in found} == {0.9}


def test_a_mention_that_is_there_stays_as_it_is() -> None:
    own = Span(31, 33, "Disease", 0.5)
    wider = Span(34, 45, "Disease", 0.6)
    found = spread_labels([LONG, own, wider], SHORT)
    assert own in found
    assert wider in found
    assert len(found) == 4


def test_another_label_on_the_short_form_alone_gives_way() -> None:
    gene, within = Span(31, 33, "Gene", 0.8), Span(38, 45, "Gene", 0.8)
    found = spread_labels([LONG, gene, within], SHORT)
    assert gene not in found
    assert within in found
    assert (31, 33, "Disease") in _keys(found)


def test_a_definition_without_a_mention_says_nothing() -> None:
    gene = Span(31, 33, "Gene", 0.8)
    inner = Span(7, 13, "Disease", 0.9)  # "cancer" alone is not what BC stands for
    assert spread_labels([inner, gene], SHORT) == [inner, gene]


def test_every_label_of_the_definition_is_taken_over() -> None:
    other = Span(0, 13, "Anatomy", 0.7)
    found = spread_labels([other, LONG], SHORT[:2])
    assert len(found) == 6
    assert {s.label for s in found if s.start == 31} == {"Anatomy", "Disease"}


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(1, 10), st.sampled_from("AB"))))
def test_no_mention_is_doubled_and_no_label_overlaps_itself(
    drawn: list[tuple[int, int, str]],
) -> None:
    spans: list[Span] = []
    for start, length, label in drawn:
        if all(s.label != label or s.end <= start or start + length <= s.start for s in spans):
            spans.append(Span(start, start + length, label, 0.5))
    found = spread_labels(spans, SHORT)
    for i, one in enumerate(found):
        for other in found[i + 1 :]:
            assert one.label != other.label or one.end <= other.start or other.end <= one.start


def spread_slowly(spans: list[Span], abbreviations: list[Abbreviation]) -> list[Span]:
    """The rule as it is written, every mention looked at for every short form."""
    kept = list(spans)
    for short in abbreviations:
        start, end = short.short_start_char, short.short_end_char
        long_spans = [
            s for s in spans if s.end == short.long_end_char and s.start <= short.long_start_char
        ]
        if long_spans:
            labels = {span.label for span in long_spans}
            kept = [s for s in kept if (s.start, s.end) != (start, end) or s.label in labels]
        for span in long_spans:
            if not any(s.label == span.label and s.start < end and start < s.end for s in kept):
                kept.append(Span(start, end, span.label, span.score))
    return sorted(kept, key=lambda span: (span.start, span.end, span.label))


PLACES = st.tuples(st.integers(0, 200), st.integers(1, 90)).map(lambda at: (at[0], sum(at)))
SPANS = st.builds(
    lambda place, label, score: Span(*place, label, score),
    PLACES,
    st.sampled_from(["Disease", "Chemical"]),
    st.sampled_from([0.5, 0.9]),
)


@given(
    spans=st.lists(SPANS, max_size=12),
    shorts=st.lists(st.tuples(PLACES, st.integers(0, 11), st.integers(0, 3)), max_size=8),
)
def test_looking_near_finds_what_looking_everywhere_finds(
    spans: list[Span], shorts: list[tuple[tuple[int, int], int, int]]
) -> None:
    abbreviations = []
    for (start, end), which, later in shorts:
        long = spans[which % len(spans)] if spans else Span(0, 1, "Disease", 1.0)
        begin = min(long.start + later, long.end - 1)
        abbreviations.append(Abbreviation("S", "long", start, end, begin, long.end))
    in_order = sorted(spans, key=lambda span: (span.start, span.end, span.label))
    assert spread_labels(in_order, abbreviations) == spread_slowly(in_order, abbreviations)
