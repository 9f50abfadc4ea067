"""Forms of a name: pure string functions shared by building an index and querying it.

``normal_form`` removes what never distinguishes two names: case, accents, punctuation, Greek
letters against their spelling, possessives. The further forms also fold word boundaries,
English plurals and word order; each is a looser equality than the one before. They take a normal
form, not a raw name, so that the costly step is done once.

A change here changes what a store's index holds: raise ``FORMS_VERSION``.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from ontologies.words import EQUIVALENTS, HEADS, IRREGULAR, LOOSE, SALTS, STOP_WORDS

FORMS_VERSION = 2

_GREEK = {
    "α": "alpha",
    "β": "beta",
    "γ": "gamma",
    "δ": "delta",
    "ε": "epsilon",
    "ζ": "zeta",
    "η": "eta",
    "θ": "theta",
    "ι": "iota",
    "κ": "kappa",
    "λ": "lambda",
    "μ": "mu",
    "ν": "nu",
    "ξ": "xi",
    "ο": "omicron",
    "π": "pi",
    "ρ": "rho",
    "σ": "sigma",
    "τ": "tau",
    "υ": "upsilon",
    "φ": "phi",
    "χ": "chi",
    "ψ": "psi",
    "ω": "omega",
}
_APOSTROPHES = "'’‘ʼ`´＇"
_POSSESSIVE = re.compile(r"(?<=[^\W_])'s(?![^\W_])")


class _Folds(dict[int, str]):
    """What each character becomes, filled as characters are met (for ``str.translate``)."""

    def __missing__(self, code: int) -> str:
        folded = self[code] = _fold_character(chr(code))
        return folded


def _fold_character(character: str) -> str:
    if character in _APOSTROPHES:
        return "'"
    # Case folding can bring in accents and decomposition can bring in capitals.
    folded, previous = character, ""
    while folded != previous:
        previous = folded
        decomposed = unicodedata.normalize("NFKD", folded)
        folded = "".join(c for c in decomposed if not unicodedata.combining(c)).casefold()
    return "".join(
        f" {_GREEK[c]} " if c in _GREEK else "'" if c in _APOSTROPHES else c if c.isalnum() else " "
        for c in folded
    )


_FOLDS = _Folds()


def normal_form(name: str) -> str:
    """Lower-case words of letters and digits joined by single spaces; idempotent.

    Compatibility decomposition (Unicode NFKD) without accents, case folding, Greek letters
    spelled out, possessive ``'s`` dropped, everything that is no letter or digit made a space.
    A name without any letter or digit keeps its symbols; a blank name gives ``""``.
    """
    folded = name.translate(_FOLDS)
    if "'" in folded:
        folded = _POSSESSIVE.sub("", folded).replace("'", " ")
    form = " ".join(folded.split())
    return form or " ".join(unicodedata.normalize("NFC", name).split())


def singular(word: str) -> str:
    """The singular of an English plural as far as its ending tells; other words unchanged.

    Meant for equality on both sides, not for display.
    """
    if word in IRREGULAR:
        return IRREGULAR[word]
    if len(word) < 4 or word[-1] != "s" or word[-2] in "sui" or word.isdigit():
        return word
    if word.endswith("itides"):
        return word[:-4] + "s"
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith(("oses", "yses", "stases", "eses")) and len(word) > 6:
        return word[:-2] + "is"
    if word.endswith(("sses", "xes", "ches", "shes", "zes")) and not word.endswith("aches"):
        return word[:-2]
    return word[:-1]


def compact_form(form: str) -> str:
    """A normal form with plurals folded and words joined: ``b 6`` and ``b6`` become one.

    Two numbers side by side stay apart: ``1 2 dichloroethane`` is not ``12 dichloroethane``.
    """
    joined = ""
    for word in form.split():
        word = singular(word)
        joined += " " + word if joined and joined[-1].isdigit() and word[0].isdigit() else word
    return joined


def sorted_form(form: str) -> str:
    """A normal form with plurals folded and words in alphabetical order.

    Undoes the comma inversion of ontologies: *Diabetes Mellitus, Type 2* and *type 2 diabetes
    mellitus* have the same sorted form.
    """
    return " ".join(sorted(singular(word) for word in form.split()))


def folded_form(form: str) -> str:
    """A normal form as the sorted distinct words of its ``folded_text``, without function words.

    Function words stay where there is nothing else.
    """
    words = folded_text(form).split()
    return " ".join(sorted({word for word in words if word not in STOP_WORDS} or set(words)))


def folded_text(form: str) -> str:
    """A normal form in the same word order after folding spelling and equivalents.

    Plurals, British spelling, acids (*valproic acid* to *valproate*) and the word equivalents of
    ``ontologies/words.py`` are folded.
    """
    words = " ".join(_american(word) for word in form.split())
    if " acid" in words:
        words = _ACID.sub(r"\1ate", words)
    return " ".join(EQUIVALENTS.get(word, word) for word in words.split())


def reduced_form(form: str) -> str:
    """A normal form as the sorted stems of the words that tell one disease or drug from another.

    From the words of ``folded_form`` those that every disease has (``words.HEADS``) and what a
    drug is bound to (``words.SALTS``) are taken away, unless nothing else is left; the others are
    folded once more (``words.LOOSE``) and stemmed. So *diabetic*, *diabetes* and, where no name
    says more, *diabetic condition* are one.
    """
    words = {word for word in folded_text(form).split() if word not in STOP_WORDS}
    kept = {word for word in words if word not in HEADS and word not in SALTS} or words
    kept = {part for word in kept for part in LOOSE.get(word, word).split()}
    return " ".join(sorted({stem(word) for word in kept} or set(form.split())))


@lru_cache(maxsize=200_000)
def stem(word: str) -> str:
    """What a word shares with the nouns and adjectives made of it: *thrombotic*, *thrombosis*.

    A few endings of medical English, not a stemmer of the language: for equality on both sides.
    """
    if len(word) < 6:
        return word
    for ending, rest in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            word = word.removesuffix(ending) + rest
            break
    for ending in ("ic", "ia", "y", "e", "a", "i"):
        if word.endswith(ending) and len(word) - len(ending) >= 4:
            return word.removesuffix(ending)
    return word


@lru_cache(maxsize=200_000)
def _american(word: str) -> str:
    """The singular in American spelling. Cached: the same words come again and again."""
    folded = singular(word)
    for british, american in _SPELLINGS:
        folded = folded.replace(british, american)
    return folded


_ACID = re.compile(r"\b(\w{3,})ic acid\b")
_SPELLINGS = (("ae", "e"), ("oe", "e"), ("our", "or"), ("sulph", "sulf"), ("isation", "ization"))
_ENDINGS = (
    ("icity", "ic"),
    ("eptic", "eps"),
    ("epsy", "eps"),
    ("kinetic", "kines"),
    ("kinesia", "kines"),
    ("plastic", "plas"),
    ("plasia", "plas"),
    ("plasm", "plas"),
    ("otic", "os"),
    ("osis", "os"),
    ("itic", "it"),
    ("itis", "it"),
    ("istic", "ist"),
    ("ism", "ist"),
    ("ssive", "ss"),
    ("ssion", "ss"),
    ("ssed", "ss"),
    ("nsive", "ns"),
    ("nsion", "ns"),
    ("lytic", "lys"),
    ("lysis", "lys"),
    ("ation", "at"),
    ("ative", "at"),
    ("ated", "at"),
    ("tional", "t"),
    ("tion", "t"),
    ("tive", "t"),
    ("ical", "ic"),
    ("eal", "e"),
    ("ial", "i"),
    ("al", ""),
    ("ous", ""),
    ("ity", ""),
    ("ness", ""),
    ("ent", "enc"),
    ("ence", "enc"),
    ("ency", "enc"),
)
"""Endings in the order they are tried, and what takes their place."""
