"""Which mention a quantity belongs to."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from heapq import merge

from nlp.preprocess.sections import Section
from nlp.quantities.vocabulary import read_context

_LOOSE = 80
"""Characters that may stand between a drug, or the last amount of it, and the next one."""
_FINDING = 80
"""Characters between a measure and a finding."""
_COMMA = 20
"""Characters that a comma counts for: 2 cm, gout is further than 2 cm of gout."""
_TIGHT = 48
"""Characters between a drug and an amount right beside it."""
_WORD = re.compile(r"[^\W_]+(?:\.[^\W_]+)*")
_OVERLOOKED = re.compile(r",\s{0,2}(?:and\s)?[A-Z]\w+[^,]*$")
_FORWARD = re.compile(r"[ -](?:(?:of|the|oral|iv|more|total)[ ]){0,3}(?:[^\W\d_]{2,12}[ ]of[ ])?")
_FULL_STOP = re.compile(r"\.\s+[A-Z]")
"""The end of a sentence that was not split: 3.2 cm. Gallstones."""
_ABBREVIATION = re.compile(r"(?:\b[a-z]\.\s?[a-z]\.|\b[qQ]\.|\b(?:mg|mcg|ml|tab|cap|po)\.)$")
_ITEM = re.compile(r"\n[ \t]{0,9}(?:\d{1,2}[.)]|[-•*·])[ \t]|\n[ \t]{0,9}\r?\n|;")


@dataclass
class Attacher:
    """The mentions of a text, and how far the amounts of each drug reach so far."""

    text: str
    breaks: Sequence[int]
    drugs: Sequence[tuple[int, int, int]]
    findings: Sequence[tuple[int, int, int]]
    mentions: Sequence[tuple[int, int, str]]
    reach: dict[int, int] = field(default_factory=dict)

    def drug(self, start: int, end: int, loosely: bool = False) -> tuple[int | None, bool]:
        """The drug of an amount, and whether it stands right beside it.

        It is the last one before the amount in the same clause, unless the next one follows at
        once: 81 mg aspirin, two puffs of albuterol. A drug that has an amount takes another one
        only where nothing else stands between, since a drug may have been overlooked there; how
        often and how long, looked for ``loosely``, may stand behind other words, but no comma.
        """
        before = bisect_left(self.drugs, (start,)) - 1
        behind: int | None = None
        gap = ""
        if before >= 0 and self.drugs[before][1] <= start:
            first, last, mention = self.drugs[before]
            reach = max(last, self.reach.get(mention, 0))
            if reach <= start <= reach + _LOOSE and self._clause(first) == self._clause(start):
                behind, gap = mention, self.text[reach:start]
        tight = behind is not None and len(gap) <= _TIGHT and _is_tight(gap)
        if not tight or "," in gap:
            ahead = self._ahead(before + 1, end, tight)
            if ahead is not None:
                return ahead, True
        if not tight and (_OVERLOOKED.search(gap) or behind in self.reach):
            behind = behind if loosely and "," not in gap else None
        return behind, tight

    def take(self, mention: int | None, end: int) -> None:
        """Note that an amount of the drug ends there."""
        if mention is not None:
            self.reach[mention] = end

    def finding(self, start: int, end: int) -> int | None:
        """The nearest finding in the same clause, the following one where both are as near."""
        index = bisect_right(self.findings, (start,))
        found: tuple[int, int] | None = None
        for near in (index, index - 1):
            if not 0 <= near < len(self.findings):
                continue
            first, last, mention = self.findings[near]
            gap = max(first - end, start - last)
            if gap > _FINDING or self._clause(first) != self._clause(start):
                continue
            between = self.text[end:first] if first >= end else self.text[last:start]
            if not read_context().parting.isdisjoint(between.lower().split()):
                continue
            if _FULL_STOP.search(self.text, min(end, last), max(first, start) + 1):
                continue
            gap += _COMMA * between.count(",")
            found = min(found or (gap, mention), (gap, mention), key=lambda pair: pair[0])
        return found[1] if found else None

    def gap(self, mention: int, start: int) -> str:
        """What stands between a drug, or the last amount of it, and ``start``."""
        return self.text[max(self.mentions[mention][1], self.reach.get(mention, 0)) : start]

    def overlapping(self, start: int, end: int) -> int | None:
        """The mention that shares most characters with a range."""
        index = bisect_left(self.mentions, (start,))
        best, most = None, 0
        for near in range(max(0, index - 2), min(len(self.mentions), index + 3)):
            first, last, _ = self.mentions[near]
            shared = min(end, last) - max(start, first)
            if shared > most:
                best, most = near, shared
        return best

    def _ahead(self, index: int, end: int, tight: bool) -> int | None:
        if index >= len(self.drugs):
            return None
        first, last, mention = self.drugs[index]
        gap = self.text[end:first] if end < first <= end + 32 else ""
        if not _FORWARD.fullmatch(gap) or self._clause(first) != self._clause(end - 1):
            return None
        # Norvasc, 10 mg carvedilol 25 mg: what follows has an amount of its own.
        own = self.text[last : last + 3].lstrip()[:1].isdigit()
        return None if own and " of " not in gap and tight else mention

    def _clause(self, position: int) -> int:
        return bisect_right(self.breaks, position)


def make_attacher(
    text: str,
    sentences: Sequence[tuple[int, int]],
    sections: Sequence[Section],
    mentions: Sequence[tuple[int, int, str]],
) -> Attacher:
    """An attacher for a text; a clause ends with a sentence, a section or an item of a list."""
    context = read_context()
    drugs: list[tuple[int, int, int]] = []
    findings: list[tuple[int, int, int]] = []
    for mention, (start, end, label) in enumerate(mentions):
        if (name := label.casefold()) in context.drug_labels:
            # Metoprolol succinate may be two mentions; its amounts are those of the first.
            is_salt = text[start:end].lower() in context.salts
            if drugs and is_salt and text[drugs[-1][1] : start] == " ":
                drugs[-1] = (drugs[-1][0], end, drugs[-1][2])
            else:
                drugs.append((start, end, mention))
        elif name in context.finding_labels:
            findings.append((start, end, mention))
    breaks = merge(
        _sentence_starts(text, sentences),
        (section.start_char for section in sections),
        (match.start() for match in _ITEM.finditer(text)),
    )
    return Attacher(text, list(breaks), sorted(drugs), sorted(findings), mentions)


def _sentence_starts(text: str, sentences: Sequence[tuple[int, int]]) -> list[int]:
    """Starts of sentences but those that only seem to be some: 10 mg p.o. | daily, ..."""
    starts, last = [], 0
    for start, end in sentences:
        continues = text[start].islower() or _ABBREVIATION.search(text, max(0, last - 8), last)
        if not continues:
            starts.append(start)
        last = end
    return starts


def _is_tight(gap: str) -> bool:
    if any(sign in gap for sign in ".;\n") and not re.fullmatch(r"(?:[^.;\n]|\b\w\.\w\.?)*", gap):
        return False
    words = read_context().drug_words
    return all(word.lower() in words for word in _WORD.findall(gap))
