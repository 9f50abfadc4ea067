"""Places smaller than a state: streets, towns, ZIP codes, hospitals and other facilities."""

from __future__ import annotations

import re
from collections.abc import Iterator

from nlp.privacy.eponyms import names_a_thing
from nlp.privacy.finding import Finding
from nlp.privacy.phrases import PhraseIndex
from nlp.privacy.rules import common_words, read_name_lists, read_rules, word_set
from nlp.privacy.words import Words

_UNIT = r"(?:,?\s{1,2}(?:Apt|Apartment|Suite|Ste|Unit|Floor|Rm|Room|Box|#)\.?\s?#?\s?[\w\-]{1,6}\b)"
_BOX = re.compile(r"\bP\.?\s?O\.?\s?Box:?\s{0,2}#?\s{0,2}\d{1,6}\b|\bPSC \d+", re.IGNORECASE)
_UNIT_ALONE = re.compile(r"\b(?:Apt|Apartment)\.?\s?#?\s?\d{1,5}[A-Za-z]?\b")
_ZIP_LABEL = re.compile(
    r"\b(?:zip(?:\s?code)?|postal\s?code|postcode)\b[\s:#]{0,3}(?P<zip>\d{5}(?:-\d{4})?)(?!\d)",
    re.IGNORECASE,
)
_SAINT = re.compile(
    r"\b(?:St\.|St|Saint|ST\.)\s(?P<name>[A-Z][a-z]+(?:\s[A-Z][a-z]+)?)(?:['’]s)?(?=[\s.,;:)]|$)"
)
_SAINT_LEAD = re.compile(r"\b(?:at|to|from|in|near|of)\s(?:the\s)?$")
_LINE_END = re.compile(r",?\s{0,2}(?:\n|[A-Z][\w .]{0,30},? [A-Z]{2},? \d{5}|,\s[A-Z])")
_BORN_IN = re.compile(r"\bborn\b[^.;\n]{3,40}?\s(?:in|at)\b(?=\s[A-Z])")
_MILITARY = re.compile(r"\b(?:USNS|USS|USNV|DPO|FPO|APO|Unit \d+ Box)\s[^\n]{0,40}?\b\d{5}\b")
MOST_WORDS = 4


class PlaceFinder:
    """Rules of places."""

    def __init__(self) -> None:
        """Read the lists."""
        rules = read_rules()["places"]
        self._states = frozenset(s.lower() for s in rules["states"])
        self._countries = word_set("places", "countries")
        self._town_words = word_set("places", "town_words")
        self._general = word_set("places", "general")
        self._common = common_words()
        self._never = word_set("names", "never")
        self._surnames = frozenset(name.lower() for name in read_name_lists()["word_surnames"])
        self._lead_ins = PhraseIndex((phrase, None) for phrase in rules["lead_ins"])
        self._always = PhraseIndex(((p, None) for p in rules["always"]), same_case=True)
        self._facilities = PhraseIndex(
            [
                *((p, True) for s in rules["strong_facilities"] for p in {s, s.upper()}),
                *((p, False) for s in rules["weak_facilities"] for p in {s, s.upper()}),
            ],
            same_case=True,
        )
        codes = "|".join(word_set("places", "codes"))
        further = "|".join(word_set("places", "further_codes"))
        states = "|".join(sorted(rules["states"], key=len, reverse=True))
        self._state = re.compile(
            rf"(?P<comma>,?)\s{{1,3}}(?:(?P<state>{codes}|{states})(?![\w\-])"
            rf"|(?P<further>{further})(?=,?\s\d)|[A-Z]{{2}}(?=,?\s\d))"
            rf"(?:,?\s{{1,4}}(?P<zip>\d{{5}}(?:-\d{{4}})?)(?![\w\-]))?"
        )
        self._street = _street(
            word_set("places", "strong_streets"), word_set("places", "weak_streets")
        )

    def find(self, words: Words) -> Iterator[Finding]:
        """Places of the text, in no order."""
        text = words.text
        for match in self._street.finditer(text):
            if match["weak"] is None or self._is_address(words, match):
                yield Finding(match.start(), match.end(), "location", "location:street", 0.85)
        for pattern, rule in ((_BOX, "box"), (_UNIT_ALONE, "unit"), (_MILITARY, "military")):
            for match in pattern.finditer(text):
                yield Finding(match.start(), match.end(), "location", f"location:{rule}", 0.85)
        for match in _ZIP_LABEL.finditer(text):
            yield Finding(*match.span("zip"), "location", "location:zip", 0.85)
        yield from self._before_states(words)
        yield from self._after_lead_ins(words)
        yield from self._facility_names(words)
        yield from self._saints(words)
        for start, end, _ in self._always.find(words):
            if not names_a_thing(words, words.at(end) - 1):
                yield Finding(start, end, "location", "location:list", 0.65)

    def _is_address(self, words: Words, match: re.Match[str]) -> bool:
        """Whether a number and words that end in a rare street word are an address."""
        index = words.at(match.start()) + 1
        named = words.lowers[index] not in self._common
        return len(match["number"]) >= 3 and (
            named or _LINE_END.match(words.text, match.end()) is not None
        )

    def _before_states(self, words: Words) -> Iterator[Finding]:
        text = words.text
        for match in self._state.finditer(text):
            last = words.at(match.start()) - 1
            follows = last >= 0 and words.ends[last] == match.start()
            stated = (match["state"] or match["further"]) and follows and words.is_capitalised(last)
            if match["zip"] and (match["comma"] or stated):
                yield Finding(*match.span("zip"), "location", "location:zip", 0.85)
            elif not match["comma"] or not match["state"]:
                continue
            if not follows:
                continue
            first = self._town(words, last)
            if first is not None:
                yield _place(words, first, last, "town", 0.8 if match["zip"] else 0.6)

    def _town(self, words: Words, last: int) -> int | None:
        """First word of a town's name that ends at a word: at least one word of it is no other."""
        first, named = last + 1, False
        while first > 0 and last - first < MOST_WORDS - 1:
            before = first - 1
            if first <= last and words.gap(before) not in {" ", "-", ". "}:
                break
            if (
                first <= last
                and words.gap(before) == ". "
                and words.lowers[before]
                not in {
                    "st",
                    "ft",
                    "mt",
                }
            ):
                break
            if not words.is_capitalised(before):
                break
            lower = words.lowers[before]
            town_word = lower in self._town_words
            if not town_word and (lower in self._common or lower in self._never):
                break
            named = named or not town_word or first <= last
            first = before
        return first if named and first <= last else None

    def _after_lead_ins(self, words: Words) -> Iterator[Finding]:
        ends = [end for _, end, _ in self._lead_ins.find(words)]
        for end in [*ends, *(match.end() for match in _BORN_IN.finditer(words.text))]:
            index = words.at(end)
            if index >= len(words) or words.text[end : words.starts[index]] not in {
                " ",
                " the ",
                "  ",
            }:
                continue
            last, named = index - 1, False
            while last + 1 < len(words) and last - index < MOST_WORDS - 1:
                following = last + 1
                if last >= index and words.gap(last) not in {" ", "-", ". "}:
                    break
                lower = words.lowers[following]
                known = lower in self._town_words and words.is_capitalised(following)
                if not words.is_capitalised(following) or (
                    not known and (lower in self._common or lower in self._never)
                ):
                    break
                if (
                    last >= index
                    and words.gap(last) == ". "
                    and words.lowers[last]
                    not in {
                        "st",
                        "ft",
                        "mt",
                    }
                ):
                    break
                named = named or not known or last >= index
                last = following
            if last < index or not named:
                continue
            whole = words.text[words.starts[index] : words.ends[last]].lower()
            if whole in self._states or words.lowers[index] in self._countries:
                continue
            if not names_a_thing(words, index):
                yield _place(words, index, last, "lead_in", 0.6)

    def _facility_names(self, words: Words) -> Iterator[Finding]:
        for start, end, strong in self._facilities.find(words):
            index = words.at(start)
            first, particular = index, False
            while first > 0 and index - first < MOST_WORDS + 1:
                before = first - 1
                gap, lower = words.gap(before), words.lowers[before]
                if gap not in {" ", "-", "'s ", "’s ", "' ", ". "}:
                    break
                if gap == ". " and lower not in {"st", "mt", "ft"}:
                    break
                if not words.is_capitalised(before) and not (
                    lower in {"of", "and", "for", "the"}
                    and particular
                    and before > 0
                    and words.is_capitalised(before - 1)
                ):
                    break
                if lower in self._never and lower not in {"of", "and", "for", "the"}:
                    break
                word = words.word(before)
                plain = lower in self._general or (
                    lower in self._common
                    and (word.isupper() or not (strong or lower in self._surnames))
                )
                if plain and not strong and before == index - 1:
                    break  # Disease Research Group
                particular = particular or not plain
                first = before
            while first < index and (
                words.lowers[first] in {"the", "our", "a", "an", "at", "of", "and", "for", "in"}
            ):
                first += 1
            if first < index and particular:
                yield Finding(words.starts[first], end, "location", "location:facility", 0.75)

    def _saints(self, words: Words) -> Iterator[Finding]:
        text = words.text
        for match in _SAINT.finditer(text):
            index = words.at(match.start("name"))
            if words.lowers[index] in self._common or names_a_thing(words, index):
                continue
            before = text[max(0, match.start() - 12) : match.start()]
            sure = match.group()[2] == "." or match.group().startswith("Saint")
            if not sure and not _SAINT_LEAD.search(before):
                continue
            end = words.ends[index]
            if text[end : end + 2] in {"'s", "’s"}:
                end += 2
            yield Finding(match.start(), end, "location", "location:saint", 0.7)


def _place(words: Words, first: int, last: int, rule: str, score: float) -> Finding:
    return Finding(words.starts[first], words.ends[last], "location", f"location:{rule}", score)


def _street(strong: frozenset[str], weak: frozenset[str]) -> re.Pattern[str]:
    strong_words = "|".join(sorted(strong, key=len, reverse=True))
    weak_words = "|".join(sorted(weak, key=len, reverse=True))
    name = r"(?:[A-Z][\w'’\-]*\.?\s{1,2}|\d{1,3}(?:st|nd|rd|th)\s{1,2})"
    return re.compile(
        rf"(?<![\w/.\-])(?P<number>\d{{1,6}}(?:-\d{{1,4}})?[A-Z]?)\s{{1,2}}{name}{{1,4}}?"
        rf"(?:(?:(?i:{strong_words}))|(?P<weak>(?i:{weak_words})))\b\.?(?![a-z])"
        rf"{_UNIT}{{0,2}}"
    )
