"""Words as they are searched for: folded as the linker folds them, stemmed, without function words.

So *renal failure* finds *kidney failure*, *anaemias* finds *anemia* and *thrombotic* finds
*thrombosis*; the equivalents are those of ``ontologies/words.py``.
"""

from __future__ import annotations

from functools import lru_cache

from ontologies.normalise import normal_form, stem
from ontologies.phrases import fold_word

_FUNCTION_WORDS = """
a about after all also am an and any are as at be because been before being between both but by can
could did do does doing during each for from had has have having he her hers him his how i if in
into is it its itself may me might more most must my no nor not of on only or other our ours over
own shall she should so some such than that the their theirs them then there these they this those
through to too under until up upon was we were what when where whether which while who whom whose
why will with within without would you your yours
"""
FUNCTION_WORDS = frozenset(_FUNCTION_WORDS.split())
"""Words that stand in every text; questions are full of them."""


def search_words(text: str) -> list[str]:
    """The words of a text that count in a search, in order."""
    words: list[str] = []
    for word in normal_form(text).split():
        words += _folded(word)
    return words


@lru_cache(maxsize=500_000)
def _folded(word: str) -> tuple[str, ...]:
    if word in FUNCTION_WORDS:
        return ()
    return tuple(stem(part) for part in fold_word(word).split())
