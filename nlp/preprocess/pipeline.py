"""A spaCy pipeline with scispaCy's tokenizer, blank or by name, and what it makes of a text."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import spacy
from scispacy.custom_tokenizer import combined_rule_tokenizer
from spacy.language import Language
from spacy.tokens import Doc, Span

from nlp.preprocess import BLANK, PreprocessError
from nlp.preprocess.abbreviations import Abbreviation, find_abbreviations

LARGEST_VOCABULARY = 1_000_000
"""Strings after which the pipeline is built anew: spaCy keeps every token it ever saw."""


# scispaCy's tokenizer's rules hold a set that a later re may read otherwise: not ours to mend.
warnings.filterwarnings("ignore", message="Possible set union", category=FutureWarning)


@dataclass(frozen=True, slots=True)
class Preprocessed:
    """Sentence bounds (start, end) in characters, and abbreviations in text order."""

    sentences: list[tuple[int, int]]
    abbreviations: list[Abbreviation]


def build_pipeline(name: str = BLANK) -> Language:
    """Build the preprocessing pipeline.

    Args:
        name: ``blank``, or an installed spaCy or scispaCy package, or a pipeline's folder.

    Raises:
        PreprocessError: the pipeline is not installed, or sets no sentence boundaries.
    """
    if name == BLANK:
        pipeline = spacy.blank("en")
        pipeline.tokenizer = combined_rule_tokenizer(pipeline)
        pipeline.add_pipe("sentencizer")
    else:
        try:
            pipeline = spacy.load(name, exclude=["ner", "lemmatizer", "attribute_ruler"])
        except OSError as error:
            raise PreprocessError(
                f"spaCy pipeline {name} is not installed; pip install it, give its folder, "
                f"or use {BLANK}"
            ) from error
        if not {"parser", "senter", "sentencizer"} & set(pipeline.pipe_names):
            pipeline.add_pipe("sentencizer", first=True)
    pipeline.max_length = 100_000_000
    return pipeline


class Preprocessor:
    """A loaded pipeline."""

    def __init__(self, name: str = BLANK) -> None:
        """Build the pipeline ``name`` (see :func:`build_pipeline`)."""
        self._name = name
        self._pipeline = build_pipeline(name)

    def process(self, texts: Sequence[str]) -> list[Preprocessed]:
        """Sentences and abbreviations of each text, in input order. Empty texts have neither."""
        if len(self._pipeline.vocab.strings) > LARGEST_VOCABULARY:
            self._pipeline = build_pipeline(self._name)
        return [
            Preprocessed(_sentences(doc, text), find_abbreviations(text))
            for doc, text in zip(self._pipeline.pipe(texts), texts, strict=True)
        ]


def _sentences(doc: Doc, text: str) -> list[tuple[int, int]]:
    return [bounds for sentence in doc.sents if (bounds := _trimmed(text, sentence))]


def _trimmed(text: str, sentence: Span) -> tuple[int, int] | None:
    """A sentence's bounds without the white space around it; None where nothing else is there."""
    start, end = sentence.start_char, sentence.end_char
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return (start, end) if start < end else None
