"""Synthetic notes: the rules must go on finding what they find, and leave what they leave."""

from __future__ import annotations

from collections import Counter

import pytest

from nlp.privacy.finder import Finder
from nlp.settings import PrivacySettings
from tests.nlp.privacy.notes import PARTS, write_notes


@pytest.fixture(scope="module")
def finder() -> Finder:
    return Finder(PrivacySettings(), None)


@pytest.mark.parametrize("part", PARTS)
def test_nearly_all_identifiers_of_150_notes_are_covered(finder: Finder, part: str) -> None:
    notes = write_notes(150, 5, part)
    gold: Counter[str] = Counter()
    covered: Counter[str] = Counter()
    plain = masked = 0
    for note, findings in zip(notes, finder.find([n.text for n in notes]), strict=True):
        hidden = {p for f in findings for p in range(f.start, f.end)}
        identifying = {p for start, end, _ in note.spans for p in range(start, end)}
        for start, end, kind in note.spans:
            gold[kind] += 1
            covered[kind] += all(p in hidden for p in range(start, end))
        letters = [p for p, c in enumerate(note.text) if c.isalnum() and p not in identifying]
        plain += len(letters)
        masked += sum(p in hidden for p in letters)
    assert len(gold) == 19 and sum(gold.values()) > 2_000
    assert {kind for kind in gold if covered[kind] < 0.95 * gold[kind]} == set()
    assert sum(covered.values()) > 0.98 * sum(gold.values())
    assert masked < 0.02 * plain
