"""Splitters beside ours, each from a text to the start and end of its sentences."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence

from splitters.scores import Split

OURS, BLANK, PYSBD, SCISPACY = "charthouse", "blank", "pysbd", "pysbd in scispaCy"
OPTIONAL = ("syntok", "nupunkt", "blingfire")


def splitters(pipelines: Sequence[str] = ()) -> dict[str, Split]:
    """Ours, ``preprocess.pipeline = "blank"``, pysbd, scispaCy's use of it, and what is installed.

    Args:
        pipelines: names or folders of spaCy pipelines that are measured too.
    """
    from nlp.preprocess.sentences import find_sentences

    found: dict[str, Split] = {OURS: find_sentences, BLANK: _pipeline(BLANK), PYSBD: _pysbd()}
    found[SCISPACY] = _scispacy()
    found |= {name: _pipeline(name) for name in pipelines}
    for name in OPTIONAL:
        if importlib.util.find_spec(name):
            found[name] = globals()[f"_{name}"]()
    return found


def _pipeline(name: str) -> Split:
    from nlp.preprocess.pipeline import build_splitter

    split = build_splitter(name)
    return lambda text: split([text])[0]


def _pysbd() -> Split:
    import pysbd

    segmenter = pysbd.Segmenter(language="en", clean=False, char_span=True)
    return lambda text: [(span.start, span.end) for span in segmenter.segment(text)]


def _scispacy() -> Split:
    import spacy
    from scispacy.custom_sentence_segmenter import pysbd_sentencizer  # noqa: F401
    from scispacy.custom_tokenizer import combined_rule_tokenizer

    pipeline = spacy.blank("en")
    pipeline.tokenizer = combined_rule_tokenizer(pipeline)
    pipeline.add_pipe("pysbd_sentencizer")
    pipeline.max_length = 100_000_000
    return lambda text: [(s.start_char, s.end_char) for s in pipeline(text).sents]


def _syntok() -> Split:
    from syntok import segmenter

    def split(text: str) -> list[tuple[int, int]]:
        return [
            (s[0].offset, s[-1].offset + len(s[-1].value))
            for paragraph in segmenter.analyze(text)
            for s in paragraph
            if s
        ]

    return split


def _nupunkt() -> Split:
    from nupunkt import sent_spans

    return lambda text: list(sent_spans(text))


def _blingfire() -> Split:
    from blingfire import text_to_sentences_and_offsets

    return lambda text: text_to_sentences_and_offsets(text)[1]
