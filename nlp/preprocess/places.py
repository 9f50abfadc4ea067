"""Where the letters of a short form may stand in a text, and what each place costs.

A word's first letter costs nothing; the less likely it is that a writer meant a letter, the more it
costs. They were set by hand on abstracts of MED1250 (the set that Ab3P was judged by), at first
those with odd PMIDs, then a few with even ones; ``benchmarks/abbreviations.py`` shows both.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from nlp.preprocess.brackets import BRACKET
from nlp.preprocess.letters import NEVER, folded

_PART_START = 0.2
"""First letter after a hyphen, slash or bracket."""
_HUMP_START = 0.3
"""Where letters turn to figures or capitals: the 6 of IL6, the K of MuSK."""
_STEM_START = 0.6
"""Where a combining form of Greek or Latin begins within a word: tri|glyceride."""
_SAME_WORD = 1.0
"""Elsewhere in a word that has given a letter."""
_OTHER_WORD_STEM = 1.5
"""Where a combining form begins, in a word that has not given its first letter."""
_OTHER_WORD = 3.0
"""Elsewhere in such a word."""

# Words that give no letter: between those that do, and after the last one.
_PASS_STOP_WORD = 0.15
_PASS_PART = 0.5
_PASS_WORD = 1.3
_PASS_BRACKET = 1.5
_TRAILING_WORD = 1.6
_TRAILING_STOP_WORD = 3.0
_LONGEST_TRAIL = 3.1
"""More than this after the last letter is no long form, whatever its letters cost."""

_STOP_WORD_FIRST = 1.5
"""Cost of beginning with a stop word."""

_WORDS_PASSED = """
    a an and are as at by de during for from her his in into is its la of on or our over per than
    that the their these this those to under upon via was were which with within without
"""
_STOP_WORDS = frozenset(_WORDS_PASSED.split())
_SELDOM_FIRST = _STOP_WORDS - {"in"}  # in situ hybridization

_NUMBERS = {
    **{"one": "1", "first": "1", "mono": "1", "single": "1", "uni": "1"},
    **{"two": "2", "second": "2", "di": "2", "bi": "2", "double": "2", "twice": "2", "ii": "2"},
    **{"three": "3", "third": "3", "tri": "3", "triple": "3", "iii": "3"},
    **{"four": "4", "tetra": "4", "quadr": "4", "five": "5", "fifth": "5", "pent": "5"},
    **{"six": "6", "hex": "6", "seven": "7", "eight": "8", "nine": "9", "nint": "9"},
}
_NUMBER = re.compile("|".join(sorted(_NUMBERS, key=len, reverse=True)))
_SYMBOLS = {
    **{"positive": "+", "negative": "-", "current": "i", "currents": "i"},
    **{"extracellular": "o", "concentration": "[", "concentrations": "["},
}
"""Words whose sign is not their first letter."""
_SURGICAL = "ectom"
"""Written x, as in ovariectomized (OVX)."""

STAND_INS = frozenset("x+-") | frozenset(_SYMBOLS.values())
"""Letters and signs that a text may hold under another name."""

_STEMS = """
    acetyl adren amin angi arteri arthr aspart benz blast bol brom bronch carb cardi cephal chem
    chlor chol chondr chrom cocc cort crine cycl cyt derm dipine dopa encephal enter epine erg
    esophag esteras ethyl fibr fluor gastr genic genit gest glob gluc glyc gonad gram graph
    hepat hist hydr hyp immun intestin itis kinas lact leuk ligament lip lymph lys malac mening
    metab meth metr morph musc myco myel myo necro nephr neur nitr nucle ocul opath osteo oxi
    oxy path penia pept peritone phag pharyng phenyl philic phosph phyl phyt physi plas ploid
    pneum poietin poly press protein purin pyr radi ren resist retin sacchar sarc scler scop
    secret sensi ser sinus sit som spectr sphing spin stasis ster stim sulf sulph system therap
    therm thi thorac thromb thym thyr tom tonin toxi transp trop troph tub typ uria vasc ventric
    vertebr vir zygo
"""
_STEM = re.compile("|".join(sorted(_STEMS.split(), key=len, reverse=True)))

_RUN = re.compile(r"[^\W_]+")
_HUMP = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|[^\W\d_]+")


class Place(NamedTuple):
    """A letter of a text, its word, and its costs.

    Attributes:
        position: in characters of the text.
        word: number of the run of letters and figures it stands in.
        enter: cost where no earlier letter of the word is used.
        go_on: cost where one is.
        begin: cost of beginning a long form here.
    """

    position: int
    word: int
    enter: float
    go_on: float
    begin: float


class Words(NamedTuple):
    """A text to align with.

    Attributes:
        places: those of each letter, in text order.
        skip: ``skip[w]`` is the cost of passing over all words before ``w``.
        trail: ``trail[w]`` is that of the words from ``w`` on, where they follow the last letter.
    """

    places: dict[str, list[Place]]
    skip: list[float]
    trail: list[float]


def ends_with_initials(text: str, initials: str) -> int | None:
    """Where the last words of a text begin whose first letters are these, no word between.

    That is the cheapest of all alignments, and what most writers do. ``None`` where a word is not
    of letters and figures alone, or the first one is a stop word.
    """
    pieces = folded(text).rsplit(None, len(initials))
    words = pieces[-len(initials) :]
    if [word[0] for word in words] != list(initials) or words[0] in _SELDOM_FIRST:
        return None
    if not all(map(str.isalnum, words)):
        return None
    start = len(pieces[0]) if len(pieces) > len(words) else 0
    while text[start].isspace():
        start += 1
    return start


def read_words(text: str, letters: frozenset[str]) -> Words:
    """Find the places of the given letters (lower case), figures and signs in a text."""
    lower = folded(text)
    stems = {match.start() for match in _STEM.finditer(lower)}
    places: dict[str, list[Place]] = {letter: [] for letter in letters}
    skip, trailing = [0.0], []
    has_brackets = BRACKET.search(text) is not None
    has_figures = any(map(str.isdigit, letters))
    has_x = "x" in letters
    depth = opened = read = 0
    for word, match in enumerate(_RUN.finditer(lower)):
        start, end = match.span()
        run = match[0]
        if has_brackets:
            depth, opened = _depth(text, read, start, depth)
            read = end
        is_part = start > 0 and not lower[start - 1].isspace()
        is_stop = run in _STOP_WORDS
        if is_stop:
            passing, last = _PASS_STOP_WORD, _TRAILING_STOP_WORD
        elif is_part:
            passing, last = _PASS_PART, _PASS_PART
        else:
            passing, last = _PASS_WORD, _TRAILING_WORD
        if run.isdigit():
            passing = _PASS_STOP_WORD
        skip[-1] += opened * _PASS_BRACKET
        skip.append(skip[-1] + passing)
        trailing.append(last)
        at_start = _PART_START if is_part else 0.0
        begin = NEVER if depth else at_start + _STOP_WORD_FIRST * (run in _SELDOM_FIRST)
        first = Place(start, word, at_start, at_start, begin)
        humps = _humps(text[start:end], start)
        for position, letter in enumerate(run, start):
            if letter not in letters:
                if not (has_x and lower.startswith(_SURGICAL, position)):
                    continue
                letter = "x"
            if position == start:
                place = first
            elif position in humps:
                begin = NEVER if depth else _HUMP_START
                place = Place(position, word, _HUMP_START, _HUMP_START, begin)
            elif position in stems or letter == "x":
                place = Place(position, word, _OTHER_WORD_STEM, _STEM_START, NEVER)
            else:
                enter = NEVER if is_stop else _OTHER_WORD
                place = Place(position, word, enter, _SAME_WORD, NEVER)
            places[letter].append(place)
        if has_figures and (number := _NUMBER.match(run)):
            figure = _NUMBERS[number[0]]
            if figure in letters:
                _insert(places[figure], first)
        if run in _SYMBOLS and (sign := _SYMBOLS[run]) in letters:
            # At its end: what it stands for is the whole word, so that no letter of it may follow.
            at_end = Place(end - 1, word, at_start, at_start, NEVER)
            _insert(places[sign], first if sign == "o" else at_end)
    return Words(places, skip, _trails(trailing))


def _depth(text: str, start: int, end: int, depth: int) -> tuple[int, int]:
    """How many brackets are open after what stands between two words, and how many it opens.

    One that opens within a word belongs to it: 4'-(9-acridinylamino)-methane.
    """
    opened = 0
    for sign in BRACKET.finditer(text, start, end):
        if sign[0] in ")]":
            depth = max(0, depth - 1)
        elif depth or not text[sign.start() - 1 : sign.start()].strip():
            depth += 1
            opened += 1
    return depth, opened


_NO_HUMPS: frozenset[int] = frozenset()


def _humps(run: str, start: int) -> frozenset[int]:
    if run.isalpha() and (run.islower() or run[1:].islower()):
        return _NO_HUMPS
    return frozenset(start + match.start() for match in _HUMP.finditer(run))


def _trails(trailing: list[float]) -> list[float]:
    trails = [0.0]
    for cost in reversed(trailing):
        total = trails[-1] + cost
        trails.append(total if total <= _LONGEST_TRAIL else NEVER)
    return trails[::-1]


def _insert(places: list[Place], place: Place) -> None:
    """Put a place of the word just read among those of its letter."""
    index = len(places)
    while index and places[index - 1].position > place.position:
        index -= 1
    places.insert(index, place)
