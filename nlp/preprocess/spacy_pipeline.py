"""Sentences by a spaCy pipeline with scispaCy's tokenizer, blank or by name. Imports spaCy."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import spacy
from scispacy.custom_tokenizer import combined_rule_tokenizer
from spacy.language import Language
from spacy.tokens import Span

from nlp.preprocess import BLANK, RULES, PreprocessError

LARGEST_VOCABULARY = 1_000_000
"""Strings after which the pipeline is built anew: spaCy keeps every token it ever saw."""


# scispaCy's tokenizer's rules hold a set that a later re may read otherwise: not ours to mend.
warnings.filterwarnings("ignore", message="Possible set union", category=FutureWarning)


def build_pipeline(name: str = BLANK) -> Language:
    """Build the pipeline.

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
                f"or use {RULES}"
            ) from error
        if not {"parser", "senter", "sentencizer"} & set(pipeline.pipe_names):
            pipeline.add_pipe("sentencizer", first=True)
    pipeline.max_length = 100_000_000
    return pipeline


class SpacySplitter:
    """A loaded pipeline; called with texts, it cuts each into sentences."""

    def __init__(self, name: str = BLANK) -> None:
        """Build the pipeline ``name`` (see :func:`build_pipeline`)."""
        self._name = name
        self._pipeline = build_pipeline(name)

    def __call__(self, texts: Sequence[str]) -> list[list[tuple[int, int]]]:
        """Start and end of each text's sentences, without the white space around them."""
        if len(self._pipeline.vocab.strings) > LARGEST_VOCABULARY:
            self._pipeline = build_pipeline(self._name)
        return [
            [bounds for sentence in doc.sents if (bounds := _trimmed(text, sentence))]
            for doc, text in zip(self._pipeline.pipe(texts), texts, strict=True)
        ]


def _trimmed(text: str, sentence: Span) -> tuple[int, int] | None:
    """A sentence's bounds without the white space around it; None where nothing else is there."""
    start, end = sentence.start_char, sentence.end_char
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return (start, end) if start < end else None
