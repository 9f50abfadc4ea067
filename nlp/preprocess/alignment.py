"""How well a short form fits the words before its bracket: the cheapest alignment of its letters.

Every letter of the short form stands for a letter of the long form, in order, as in Schwartz and
Hearst (2003, doi:10.1142/9789812776303_0042). Where several letters could be meant, Ab3P (Sohn et
al. 2008, doi:10.1186/1471-2105-9-402) tries rules from the most to the least reliable: first
letters of words, then of parts of words, then letters within words, then words passed over. Here
each of these has a cost, and dynamic programming finds the alignment of the least sum, which also
says where the long form begins. Time is proportional to the letters of both.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

# Costs of a letter by where it stands. A word's first letter costs nothing.
_PART_START = 0.2
"""First letter after a hyphen, slash or bracket."""
_HUMP_START = 0.3
"""Where letters turn to digits or capitals: the 6 of IL6, the K of MuSK."""
_STEM_START = 0.6
"""Where a combining form of Greek or Latin begins within a word: tri|glyceride."""
_NEXT_LETTER = 0.5
"""The letter after the one before."""
_SAME_WORD = 1.0
"""Further on in a word that has given a letter."""
_OTHER_WORD = 3.0
"""Within a word that has not given its first letter, beyond what the place itself costs."""
_OTHER_WORD_STEM = 1.5

# Costs of words that give no letter, between those that do and after the last one.
_PASS_STOP_WORD = 0.15
_PASS_PART = 0.5
_PASS_WORD = 1.3
_PASS_BRACKET = 1.5
_TRAILING_WORD = 1.6
_TRAILING_STOP_WORD = 3.0
_LONGEST_TRAIL = 3.1
"""More than this after the last letter is no long form, whatever its letters cost."""

# Costs of other orders of the letters.
_LAST_FIRST = 1.5
"""pHi, intracellular pH."""
_FIGURES_FIRST = 1.0
"""IP3, inositol trisphosphate."""
_NOTATION = 0.5
"""V(T), tidal volume; INa, sodium current; [Ca2+]i, intracellular Ca2+ concentration."""

_STOP_WORD_FIRST = 1.5
"""Cost of a long form that begins with a stop word; "in" begins many: in situ hybridization."""

# Costs of signs of the short form that the long form need not have.
_NO_DIGIT = 1.5
_NO_SIGN = 0.3
_NO_PLURAL = 0.3

_NEVER = float("inf")

STOP_WORDS = frozenset(
    "a an and are as at by de during for from her his in into is its la of on or our over per than "
    "that the their these this those to under upon via was were which with within without".split()
)
"""Words that long forms have and short forms pass over."""

_GREEK = {
    **{"α": "alpha", "β": "beta", "γ": "gamma", "δ": "delta", "ε": "epsilon", "ζ": "zeta"},
    **{"η": "eta", "θ": "theta", "ι": "iota", "κ": "kappa", "λ": "lambda", "μ": "mu", "ν": "nu"},
    **{"µ": "mu", "ξ": "xi", "π": "pi", "ρ": "rho", "σ": "sigma", "τ": "tau", "φ": "phi"},
    **{"χ": "chi", "ψ": "psi", "ω": "omega"},
}
_INITIAL = {letter: name[0] for letter, name in _GREEK.items()}
_GREEK_NAME = re.compile(
    "(?:alpha|beta|gamma|delta|epsilon|zeta|theta|kappa|lambda|sigma|omega)(?![a-z])"
)

_NUMBERS = {
    **{"one": "1", "first": "1", "mono": "1", "single": "1", "uni": "1"},
    **{"two": "2", "second": "2", "di": "2", "bi": "2", "double": "2", "twice": "2", "ii": "2"},
    **{"three": "3", "third": "3", "tri": "3", "triple": "3", "iii": "3"},
    **{"four": "4", "tetra": "4", "quadr": "4", "five": "5", "fifth": "5", "pent": "5"},
    **{"six": "6", "hex": "6", "seven": "7", "eight": "8", "nine": "9", "nint": "9", "ten": "10"},
}
_NUMBER = re.compile("|".join(sorted(_NUMBERS, key=len, reverse=True)))
_SYMBOLS = {
    **{"positive": "+", "negative": "-", "current": "i", "currents": "i"},
    **{"extracellular": "o", "concentration": "[", "concentrations": "["},
}
"""Words that a sign stands for, which is not their first letter."""
_SUBSCRIPT = re.compile(r"(?P<last>[A-Z])\((?P<first>[A-Z])\)")
"""A quantity and what it is of: V(T), tidal volume."""
_CURRENT = re.compile(r"(?P<last>I)(?P<middle>[A-Z][a-z]?)(?P<first>\(?[A-Z]\)?)?")
"""An ion's current as physiologists write it: INa, ICa(L)."""
_CONCENTRATION = re.compile(r"(?P<last>\[)(?P<middle>.+)\](?P<first>[a-z])")
"""An ion's concentration inside or outside cells: [Ca2+]i."""

_STEM = re.compile(
    "(?:acetyl|adren|amin|angi|arteri|arthr|aspart|benz|blast|bol|brom|bronch|carb|cardi|cephal|"
    "cephalo|chem|chlor|chol|chondr|choline|chrom|cocc|cort|crine|cycl|cyt|derm|dipine|dopa|"
    "ectom|encephal|enter|epine|erg|esteras|esophag|ethyl|fibr|fluor|gastr|genic|genit|"
    "gest|globin|globul|glob|gluc|glyc|glycer|gonad|gram|graph|hepat|hist|hydr|hyp|immun|"
    "intestin|itis|kinas|lact|leuk|ligament|lip|lymph|lys|malac|mening|menting|metab|meth|"
    "methyl|metr|morph|musc|myco|myel|myo|necro|nephr|neur|nitr|nucle|ocul|opath|osteo|"
    "oxi|oxy|path|penia|pept|peritone|phag|pharyng|phenyl|philic|phosph|phyl|phyt|physi|plas|"
    "plasm|ploid|pneum|poietin|poly|press|protein|purin|pyr|radi|ren|resist|retin|sacchar|sarc|"
    "scler|scop|secret|sensi|ser|sinus|sit|som|spectr|sphing|spin|stasis|ster|stim|sulf|sulph|"
    "system|therap|therm|thi|thorac|thromb|thym|thyr|tom|tonin|toxi|transp|trop|troph|tub|"
    "typ|uria|vasc|ventric|vertebr|vir|virus|zygo)"
)
_BRACKET = re.compile(r"[()\[\]]")
_RUN = re.compile(r"[^\W_]+")
_HUMP = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|[^\W\d_]+")


@dataclass(frozen=True, slots=True)
class Alignment:
    """Where the long form begins in the text aligned to, and what its letters cost together."""

    start: int
    cost: float


class _Unit(NamedTuple):
    """One letter or sign of a short form, and the cost of doing without it."""

    letter: str
    without: float


class _Place(NamedTuple):
    """A letter of the long form: its position, its word, and its costs.

    ``enter`` is the cost where no earlier letter of the word is used, ``go_on`` where one is;
    ``begins`` tells whether a long form may begin here.
    """

    position: int
    word: int
    enter: float
    go_on: float
    begins: bool


class _Words(NamedTuple):
    """A text to align with.

    ``places`` are those of each letter, in order; ``skip[w]`` is the cost of passing over all words
    before ``w``, ``trail[w]`` that of the words from ``w`` on where they follow the last letter;
    ``unusual`` are positions where a long form seldom begins.
    """

    places: dict[str, list[_Place]]
    skip: list[float]
    trail: list[float]
    unusual: set[int]


def lowered(text: str) -> str:
    """Lower case, character by character, so that offsets stay."""
    lower = text.lower()
    if len(lower) == len(text):
        return lower
    return "".join(c if len(c.lower()) != 1 else c.lower() for c in text)


def _units(short: str) -> list[_Unit]:
    """The letters, digits and closing signs that a long form has to account for."""
    letters = _GREEK_NAME.sub(lambda m: m[0][0], lowered(short))
    units = [
        _Unit(_INITIAL.get(c, c), _NO_DIGIT if c.isdigit() else _NEVER)
        for c in letters
        if c.isalnum()
    ]
    if sum(unit.without == _NEVER for unit in units) > 1 and re.search(r"[A-Z0-9)]s$", short):
        units[-1] = units[-1]._replace(without=_NO_PLURAL)
    last = short.rstrip(")]")[-1:]
    if last and last in "+-":
        units.append(_Unit(last, _NO_SIGN))
    return units


def letters_of(short: str) -> int:
    """How many letters of a short form a long form has to account for; figures count beside two."""
    units = _units(short)
    letters = sum(unit.letter.isalpha() for unit in units)
    figures = sum(unit.letter.isdigit() for unit in units)
    return letters + figures if letters > 1 else letters


def align(short: str, before: str) -> Alignment | None:
    """The cheapest alignment of a short form with the end of a text; None where there is none.

    Of equally cheap ones the shortest long form counts. It begins where a word or a part of one
    begins, and ends where the text ends.
    """
    units = _units(short)
    if all(unit.without < _NEVER for unit in units):
        return None
    words = _read(before, {unit.letter for unit in units} | ({"["} if short[0] == "[" else set()))
    best = _cheapest(units, words)
    for order, extra in _other_orders(short, units):
        other = _cheapest(order, words)
        if other and (best is None or other.cost + extra < best.cost):
            best = Alignment(other.start, other.cost + extra)
    return best


def _other_orders(short: str, units: list[_Unit]) -> Iterator[tuple[list[_Unit], float]]:
    """Orders in which the letters may be meant instead, and what each costs."""
    if len(units) > 2 and units[-1].without == _NEVER:
        yield [units[-1], *units[:-1]], _LAST_FIRST
    if any(unit.without == _NO_DIGIT for unit in units[1:]):
        yield _figures_first(units), _FIGURES_FIRST
    if subscript := _SUBSCRIPT.fullmatch(short):
        yield [*_units(subscript["first"]), *_units(subscript["last"])], _NOTATION
    if notation := _CURRENT.fullmatch(short) or _CONCENTRATION.fullmatch(short):
        first, middle = _units(notation["first"] or ""), _units(notation["middle"])
        yield [*first, *middle, _Unit(lowered(notation["last"]), _NEVER)], _NOTATION


def _figures_first(units: list[_Unit]) -> list[_Unit]:
    """Each figure before the letter it follows: P3 as in trisphosphate."""
    ordered: list[_Unit] = []
    for unit in units:
        if unit.without == _NO_DIGIT and ordered and ordered[-1].without == _NEVER:
            ordered.insert(-1, unit)
        else:
            ordered.append(unit)
    return ordered


def _cheapest(units: list[_Unit], words: _Words) -> Alignment | None:
    reached: list[tuple[_Place, float]] = []
    to_end = 0.0  # cost of doing without all units so far: the next may be the last letter
    for unit in reversed(units):
        here = _step(words.places.get(unit.letter, ()), reached, to_end, words)
        if unit.without < _NEVER:
            here += [(place, cost + unit.without) for place, cost in reached]
            here.sort(key=lambda reach: reach[0].position)
            to_end += unit.without
        else:
            to_end = _NEVER
        if not here and to_end == _NEVER:
            return None
        reached = here
    best: Alignment | None = None
    for place, cost in reached:
        total = cost + place.enter + (_STOP_WORD_FIRST if place.position in words.unusual else 0.0)
        if place.begins and (best is None or total <= best.cost):
            best = Alignment(place.position, total)
    return best


def _step(
    places: Sequence[_Place], reached: list[tuple[_Place, float]], to_end: float, words: _Words
) -> list[tuple[_Place, float]]:
    """Costs from each place of one letter to the end, given those of the letter after it.

    One sweep from the right: ``same`` is the least cost through a later letter of the same word,
    ``entering`` through one as the first of its word, ``others`` through words further on.
    """
    skip, trail = words.skip, words.trail
    here: list[tuple[_Place, float]] = []
    others = entering = same = _NEVER
    word, following, following_cost = -1, -1, _NEVER
    left = len(reached) - 1
    for place in reversed(places):
        while left >= 0 and reached[left][0].position > place.position:
            after, cost = reached[left]
            if after.word != word:
                others, entering, same = min(others, entering), _NEVER, _NEVER
                word = after.word
            same = min(same, cost + after.go_on)
            entering = min(entering, cost + after.enter + skip[after.word])
            if after.position != following or cost < following_cost:
                following, following_cost = after.position, cost
            left -= 1
        best = to_end + trail[place.word + 1]
        if word == place.word:
            best = min(best, same, others - skip[place.word + 1])
            if following == place.position + 1:
                best = min(best, following_cost + _NEXT_LETTER)
        else:
            best = min(best, min(others, entering) - skip[place.word + 1])
        if best < _NEVER:
            here.append((place, best))
    here.reverse()
    return here


def _read(before: str, letters: set[str]) -> _Words:
    """Where the letters stand in a text, and what passing over its words costs."""
    lower = lowered(before)
    places: dict[str, list[_Place]] = {}
    skip, after = [0.0], []
    figures = any(letter.isdigit() for letter in letters)
    depth, read = 0, 0
    unusual: set[int] = set()
    for word, match in enumerate(_RUN.finditer(lower)):
        start, end = match.span()
        for sign in _BRACKET.finditer(before, read, start):
            # One that opens within a word belongs to it: 4'-(9-acridinylamino)-methane.
            if sign[0] in ")]":
                depth = max(0, depth - 1)
            elif depth or not before[sign.start() - 1 : sign.start()].strip():
                depth += 1
                skip[-1] += _PASS_BRACKET
        read = end
        is_part = start > 0 and not lower[start - 1].isspace()
        is_stop = match[0] in STOP_WORDS
        is_passed = is_stop or match[0].isdigit()
        skip.append(
            skip[-1] + (_PASS_STOP_WORD if is_passed else _PASS_PART if is_part else _PASS_WORD)
        )
        after.append(
            _TRAILING_STOP_WORD if is_stop else _PASS_PART if is_part else _TRAILING_WORD
        )
        humps = {start + m.start() for m in _HUMP.finditer(before[start:end])}
        stems = {m.start() for m in _STEM.finditer(lower, start + 1, end)}
        begin = _PART_START if is_part else 0.0
        first = _Place(start, word, begin, begin, depth == 0)
        if is_stop and match[0] != "in":
            unusual.add(start)
        for position in range(start, end):
            letter = lower[position]
            letter = _INITIAL.get(letter, letter)
            if letter not in letters:
                if "x" not in letters or not lower.startswith("ectom", position):
                    continue
                letter = "x"  # surgeons' x: ovariectomized (OVX)
            if position == start:
                place = first
            elif position in humps:
                place = _Place(position, word, _HUMP_START, _HUMP_START, depth == 0)
            elif position in stems or letter == "x":
                place = _Place(position, word, _OTHER_WORD_STEM, _STEM_START, False)
            else:
                other = _NEVER if is_stop else _OTHER_WORD
                place = _Place(position, word, other, _SAME_WORD, False)
            places.setdefault(letter, []).append(place)
        if figures and (number := _NUMBER.match(lower, start, end)):
            _insert(places.setdefault(_NUMBERS[number[0]], []), first)
        if (letter := _SYMBOLS.get(match[0], "")) in letters:
            at = first if letter == "o" else first._replace(position=end - 1)
            _insert(places.setdefault(letter, []), at)
    trail = [0.0]
    for cost in reversed(after):
        total = trail[-1] + cost
        trail.append(total if total <= _LONGEST_TRAIL else _NEVER)
    return _Words(places, skip, trail[::-1], unusual)


def _insert(places: list[_Place], place: _Place) -> None:
    places.append(place)
    places.sort(key=lambda p: p.position)
