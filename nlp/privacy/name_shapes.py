"""What a person's name looks like: walks from word to word, forward and backward."""

from __future__ import annotations

from nlp.privacy.finding import Finding
from nlp.privacy.rules import common_words, given_names, read_name_lists, word_set
from nlp.privacy.words import HYPHENS, Words

MOST_WORDS = 4
"""Words of one name at most, particles aside."""


class NameShapes:
    """Tells words of names from others by their form and by lists."""

    def __init__(self) -> None:
        """Read the lists."""
        lists = read_name_lists()
        self.given = given_names()
        self.unmistakable = self.given - frozenset(name.lower() for name in lists["ambiguous"])
        self.any_given = self.given | frozenset(name.lower() for name in lists["ambiguous"])
        self.surnames = frozenset(name.lower() for name in lists["surnames"])
        self.word_surnames = frozenset(name.lower() for name in lists["word_surnames"])
        self.particles = word_set("names", "particles")
        self.suffixes = word_set("names", "suffixes")
        self.common = common_words()
        self.never = word_set("names", "never")
        self.never_after_title = word_set("names", "never_after_title")
        self.titles = word_set("names", "titles")

    def is_listed(self, words: Words, index: int) -> bool:
        """Whether it is a name of the lists."""
        lower = words.lowers[index]
        return lower in self.any_given or lower in self.surnames or lower in self.word_surnames

    def is_rare(self, words: Words, index: int) -> bool:
        """Whether it is a word of letters that is in no list of the language."""
        lower = words.lowers[index]
        return (
            lower.isalpha()
            and lower not in self.common
            and lower not in self.never
            and lower not in self.titles
        )

    def is_name_word(self, words: Words, index: int) -> bool:
        """Whether the word may be part of a name: it has a capital and no other use."""
        if not words.is_capitalised(index):
            return False
        lower = words.lowers[index]
        if len(lower) == 1:
            return False
        return lower in self.any_given or (lower not in self.common and lower not in self.never)

    def forward(
        self, words: Words, index: int, *, after_title: bool = False, surely: bool = False
    ) -> int | None:
        """Index of the last word of a name that begins at a word; None where there is none.

        After a title the first word may be any with a capital: Dr. Young, Mr. X, Dr. ABC. Where
        there surely is a name, its second word may be one of the language.
        """
        if index >= len(words):
            return None
        first = self._skip(words, index)
        if after_title:
            blocked = words.lowers[first] in self.never_after_title
            if (
                blocked and not self._is_initial_with_stop(words, first)
            ) or not words.is_capitalised(first):
                return None
        elif not (self.is_name_word(words, first) or words.is_initial(first)):
            return None
        last, count = first, 1
        capitals = words.word(first).isupper() and len(words.word(first)) > 1
        while last + 1 < len(words) and count < MOST_WORDS:
            if not self._touches(words, last, initial=words.is_initial(last)):
                break
            following = self._skip(words, last + 1)
            lower = words.lowers[following]
            if lower in self.suffixes and words.word(following)[0].isupper():
                last = following
                break
            if not (self.is_name_word(words, following) or words.is_initial(following)):
                if self._is_common_surname(words, first, last, following, after_title=after_title):
                    last, count = following, count + 1
                    if words.gap(following) in HYPHENS:
                        continue  # Ann White-Jones
                break
            if (
                words.is_initial(following)
                and lower in {"i", "a"}
                and "." not in words.gap(following)
            ):
                break  # Dr. Smith. I saw, Mr. Smith A
            if capitals and after_title and not self._goes_on_in_capitals(words, last):
                break
            last, count = following, count + 1
        if not after_title and words.is_initial(last) and last == first:
            return None
        return last

    def backward(self, words: Words, index: int) -> int | None:
        """Index of the first word of a name that ends at a word; None where there is none."""
        if index < 0 or not (
            self.is_name_word(words, index) or (index > 0 and self._ends_a_name(words, index))
        ):
            return None
        first, count = index, 1
        while first > 0 and count < MOST_WORDS:
            before = first - 1
            gap = words.gap(before)
            initial = words.is_initial(before)
            if gap != " " and gap not in HYPHENS and not (initial and gap in {". ", "."}):
                break
            if words.lowers[before] in self.particles and first - 2 >= 0:
                first = before
                continue
            if not (self.is_name_word(words, before) or initial):
                break
            first, count = before, count + 1
        while first < index and words.lowers[first] in self.particles:
            if words.is_capitalised(first):
                break
            first += 1
        return first

    def _is_common_surname(
        self, words: Words, first: int, last: int, index: int, *, after_title: bool
    ) -> bool:
        """Whether a word of the language is a surname here: Ann T. Young, Jennifer Young."""
        word, lower = words.word(index), words.lowers[index]
        if not word.istitle() or len(word) < 3:
            return False
        given = words.lowers[first]
        if lower in self.word_surnames:
            return given in self.any_given or (after_title and words.is_initial(last))
        if lower in self.never:
            return False
        return given in self.unmistakable or (given in self.any_given and words.is_initial(last))

    def _ends_a_name(self, words: Words, index: int) -> bool:
        """Whether a suffix or a word of the language ends a name: John Smith Jr, Ann T. Young."""
        before = index - 1
        if words.lowers[index] in self.suffixes:
            return self.is_name_word(words, before)
        lower = words.lowers[index]
        if not words.word(index).istitle() or (
            lower in self.never and lower not in self.word_surnames
        ):
            return False
        initial = before > 0 and self._is_initial_with_stop(words, before)
        first = before - 1 if initial else before
        return words.gap(before) in {" ", ". "} and words.lowers[first] in self.any_given

    def _is_initial_with_stop(self, words: Words, index: int) -> bool:
        return words.is_initial(index) and words.gap(index).startswith(".")

    def _skip(self, words: Words, index: int) -> int:
        """The first word at or behind index that is no particle; particles touch each other."""
        ahead = index
        while (
            ahead < index + 3
            and ahead + 1 < len(words)
            and words.lowers[ahead] in self.particles
            and words.gap(ahead) in {" ", "-", "'", "’", ". "}
        ):
            ahead += 1
        return ahead if ahead == index or words.is_capitalised(ahead) else index

    def _touches(self, words: Words, index: int, *, initial: bool) -> bool:
        """Whether only a space, a hyphen or an initial's full stop parts it from the next."""
        gap = words.gap(index)
        return (
            gap == " "
            or gap in HYPHENS
            or (initial and gap in {". ", "."})
            or (gap == ", " and words.lowers[index + 1] in self.suffixes)
        )

    def _goes_on_in_capitals(self, words: Words, index: int) -> bool:
        return words.is_initial(index) or words.lowers[index] in self.any_given


def name_finding(words: Words, first: int, last: int, rule: str, score: float) -> Finding:
    """The words first to last as a name, with what hyphens join to it."""
    for _ in range(MOST_WORDS):
        if not (first > 0 and _joins(words, first - 1) and words.is_capitalised(first - 1)):
            break
        first -= 1
    last = hyphenated(words, last)
    end = words.ends[last]
    if last > first and words.is_initial(last) and words.text[end : end + 1] == ".":
        end += 1  # Smith, John Q.
    return Finding(words.starts[first], end, "name", f"name:{rule}", score)


def hyphenated(words: Words, last: int) -> int:
    """Index of the last word that hyphens join to a word, with a capital: Smith-Jones."""
    for _ in range(MOST_WORDS):
        if not (last + 1 < len(words) and _joins(words, last) and words.is_capitalised(last + 1)):
            break
        last += 1
    return last


def _joins(words: Words, index: int) -> bool:
    """Whether a hyphen alone parts the word from the next, and both are no single letters."""
    return words.gap(index) in HYPHENS and not (
        words.is_initial(index) or words.is_initial(index + 1)
    )
