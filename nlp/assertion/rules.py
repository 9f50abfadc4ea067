"""Assertion by rules: cues, their scopes and terminators, and defaults of sections.

After NegEx (Chapman et al. 2001, doi:10.1006/jbin.2001.1029) and ConText (Harkema et al. 2009,
doi:10.1016/j.jbi.2009.05.002). What is a cue, and how far it reaches, is data: ``rules.toml``.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence

from nlp.assertion.matching import Matcher
from nlp.assertion.result import ATTRIBUTES, PATIENT, Assertion, Assessed, Cue, Range
from nlp.assertion.rule import CATEGORIES, Value
from nlp.assertion.rule_file import SECTION_RULE, RuleSet
from nlp.assertion.scopes import Place, decide
from nlp.assertion.tokens import closing_brackets, tokenize
from nlp.preprocess.sections import innermost

_PLAIN: dict[str, Value] = {
    "negated": False,
    "uncertain": False,
    "historical": False,
    "hypothetical": False,
    "experiencer": PATIENT,
}
"""What holds where neither a cue nor the section says otherwise."""

_PLAIN_ASSERTION = Assertion(False, False, False, False, PATIENT)


Said = tuple[Value, Cue]
"""The value of an attribute, and why."""


class RuleAssessor:
    """Compiled rules; nothing else is kept between documents."""

    def __init__(self, rules: RuleSet) -> None:
        """Compile."""
        self._matcher = Matcher(rules.rules.values())
        self._defaults = {
            name: {
                attribute: (value, Cue(attribute, SECTION_RULE + name))
                for attribute, value in map(CATEGORIES.__getitem__, categories)
            }
            for name, categories in rules.sections.items()
        }

    def assess(self, documents: Sequence[Assessed]) -> list[list[Assertion]]:
        """One assertion for every mention of every document, in the order given."""
        return [self._assess(document) for document in documents]

    def _assess(self, document: Assessed) -> list[Assertion]:
        """Read each sentence that has mentions once, and no other."""
        opened = [section.start_char for section in document.sections]
        assertions = [_PLAIN_ASSERTION] * len(document.mentions)
        for sentence, indices in _by_sentence(document):
            mentions = [document.mentions[index] for index in indices]
            said = self._read(document.text, sentence, mentions, opened)
            for index, (start, _), cues in zip(indices, mentions, said, strict=True):
                within = innermost(document.sections, start)
                name = None if within is None else document.sections[within].name
                default = self._defaults.get(name) if name else None
                if cues or default:  # cues win over the section
                    assertions[index] = _assertion({**default, **cues} if default else cues)
        return assertions

    def _read(
        self, text: str, sentence: Range, mentions: Sequence[Range], opened: Sequence[int]
    ) -> list[dict[str, Said]]:
        """What the cues of a sentence say of its mentions, by attribute."""
        start, end = sentence
        tokens = tokenize(text, start, end)
        matches = self._matcher.find(tokens)
        if not matches:
            return [{} for _ in mentions]
        firsts = [token[1] for token in tokens]
        lasts = [token[2] for token in tokens]
        inside = opened[bisect_right(opened, start) : bisect_left(opened, end)]
        breaks = [bisect_left(firsts, place) for place in inside]
        places: list[Place] = [
            (bisect_right(lasts, first), bisect_left(firsts, last)) for first, last in mentions
        ]
        said: list[dict[str, Said]] = []
        for claims in decide(matches, breaks, closing_brackets(tokens), len(tokens), places):
            said.append({})
            for attribute, claim in claims.items():
                match = claim.match
                cue = Cue(attribute, match.rule.id, firsts[match.first], lasts[match.last - 1])
                said[-1][attribute] = (claim.value, cue)
        return said


def _by_sentence(document: Assessed) -> Iterable[tuple[Range, list[int]]]:
    """Sentences with the mentions that begin in them.

    A mention outside all sentences is read by itself, so that nothing of its surroundings counts.
    """
    starts = [start for start, _ in document.sentences]
    groups: dict[Range, list[int]] = {}
    for index, (start, end) in enumerate(document.mentions):
        place = bisect_right(starts, start) - 1
        inside = place >= 0 and start < document.sentences[place][1]
        groups.setdefault(document.sentences[place] if inside else (start, end), []).append(index)
    return groups.items()


def _assertion(said: Mapping[str, Said]) -> Assertion:
    """What was said, and the plain value of all else; values that are plain need no reason."""
    values = _PLAIN | {attribute: value for attribute, (value, _) in said.items()}
    cues = tuple(
        said[attribute][1]
        for attribute in ATTRIBUTES
        if attribute in said and said[attribute][0] != _PLAIN[attribute]
    )
    return Assertion(**values, cues=cues)  # type: ignore[arg-type]  # typed by CATEGORIES
