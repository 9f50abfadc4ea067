"""Names of persons: after titles and labels, before credentials, of relatives, and again later."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from nlp.privacy.eponyms import is_eponym, names_a_thing
from nlp.privacy.finding import Finding
from nlp.privacy.known_names import find_known
from nlp.privacy.name_shapes import NameShapes, hyphenated, name_finding
from nlp.privacy.phrases import PhraseIndex
from nlp.privacy.rules import read_rules, word_set
from nlp.privacy.words import Words

_AFTER_LABEL = re.compile(
    r"(?:\(s\)|s)?(?:[ \t]+name)?[ \t]{0,3}"
    r"(?:(?::|=|\||-{1,2}|–)[ \t]{0,8}(?:\n[ \t]{0,4})?|(?:is|was)[ \t]+|[ \t]+(?=by\b))"
)
_BY = re.compile(r"[ \t]{0,2}:?[ \t]{0,2}")
_SUBJECT = re.compile(
    r"(?:\s(?:is|was)|,)\s+an?\s+(?:[\w\-]+,?\s+){0,4}?\d{1,3}[\s\-]{0,2}"
    r"(?:years?|yrs?|y[./]?\s?o|months?|weeks?|days?)\b"
)
_AFTER_TITLE = frozenset({" ", ". ", ".", "  ", ".  ", "./", ".\n", "\n"})
_LAST_FIRST = re.compile(r",\s{1,2}")


class NameFinder:
    """Rules of names."""

    def __init__(self) -> None:
        """Read the lists."""
        rules = read_rules()["names"]
        self._shapes = NameShapes()
        self._titles = word_set("names", "titles")
        self._weak_titles = word_set("names", "weak_titles")
        self._labels = PhraseIndex((label, label.endswith(" by")) for label in rules["labels"])
        self._relations = word_set("names", "relations")
        self._roles = word_set("names", "roles")
        self._credential = _credentials(rules["strong_credentials"], rules["weak_credentials"])
        self._weak = frozenset(rules["weak_credentials"])
        self._not_a_person = PhraseIndex(((p, None) for p in rules["not_a_person"]), same_case=True)

    def find(self, words: Words) -> list[Finding]:
        """Names of the text, in no order, without those that only stand there again."""
        nobody = {start for start, _, _ in self._not_a_person.find(words)}
        return [
            *self._after_titles(words, nobody),
            *self._after_labels(words),
            *self._before_credentials(words),
            *self._subjects(words),
            *find_known(words, self._shapes),
        ]

    def _after_titles(self, words: Words, nobody: set[int]) -> Iterator[Finding]:
        for index, lower in enumerate(words.lowers[:-1]):
            if lower in self._titles:
                weak = False
            elif lower in self._weak_titles or lower in self._relations or lower in self._roles:
                weak = True
            else:
                continue
            if words.starts[index] in nobody:
                continue
            gap = words.gap(index)
            if weak:
                yield from self._after_weak(words, index, gap)
            elif gap in _AFTER_TITLE:
                yield from self._after_title(words, index, gap)

    def _after_title(self, words: Words, index: int, gap: str) -> Iterator[Finding]:
        """After Dr., MR. or dr: what follows is a name, or at least may be one."""
        title, following = words.word(index), index + 1
        if title[0].islower():
            lower = words.lowers[following]
            stopped = gap.startswith(".") or title == "dr"
            if stopped and self._shapes.is_rare(words, following) and len(lower) > 1:
                yield name_finding(words, following, following, "title_lower", 0.6)
            return
        rare = self._shapes.is_rare(words, following) and not is_eponym(words, following)
        if title.isupper() and "." not in gap and words.word(following).isupper() and not rare:
            return  # MR ANGIOGRAPHY
        last = self._shapes.forward(words, following, after_title=True)
        if last is not None:
            yield name_finding(words, following, last, "title", 0.9)

    def _after_weak(self, words: Words, index: int, gap: str) -> Iterator[Finding]:
        """After relations, roles and titles that are words: a name must look like one."""
        lower, following = words.lowers[index], index + 1
        relation = lower in self._relations
        if gap not in ({" ", ", ", " ("} if relation else {" ", ", "}):
            return
        if words.word(following).islower():
            if gap == " " and words.lowers[following] in self._shapes.unmistakable:
                yield name_finding(
                    words, following, self._last_in_lower(words, following), "lower", 0.6
                )
            return
        last = self._shapes.forward(words, following, surely=relation)
        surname = words.lowers[following] in self._shapes.word_surnames
        if last is None and lower in self._weak_titles and surname and gap == " ":
            last = following if words.word(following).istitle() else None
        if last is None or names_a_thing(words, following):
            return
        titled = lower in self._weak_titles and words.is_capitalised(index) and gap == " "
        given = words.lowers[following] in self._shapes.any_given
        known = titled or given or not is_eponym(words, following)
        if relation and known:
            yield name_finding(words, following, last, "relation", 0.7)
        elif titled or (
            lower in self._roles and (given or self._two_names(words, following, last))
        ):
            yield name_finding(words, following, last, "role", 0.7)

    def _last_in_lower(self, words: Words, first: int) -> int:
        """Index of the last word of a name in lower case that begins with a given name."""
        second = first + 1
        rare = (
            second < len(words) and words.gap(first) == " " and self._shapes.is_rare(words, second)
        )
        return second if rare else first

    def _two_names(self, words: Words, first: int, last: int) -> bool:
        """Whether it is two words or more, none of them a thing's name or in capitals."""
        return last > first and all(
            words.word(i).istitle() and not is_eponym(words, i) for i in (first, first + 1)
        )

    def _after_labels(self, words: Words) -> Iterator[Finding]:
        text = words.text
        for _, end, by in self._labels.find(words):
            between = (_BY if by else _AFTER_LABEL).match(text, end)
            if between is None:
                continue
            at = words.at(between.end())
            if at < len(words) and words.starts[at] != between.end():
                continue
            if at < len(words) and words.lowers[at] in self._titles:
                continue  # the title's own rule does it
            verb = between.group().strip() in {"is", "was"}
            if verb and at < len(words) and words.word(at).isupper():
                continue  # the patient was NPO
            yield from self._labelled(words, at)

    def _labelled(self, words: Words, at: int) -> Iterator[Finding]:
        last = self._shapes.forward(words, at, surely=True)
        if last is None:
            if not self._is_surname_first(words, at):
                return
            last = at
        last = hyphenated(words, last)
        word = words.word(at)
        if (
            last == at
            and word.isupper()
            and len(word) <= 4
            and not self._shapes.is_listed(words, at)
        ):
            return  # Patient: NKDA
        yield name_finding(words, at, last, "label", 0.85)
        if last + 1 < len(words) and _LAST_FIRST.fullmatch(words.gap(last)):
            further = self._shapes.forward(words, last + 1)
            credential = self._credential.match(words.text, words.starts[last + 1] - 2)
            if further is not None and credential is None:
                yield name_finding(words, last + 1, further, "label", 0.85)

    def _is_surname_first(self, words: Words, at: int) -> bool:
        """Whether a surname that is a word stands before a given name: Brown, Heather."""
        if at >= len(words) or not words.is_capitalised(at):
            return False
        last = hyphenated(words, at)
        return (
            last + 1 < len(words)
            and words.gap(last) == ", "
            and (
                words.lowers[last + 1] in self._shapes.any_given
                or (
                    words.lowers[at] in self._shapes.word_surnames
                    and self._shapes.is_name_word(words, last + 1)
                )
            )
        )

    def _before_credentials(self, words: Words) -> Iterator[Finding]:
        text = words.text
        for match in self._credential.finditer(text):
            comma = "," in match["gap"]
            weak = match["credential"] in self._weak
            if weak and not comma:
                continue
            last = words.at(match.start()) - 1
            if last < 0 or text[words.ends[last] : match.start()] not in {"", "."}:
                continue
            first = self._shapes.backward(words, last)
            if first is None or names_a_thing(words, last):
                continue
            if first == last and (weak or len(words.word(last)) < 3):
                continue
            if not comma and first == last and words.lowers[first] not in self._shapes.given:
                continue
            yield name_finding(words, first, last, "credential", 0.88)

    def _subjects(self, words: Words) -> Iterator[Finding]:
        for match in _SUBJECT.finditer(words.text):
            last = words.at(match.start()) - 1
            if last < 0 or words.ends[last] != match.start():
                continue
            first = self._shapes.backward(words, last)
            if first is not None and not is_eponym(words, last):
                yield name_finding(words, first, last, "subject", 0.8)

    def recurring(self, words: Words, known: Iterable[str]) -> Iterator[Finding]:
        """Where parts of names stand again, with a capital and as no eponym.

        Args:
            words: of the text.
            known: parts of names in lower case, as :meth:`parts` gives them.
        """
        wanted = frozenset(known)
        for index, lower in enumerate(words.lowers):
            if lower in wanted and words.is_capitalised(index) and not names_a_thing(words, index):
                yield name_finding(words, index, index, "again", 0.6)

    def parts(self, words: Words, found: Iterable[Finding]) -> set[str]:
        """Words of found names, in lower case, that are worth to be looked for again."""
        parts: set[str] = set()
        for finding in found:
            if finding.rule_id.partition(":")[2] == "given":
                continue
            index = words.at(finding.start)
            while index < len(words) and words.ends[index] <= finding.end:
                lower = words.lowers[index]
                if len(lower) > 2 and lower not in self._shapes.common:
                    parts.add(lower)
                index += 1
        return parts


def _credentials(strong: list[str], weak: list[str]) -> re.Pattern[str]:
    ordered = sorted([*strong, *weak], key=len, reverse=True)
    return re.compile(
        r"(?P<gap>,[ \t]{0,2}|[ \t]{1,2})(?P<credential>"
        + "|".join(re.escape(c) for c in ordered)
        + r")(?![\w])"
    )
