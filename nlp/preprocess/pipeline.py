"""A spaCy pipeline with scispaCy's tokenizer and abbreviation detector, blank or by name."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import spacy
from scispacy.abbreviation import AbbreviationDetector
from scispacy.custom_tokenizer import combined_rule_tokenizer
from spacy.language import Language
from spacy.matcher import PhraseMatcher
from spacy.tokens import Doc, Span

from nlp.preprocess import BLANK, PreprocessError

LONGEST_PIECE = 20_000
"""Characters the abbreviation detector sees at once: its cost per token grows with the text."""

LARGEST_VOCABULARY = 1_000_000
"""Strings after which the pipeline is built anew: spaCy keeps every token it ever saw."""


# scispaCy asks its matcher before it has patterns: harmless, and one line a document.
warnings.filterwarnings("ignore", message=r"\[W036\]")
# Its tokenizer's rules hold a set that a later re may read otherwise: not ours to mend.
warnings.filterwarnings("ignore", message="Possible set union", category=FutureWarning)


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


class Preprocessor:
    """A loaded pipeline and its abbreviation detector."""

    def __init__(self, name: str = BLANK) -> None:
        """Build the pipeline ``name`` (see :func:`build_pipeline`)."""
        self._name = name
        self._build()

    def _build(self) -> None:
        self._pipeline = build_pipeline(self._name)
        # Kept out of the pipeline: it is run on pieces of long texts only.
        self._detector = AbbreviationDetector(self._pipeline)

    def process(self, texts: Sequence[str]) -> list[Preprocessed]:
        """Sentences and abbreviations of each text, in input order. Empty texts have neither."""
        if len(self._pipeline.vocab.strings) > LARGEST_VOCABULARY:
            self._build()
        return [self._read(doc) for doc in self._pipeline.pipe(texts)]

    def _read(self, doc: Doc) -> Preprocessed:
        text = doc.text  # joined from the tokens at each access
        sentences = [bounds for s in doc.sents if (bounds := _trimmed(text, s))]
        return Preprocessed(sentences, self._abbreviations(doc, text))

    def _abbreviations(self, doc: Doc, text: str) -> list[Abbreviation]:
        if "(" not in text:
            return []
        if len(text) <= LONGEST_PIECE:
            return list(_read_abbreviations(self._detector(doc), 0))
        found = [
            abbreviation
            for piece, offset in _pieces(doc)
            if "(" in piece.text
            for abbreviation in _read_abbreviations(self._detector(piece), offset)
        ]
        return _throughout(doc, found) if found else []


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
    for short in sorted(doc._.abbreviations, key=lambda span: (span.start_char, -span.end_char)):
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


def _throughout(doc: Doc, found: Iterable[Abbreviation]) -> list[Abbreviation]:
    """Every occurrence in the text of short forms that one of its pieces defines, in text order.

    Where pieces define a short form differently the first definition counts, as in a short text.
    """
    definitions: dict[str, Abbreviation] = {}
    matcher = PhraseMatcher(doc.vocab)
    for short in found:
        span = doc.char_span(short.short_start_char, short.short_end_char)
        if span is not None and definitions.setdefault(short.short_form, short) is short:
            matcher.add(short.short_form, [span.as_doc()])
    occurrences: dict[int, Abbreviation] = {}
    for span in sorted(matcher(doc, as_spans=True), key=lambda s: (s.start_char, s.end_char)):
        definition = definitions[span.label_]
        occurrences[span.start_char] = replace(  # of those that begin together the longest
            definition,
            short_form=span.text,
            short_start_char=span.start_char,
            short_end_char=span.end_char,
        )
    return list(occurrences.values())
