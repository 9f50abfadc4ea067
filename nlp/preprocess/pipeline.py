"""A spaCy pipeline with scispaCy's tokenizer and abbreviation detector, blank or by name."""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import spacy
from scispacy.abbreviation import AbbreviationDetector
from scispacy.custom_tokenizer import combined_rule_tokenizer
from spacy.language import Language
from spacy.tokens import Doc, Span

PREPROCESS_VERSION = 1
"""Raised by hand when a change of this package changes sentences, sections or abbreviations."""

BLANK = "blank"
"""The default pipeline: scispaCy's tokenizer, spaCy's rule sentencizer, no model."""

LONGEST_PIECE = 20_000
"""Characters the abbreviation detector sees at once: its cost per token grows with the text."""


# scispaCy asks its matcher before it has patterns: harmless, and one line a document.
warnings.filterwarnings("ignore", message=r"\[W036\]")
# Its tokenizer's rules hold a set that a later re may read otherwise: not ours to mend.
warnings.filterwarnings("ignore", message="Possible set union", category=FutureWarning)


class PreprocessError(ValueError):
    """A spaCy pipeline cannot be used; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Abbreviation:
    """One occurrence of a defined short form, and where its definition stands."""

    short_form: str
    long_form: str
    short_start_char: int
    short_end_char: int
    long_start_char: int
    long_end_char: int


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


def pipeline_fingerprint(name: str) -> str:
    """What identifies a pipeline's output: its name and, for a package or folder, its meta."""
    if name == BLANK:
        return BLANK
    meta = build_pipeline(name).meta
    described = f"{meta['lang']}_{meta['name']} {meta['version']}"
    return hashlib.sha256(f"{Path(name).name} {described}".encode()).hexdigest()


class Preprocessor:
    """A loaded pipeline and its abbreviation detector."""

    def __init__(self, name: str = BLANK) -> None:
        """Build the pipeline ``name`` (see :func:`build_pipeline`)."""
        self._pipeline = build_pipeline(name)
        # Kept out of the pipeline: it is run on pieces of long texts only.
        self._detector = AbbreviationDetector(self._pipeline)

    def process(self, texts: Sequence[str]) -> Iterator[Preprocessed]:
        """Sentences and abbreviations of each text, in input order. Empty texts have neither."""
        for doc in self._pipeline.pipe(texts):
            text = doc.text  # joined from the tokens at each access
            sentences = [bounds for s in doc.sents if (bounds := _trimmed(text, s))]
            yield Preprocessed(sentences, list(self._abbreviations(doc, text)))

    def _abbreviations(self, doc: Doc, text: str) -> Iterator[Abbreviation]:
        if "(" not in text:
            return
        if len(text) <= LONGEST_PIECE:
            yield from _read_abbreviations(self._detector(doc), 0)
            return
        for piece, offset in _pieces(doc):
            if "(" in piece.text:
                yield from _read_abbreviations(self._detector(piece), offset)


def _trimmed(text: str, sentence: Span) -> tuple[int, int] | None:
    """A sentence's bounds without the white space around it; None where nothing else is there."""
    start, end = sentence.start_char, sentence.end_char
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return (start, end) if start < end else None


def _pieces(doc: Doc) -> Iterator[tuple[Doc, int]]:
    """Whole sentences of a long text in pieces of about ``LONGEST_PIECE`` characters."""
    first = 0
    for sentence in doc.sents:
        start = doc[first].idx
        if sentence.end == len(doc) or sentence.end_char - start >= LONGEST_PIECE:
            yield doc[first : sentence.end].as_doc(), start
            first = sentence.end


def _read_abbreviations(doc: Doc, offset: int) -> Iterator[Abbreviation]:
    """The detector's findings, one an occurrence, in text order, offsets moved by ``offset``."""
    seen = set()
    for short in sorted(doc._.abbreviations, key=lambda span: span.start_char):
        long = short._.long_form
        if short.start_char in seen:
            continue
        seen.add(short.start_char)
        yield Abbreviation(
            short.text,
            long.text,
            short.start_char + offset,
            short.end_char + offset,
            long.start_char + offset,
            long.end_char + offset,
        )
