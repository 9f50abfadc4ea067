"""Short forms that a document never defines outright, read by its other mentions.

Patterns of definitions (Schwartz and Hearst 2003) find *long form (SF)* where the letters tell. A
text that says "myotonic dystrophy (DM)", or only "Huntington disease" here and "HD" there, defines
nothing in that sense, and yet no reader is in doubt. What a mention stands beside and what else is
mentioned in the document settle the rest, here.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from nlp.lookup import lookup_text
from nlp.preprocess.abbreviations import Abbreviation
from ontologies.short_form import LONGEST_SHORT_FORM, is_short_form

MentionSpan = tuple[int, int, str]
"""Start and end of a mention in characters of its text, and its label."""

_WORD = re.compile(r"[^\W_]+")
_TOKEN = re.compile(r"[^\s()\[\],;/]+")
_PASSED_OVER = frozenset(
    ("a", "an", "and", "by", "for", "in", "of", "on", "or", "the", "to", "with")
)
"""Words that often give no letter to a short form."""

_LONGEST_SUBSEQUENCE = 4
"""Words of a long form whose letters may stand anywhere in it: more words hold any letters."""


def lookup_texts(
    text: str, mentions: Sequence[MentionSpan], abbreviations: Sequence[Abbreviation]
) -> list[str]:
    """The names that a document's mentions are linked by.

    First each mention as :func:`nlp.lookup.lookup_text` gives it: with the definitions that the
    text states. A short form that is left is read by the document's other mentions of its label,
    by the first of these that gives exactly one long form:

    1. a mention right before a parenthesis that holds nothing but the short form, if it has all
       letters of it;
    2. a mention whose words begin with the letters of the short form;
    3. a mention that begins with the short form, of three letters or more: *Dex*, *dexamethasone*;
    4. a mention of few words that begins with its first letter and has the others in their order.

    A short form within a longer mention is read likewise: *attenuated FAP*. Case does not tell two
    long forms apart.

    Args:
        text: the document's text.
        mentions: in any order.
        abbreviations: the document's, in the order of ``short_start_char``.

    Returns:
        One name a mention, never blank unless the mention is.
    """
    names = [lookup_text(text, start, end, abbreviations) for start, end, _ in mentions]
    defined = {short.short_form: " ".join(short.long_form.split()) for short in abbreviations}
    beside = _appositions(text, mentions, names)
    others: dict[str, dict[str, str]] = defaultdict(dict)
    for (_, _, label), name in zip(mentions, names, strict=True):
        if len(name) > LONGEST_SHORT_FORM or " " in name:
            others[label].setdefault(name.casefold(), name)
    known = {label: beside[label] | defined for label in {label for _, _, label in mentions}}
    pairs = [(name, label) for (_, _, label), name in zip(mentions, names, strict=True)]
    # Once a name: a long text says the same short form many times.
    read = {
        (name, label): _read(name, known[label], others[label].values())
        for name, label in dict.fromkeys(pairs)
    }
    return [read[pair] for pair in pairs]


def _read(name: str, known: Mapping[str, str], others: Iterable[str]) -> str:
    if is_short_form(name):
        return known.get(name) or _long_form(name, others) or name

    def expanded(token: re.Match[str]) -> str:
        long = known.get(token[0], "")
        # A name that was expanded already, or says both, is not to say it twice.
        return long if long and token[0] not in long and long not in name else token[0]

    return _TOKEN.sub(expanded, name)


def _appositions(
    text: str, mentions: Sequence[MentionSpan], names: Sequence[str]
) -> Mapping[str, dict[str, str]]:
    """By label, short forms in parentheses and the name of the mention right before them."""
    ends = {(end, label): name for (_, end, label), name in zip(mentions, names, strict=True)}
    found: dict[str, dict[str, str]] = defaultdict(dict)
    for start, end, label in mentions:
        short, opening = text[start:end], _before(text, start) - 1
        if opening < 0 or text[opening] not in "([" or not is_short_form(short):
            continue
        long = ends.get((_before(text, opening), label), "")
        if len(long) > len(short) and set(_letters(short)) <= set(long.casefold()):
            found[label].setdefault(short, long)
    return found


def _before(text: str, position: int) -> int:
    """The end of what stands before a position and the white space before it."""
    while position and text[position - 1].isspace():
        position -= 1
    return position


def _long_form(short: str, others: Iterable[str]) -> str | None:
    """The one name that fits best, if no other fits as well."""
    letters = _letters(short)
    best: dict[int, list[str]] = defaultdict(list)
    for name in others:
        words = [word.casefold() for word in _WORD.findall(name)]
        if letters and short.casefold() not in words and (fit := _fit(letters, words)) is not None:
            best[fit].append(name)
    fitting = best[min(best)] if best else []
    return fitting[0] if len(fitting) == 1 else None


def _fit(letters: str, words: Sequence[str]) -> int | None:
    """How well words fit the letters of a short form, 0 the best; None where they do not."""
    initials = "".join(word[0] for word in words)
    if letters in (initials, "".join(w[0] for w in words if w not in _PASSED_OVER)):
        return 0
    joined = "".join(words)
    if len(letters) < 3 or len(joined) < 2 * len(letters) or joined[0] != letters[0]:
        return None
    if joined.startswith(letters):
        return 1
    rest = iter(joined)
    in_order = len(words) <= _LONGEST_SUBSEQUENCE and all(letter in rest for letter in letters)
    return 2 if in_order else None


def _letters(short: str) -> str:
    """Letters and digits of a short form without its plural ending, case folded."""
    if len(short) > 2 and short.endswith("s") and short[:-1].isupper():
        short = short[:-1]
    return "".join(character for character in short if character.isalnum()).casefold()
