"""English words by the rules of the Moses tokenizer, with each character's place in the text.

Source: ``tokenizer.perl`` of Moses (Koehn et al. 2007, "Moses: Open Source Toolkit for Statistical
Machine Translation") with aggressive dash splitting and escaping, as its Python port SacreMoses 0.2
applies it: that is what BioGPT's tokenizer in transformers calls. (Versions before 0.2 differ
where a text says ``DOTMULTI`` and a period after it, the word by which Moses hides dots.)

White space and control characters are lost; every other rule but three only puts spaces between
characters. So the characters of all words, in order, are those of the text, and counting finds
their places. The three that rewrite (a split dash, a run of dots, escapes) are written out per
word by `spell`, after the cutting; until then a mark stands for the character.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import zip_longest
from string import ascii_uppercase

from nlp.ner.biogpt.characters import ALPHABETIC, ALPHANUMERIC, LOWER, NUMBERS, class_body

# Marks are control characters: when they are set, no control character is left in the text.
_DASH = "\x01"
_DOT = "\x02"

_ALPHA, _ALNUM, _NUMBER = map(class_body, (ALPHABETIC, ALPHANUMERIC, NUMBERS))

_WHITE_SPACE = re.compile(r"\s+")
_CONTROL = re.compile(r"[\x00-\x1f]")
_SYMBOL = re.compile(rf"[^{_ALNUM}\s.'`,\-]")
_INNER_DASH = re.compile(rf"(?<=[{_ALNUM}])-(?=[{_ALNUM}])")
_DOTS = re.compile(r"\.{2,}")

# Each of these takes in neighbours, which are then not free for the next match; so ",,," and "'''"
# are cut as Moses cuts them only if the rules run one after the other, in this order.
_COMMAS = (
    (re.compile(rf"([^{_NUMBER}]),"), r"\1 , "),
    (re.compile(rf",([^{_NUMBER}])"), r" , \1"),
    (re.compile(rf"([{_NUMBER}]),$"), r"\1 , "),
)
_APOSTROPHES = (
    (re.compile(rf"([^{_ALPHA}])'([^{_ALPHA}])"), r"\1 ' \2"),
    (re.compile(rf"([^{_ALPHA}{_NUMBER}])'([{_ALPHA}])"), r"\1 ' \2"),
    (re.compile(rf"([{_ALPHA}])'([^{_ALPHA}])"), r"\1 ' \2"),
    (re.compile(rf"([{_ALPHA}])'([{_ALPHA}])"), r"\1 '\2"),
    (re.compile(rf"([{_NUMBER}])'(s)"), r"\1 '\2"),
)

_ABBREVIATIONS = """
    Adj Adm Adv Asst Bart Bldg Brig Bros Capt Cmdr Col Comdr Con Corp Cpl DR Dr Drs Ens Gen Gov
    Hon Hr Hosp Insp Lt MM MR MRS MS Maj Messrs Mlle Mme Mr Mrs Ms Msgr Op Ord Pfc Ph Prof Pvt
    Rep Reps Res Rev Rt Sen Sens Sfc Sgt Sr St Supt Surg
    v vs i.e rev e.g Rs Nos Nr Jan Feb Mar Apr Jun Jul Aug Sep Oct Nov Dec
"""
_PREFIXES = frozenset(ascii_uppercase) | frozenset(_ABBREVIATIONS.split())
"""Words that keep their period: Moses' English list of non-breaking prefixes."""
_PREFIXES_OF_NUMBERS = frozenset({"No", "Art", "pp"})
_ASCII_DIGITS = frozenset("0123456789")

_REWRITTEN = {
    _DASH: "@-@",
    _DOT: ".",
    "&": "&amp;",
    "|": "&#124;",
    "<": "&lt;",
    ">": "&gt;",
    "'": "&apos;",
    '"': "&quot;",
    "[": "&#91;",
    "]": "&#93;",
}
# Moses hides runs of dots behind such a word, and so takes the word itself, if a text has it, for
# one of them.
_HIDDEN_DOTS = r"(?:DOT)+MULTI"
_ANY_REWRITTEN = re.compile(rf"{_HIDDEN_DOTS}|[{re.escape(''.join(_REWRITTEN))}]")
_UNIT = re.compile(rf"{_HIDDEN_DOTS}|.", re.DOTALL)


def cut_words(text: str) -> tuple[list[str], list[int]]:
    """Cut a text into Moses' words, not yet spelled as Moses writes them.

    Returns:
        The words, and for every character of all words in order its place in ``text``. Between the
        places of a word stand only control characters (below U+0020), which Moses removes.
    """
    places = [place for place, char in enumerate(text) if char > "\x1f" and not char.isspace()]
    line = _CONTROL.sub("", _WHITE_SPACE.sub(" ", text)).strip()
    line = _SYMBOL.sub(r" \g<0> ", line)
    line = _INNER_DASH.sub(f" {_DASH} ", line)
    line = _DOTS.sub(lambda run: f" {_DOT * len(run[0])} ", line)
    for rule, spaced in _COMMAS:
        line = rule.sub(spaced, line)
    for rule, spaced in _APOSTROPHES:
        line = rule.sub(spaced, line)
    words = _cut_periods(line.split())
    if words and words[-1].endswith(".'"):
        words[-1:] = [*filter(None, [words[-1][:-2]]), ".", "'"]
    return words, places


def _cut_periods(words: Sequence[str]) -> list[str]:
    """Cut off final periods that are not part of their word."""
    cut = []
    for word, following in zip_longest(words, words[1:], fillvalue=""):
        if len(word) > 1 and word[-1] == "." and not _keeps_period(word[:-1], following[:1]):
            cut += [word[:-1], "."]
        else:
            cut.append(word)
    return cut


def _keeps_period(prefix: str, following: str) -> bool:
    return (
        ("." in prefix and not ALPHABETIC.isdisjoint(prefix))
        or prefix in _PREFIXES
        or following in LOWER
        or (prefix in _PREFIXES_OF_NUMBERS and following in _ASCII_DIGITS)
    )


def spell(word: str) -> tuple[str, Sequence[int], Sequence[int]]:
    """Write a word of `cut_words` as Moses writes it: escaped, a split dash as ``@-@``.

    Returns:
        The spelling, and for each of its characters the range of ``word`` that it came from, as
        sequences of starts and of ends. The characters of ``&apos;`` all came from the one
        apostrophe.
    """
    if not _ANY_REWRITTEN.search(word):
        return word, range(len(word)), range(1, len(word) + 1)
    spelling = ""
    starts: list[int] = []
    ends: list[int] = []
    for unit in _UNIT.finditer(word):
        if len(unit[0]) > 1:
            written = "." * unit[0].count("DOT")
        else:
            written = _REWRITTEN.get(unit[0], unit[0])
        spelling += written
        starts += [unit.start()] * len(written)
        ends += [unit.end()] * len(written)
    return spelling, starts, ends
