"""Places smaller than a state: streets, towns, ZIP codes, hospitals and other facilities."""

from __future__ import annotations

import re
from collections.abc import Iterator

from nlp.privacy.eponyms import names_a_thing
from nlp.privacy.finding import Finding
from nlp.privacy.phrases import PhraseIndex
from nlp.privacy.place_forms import (
    BORN_IN,
    BOX,
    FURTHER,
    LINE_END,
    MILITARY,
    SAINT,
    SAINT_LEAD,
    STREET_BEFORE,
    TOWN,
    UNIT_ALONE,
    UNIVERSITY,
    ZIP_LABEL,
    street_form,
)
from nlp.privacy.rules import common_words, read_name_lists, read_rules, word_set
from nlp.privacy.words import Words

MOST_WORDS = 4
_SHORT = frozenset({"st", "ft", "mt"})
_AFTER_LEAD_IN = frozenset({" ", "  ", " the "})
_JOINING = frozenset({"of", "and", "for", "the"})


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
        self._street = street_form(word_set("places", "strong_streets"))
        self._rare_street = street_form(word_set("places", "weak_streets"))

    def find(self, words: Words) -> Iterator[Finding]:
        """Places of the text, in no order."""
        text = words.text
        for form in (self._street, self._rare_street):
            for match in form.finditer(text):
                if form is self._rare_street and not self._is_address(words, match):
                    continue
                yield Finding(match.start(), match.end(), "location", "location:street", 0.85)
                if town := TOWN.match(text, match.end()):
                    yield Finding(*town.span("town"), "location", "location:town", 0.6)
                    yield Finding(*town.span("zip"), "location", "location:zip", 0.6)
        for pattern, rule in (
            (BOX, "box"),
            (UNIT_ALONE, "unit"),
            (MILITARY, "military"),
            (UNIVERSITY, "facility"),
        ):
            for match in pattern.finditer(text):
                yield Finding(match.start(), match.end(), "location", f"location:{rule}", 0.85)
        for match in ZIP_LABEL.finditer(text):
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
            named or LINE_END.match(words.text, match.end()) is not None
        )

    def _before_states(self, words: Words) -> Iterator[Finding]:
        text = words.text
        for match in self._state.finditer(text):
            last = words.at(match.start()) - 1
            follows = last >= 0 and words.ends[last] == match.start()
            stated = (match["state"] or match["further"]) and follows and words.is_capitalised(last)
            comma = match["comma"] and not (follows and words.word(last).islower())
            if match["zip"] and (comma or stated):
                yield Finding(*match.span("zip"), "location", "location:zip", 0.85)
            elif not match["comma"] or not match["state"]:
                continue
            if not follows:
                continue
            first = self._town(words, last, sure=bool(match["zip"]))
            if first is not None:
                yield _place(words, first, last, "town", 0.8 if match["zip"] else 0.6)

    def _town(self, words: Words, last: int, *, sure: bool) -> int | None:
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
            part = first <= last and words.lowers[first] in self._town_words  # Fall River
            if not town_word and (
                lower in self._never
                or (lower in self._common and not ((part or sure) and last - first < 1))
            ):
                break
            named = named or not town_word or first <= last
            first = before
        return first if named and first <= last else None

    def _after_lead_ins(self, words: Words) -> Iterator[Finding]:
        ends = [end for _, end, _ in self._lead_ins.find(words)]
        for end in [*ends, *(match.end() for match in BORN_IN.finditer(words.text))]:
            index = words.at(end)
            if index >= len(words) or words.text[end : words.starts[index]] not in _AFTER_LEAD_IN:
                continue
            last, named = index - 1, False
            while last + 1 < len(words) and last - index < MOST_WORDS - 1:
                following = last + 1
                if last >= index and words.gap(last) not in {" ", "-", ". "}:
                    break
                lower = words.lowers[following]
                known = lower in self._town_words and words.is_capitalised(following)
                joined = last >= index and words.gap(last) == "-"  # Port-au-Prince
                common = not known and (lower in self._common or lower in self._never)
                if not joined and (common or not words.is_capitalised(following)):
                    break
                if last >= index and words.gap(last) == ". " and words.lowers[last] not in _SHORT:
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
                if gap not in {" ", "-", "'s ", "’s ", "'S ", "’S ", "' ", ". ", " & "}:
                    break
                if gap == ". " and lower not in _SHORT:
                    break
                if not words.is_capitalised(before) and not (
                    lower in _JOINING
                    and particular
                    and before > 0
                    and words.is_capitalised(before - 1)
                ):
                    break
                surname = lower in self._surnames and not words.word(before).isupper()
                if lower in self._never and not surname and lower not in _JOINING:
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
                if further := FURTHER.match(words.text, end):
                    end = further.end()
                yield Finding(words.starts[first], end, "location", "location:facility", 0.75)

    def _saints(self, words: Words) -> Iterator[Finding]:
        text = words.text
        for match in SAINT.finditer(text):
            index = words.at(match.start("name"))
            if words.lowers[index] in self._common or names_a_thing(words, index):
                continue
            before = text[max(0, match.start() - 12) : match.start()]
            sure = match.group()[2] == "." or match.group().startswith("Saint")
            if STREET_BEFORE.search(before) or (not sure and not SAINT_LEAD.search(before)):
                continue
            end = words.ends[index]
            if text[end : end + 2] in {"'s", "’s"}:
                end += 2
            yield Finding(match.start(), end, "location", "location:saint", 0.7)


def _place(words: Words, first: int, last: int, rule: str, score: float) -> Finding:
    return Finding(words.starts[first], words.ends[last], "location", f"location:{rule}", score)
