"""What is made of a text before models see it: sentences, by the pipeline chosen; abbreviations."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from nlp.preprocess import PYSBD, RULES
from nlp.preprocess.abbreviations import Abbreviation, find_abbreviations
from nlp.preprocess.sentences import find_sentences

Splitter = Callable[[Sequence[str]], list[list[tuple[int, int]]]]
"""Texts to the start and end of each one's sentences, without the white space around them."""


@dataclass(frozen=True, slots=True)
class Preprocessed:
    """Sentence bounds (start, end) in characters, and abbreviations in text order."""

    sentences: list[tuple[int, int]]
    abbreviations: list[Abbreviation]


def build_splitter(name: str = RULES) -> Splitter:
    """What cuts texts into sentences; spaCy is imported only where it is asked for.

    Args:
        name: ``rules``, ``blank``, ``pysbd``, or an installed spaCy or scispaCy package, or a
            pipeline's folder.

    Raises:
        PreprocessError: the pipeline is not installed, or sets no sentence boundaries.
    """
    if name == RULES:
        return lambda texts: [find_sentences(text) for text in texts]
    if name == PYSBD:
        from nlp.preprocess.pysbd_sentences import split

        return lambda texts: [split(text) for text in texts]
    from nlp.preprocess.spacy_pipeline import SpacySplitter  # takes seconds: spaCy

    return SpacySplitter(name)


class Preprocessor:
    """A loaded pipeline."""

    def __init__(self, name: str = RULES) -> None:
        """Build the pipeline ``name`` (see :func:`build_splitter`)."""
        self._split = build_splitter(name)

    def process(self, texts: Sequence[str]) -> list[Preprocessed]:
        """Sentences and abbreviations of each text, in input order. Empty texts have neither."""
        return [
            Preprocessed(sentences, find_abbreviations(text))
            for sentences, text in zip(self._split(texts), texts, strict=True)
        ]
