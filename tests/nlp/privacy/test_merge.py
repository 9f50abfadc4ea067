"""Properties of merging and replacing: offsets of what was found."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from nlp.privacy.finding import KINDS, Finding
from nlp.privacy.masks import label_mask, same_length_mask
from nlp.privacy.merge import merge_findings
from nlp.privacy.replace import replace_findings

TEXT = st.text("ab ,.-\n", min_size=1, max_size=60)


@st.composite
def texts_and_findings(draw: st.DrawFn) -> tuple[str, list[Finding]]:
    text = draw(TEXT)
    findings = []
    for number in range(draw(st.integers(0, 8))):
        start = draw(st.integers(0, len(text)))
        end = draw(st.integers(start, len(text)))
        kind = draw(st.sampled_from(KINDS[:4]))
        findings.append(Finding(start, end, kind, f"r{number}", draw(st.sampled_from([0.1, 0.5]))))
    return text, findings


def covered(findings: list[Finding]) -> set[int]:
    return {position for f in findings for position in range(f.start, f.end)}


@given(texts_and_findings())
def test_merged_findings_are_disjoint_and_cover_all(given: tuple[str, list[Finding]]) -> None:
    text, findings = given
    merged = merge_findings(text, findings)
    assert all(a.end <= b.start for a, b in pairwise(merged))
    assert covered(findings) <= covered(merged)
    beyond = covered(merged) - covered(findings)
    assert all(text[position] in " ,.-" for position in beyond)


@given(texts_and_findings(), st.randoms())
def test_the_order_of_findings_does_not_matter(
    given: tuple[str, list[Finding]], random: object
) -> None:
    text, findings = given
    shuffled = sorted(findings, key=lambda f: f.rule_id, reverse=True)
    merged, again = merge_findings(text, findings), merge_findings(text, shuffled)
    assert [(f.start, f.end, f.kind) for f in merged] == [(f.start, f.end, f.kind) for f in again]


@given(texts_and_findings())
def test_merging_twice_changes_nothing(given: tuple[str, list[Finding]]) -> None:
    text, findings = given
    merged = merge_findings(text, findings)
    assert merge_findings(text, merged) == merged


def test_the_strongest_gives_the_kind_and_nothing_stays_uncovered() -> None:
    weak, strong = Finding(0, 8, "date", "a", 0.5), Finding(4, 10, "phone", "b", 0.9)
    assert merge_findings("0123456789", [weak, strong]) == [Finding(0, 10, "phone", "b", 0.9)]


def test_names_side_by_side_are_one() -> None:
    names = [Finding(0, 3, "name", "a", 0.5), Finding(5, 8, "name", "b", 0.6)]
    (one,) = merge_findings("Doe, Ann", names)
    assert (one.start, one.end) == (0, 8)
    assert len(merge_findings("Doe; Ann", names)) == 2


@given(texts_and_findings(), st.data())
def test_replacing_keeps_the_rest_and_moves_ranges(
    given: tuple[str, list[Finding]], data: st.DataObject
) -> None:
    text, findings = given
    merged = merge_findings(text, findings)
    new = replace_findings(text, merged, label_mask)
    assert [new.text[s.start : s.end] for s in new.spans] == [
        label_mask(f.kind, "") for f in merged
    ]
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    moved = new.text[new.start(start) : new.end(end)]
    kept = [p for p in range(start, end) if p not in covered(merged)]
    expected = "".join(text[p] for p in kept)
    for finding in merged:
        moved = moved.replace(label_mask(finding.kind, ""), "")
    assert moved == expected


@given(texts_and_findings())
def test_masks_of_the_same_length_move_nothing(given: tuple[str, list[Finding]]) -> None:
    text, findings = given
    merged = merge_findings(text, findings)
    new = replace_findings(text, merged, same_length_mask)
    assert len(new.text) == len(text)
    assert [(s.start, s.end) for s in new.spans] == [(f.start, f.end) for f in merged]
    assert new.text.count("\n") == text.count("\n")
