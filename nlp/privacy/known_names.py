"""Given names of the list: beside a surname, or alone where they are nothing else."""

from __future__ import annotations

from collections.abc import Iterator

from nlp.privacy.eponyms import is_eponym, names_a_thing
from nlp.privacy.finding import Finding
from nlp.privacy.name_shapes import NameShapes, name_finding
from nlp.privacy.words import Words


def find_known(words: Words, shapes: NameShapes) -> Iterator[Finding]:
    """Given names of the list: beside a surname, or alone where they are nothing else."""
    for index, lower in enumerate(words.lowers):
        if lower not in shapes.any_given or not words.is_capitalised(index):
            continue
        if names_a_thing(words, index):
            continue
        last = shapes.forward(words, index)
        if last is None:
            continue
        if last > index and not words.is_initial(last):
            if any(names_a_thing(words, i) for i in range(index + 1, last + 1)):
                continue
            yield name_finding(words, index, last, "lexicon", 0.7)
        elif lower in shapes.unmistakable and _stands_alone(words, index):
            yield name_finding(words, index, last, "given", 0.55)
        if _follows_surname(words, shapes, index):
            yield name_finding(words, index - 1, last, "comma", 0.7)


def _stands_alone(words: Words, index: int) -> bool:
    """Whether a given name is none of ADAM-17, and long enough."""
    word = words.word(index)
    beside = (i for i in (index - 1, index + 1) if 0 <= i < len(words))
    return len(word) > 2 and (
        not word.isupper()
        or any(words.word(i).isupper() and len(words.word(i)) > 1 for i in beside)
    )


def _follows_surname(words: Words, shapes: NameShapes, index: int) -> bool:
    """Whether the word before is a surname: Smith, John."""
    before = index - 1
    return (
        before >= 0
        and words.gap(before) == ", "
        and shapes.is_name_word(words, before)
        and words.lowers[before] not in shapes.any_given
        and not is_eponym(words, before)
    )
