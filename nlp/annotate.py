"""Documents in, annotation tables out: preprocessing, NER and what joins the two."""

from __future__ import annotations

import time
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import polars as pl

from nlp.assertion.assessor import load_assessor
from nlp.assertion.result import Assessed
from nlp.dictionary.dictionary import Dictionary
from nlp.dictionary.overlap import add_dictionaries
from nlp.dictionary.source import find_dictionaries
from nlp.fingerprint import AnnotationSet, identify
from nlp.long_forms import lookup_texts
from nlp.ner.decode import Span
from nlp.ner.device import Device, choose_device
from nlp.ner.errors import DeviceError
from nlp.ner.merge import merge_spans
from nlp.ner.source import find_model
from nlp.preprocess.abbreviations import Abbreviation
from nlp.preprocess.pipeline import Preprocessor
from nlp.preprocess.sections import Section, find_sections, innermost, load_heading_rules
from nlp.quantities.find import find_quantities
from nlp.rows import (
    Row,
    abbreviation_rows,
    assertion_columns,
    cue_rows,
    quantity_rows,
    section_rows,
    sentence_rows,
)
from nlp.schema import (
    ABBREVIATIONS,
    ANNOTATION_TABLES,
    ASSERTION_CUES,
    MENTIONS,
    QUANTITIES,
    SECTIONS,
    SENTENCES,
)
from nlp.settings import AnnotationSettings, NerSettings
from nlp.short_forms import spread_labels

if TYPE_CHECKING:
    from nlp.ner.engine import NerEngine

BATCH_CHARACTERS = 200_000
"""Text that goes through preprocessing and NER together: enough to sort windows by length."""

STAGES = ("preprocess", "ner", "assertion")
"""What the seconds of a shard are told for: ``assertion`` is all that follows NER."""


@dataclass(frozen=True)
class Reject:
    """A document that could not be annotated: its row in the frame and a reason without text."""

    row: int
    reason: str


@dataclass
class Annotations:
    """Rows by table name, the documents that failed, and seconds by stage."""

    frames: dict[str, pl.DataFrame]
    rejects: list[Reject] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=lambda: dict.fromkeys(STAGES, 0.0))


def _load_engines(settings: NerSettings, device: Device) -> list[NerEngine]:
    if not settings.models:
        return []
    from nlp.ner.engine import NerEngine  # takes seconds: transformers
    from nlp.ner.model import load_model

    return [
        NerEngine(load_model(find_model(name), device, settings.label_map))
        for name in settings.models
    ]


class Annotator:
    """A loaded pipeline, its models and dictionaries; one per process."""

    def __init__(self, settings: AnnotationSettings) -> None:
        """Load everything.

        Raises:
            ModelError: a model cannot be loaded.
            DictionaryError: a dictionary cannot be used.
            PreprocessError: the spaCy pipeline is not installed, or section rules cannot be used.
            AssessorError: assertion rules or their model cannot be used.
        """
        self.identity: AnnotationSet = identify(settings)
        device = choose_device(settings.ner.device, settings.ner.precision)
        self._preprocessor = Preprocessor(settings.preprocess.pipeline)
        self._heading_rules = load_heading_rules(settings.preprocess.section_rules)
        self._engines = _load_engines(settings.ner, device)
        self._dictionaries = [
            Dictionary(source.store, settings.dictionary)
            for source in find_dictionaries(settings.dictionary)
        ]
        self._assessor = load_assessor(settings.assertion, device)
        self._assessed_kinds = frozenset(settings.assertion.kinds)
        self._measured_kinds = frozenset(settings.quantities.kinds)

    def annotate(
        self,
        documents: pl.DataFrame,
        progress: Callable[[int], None] = lambda done: None,
        *,
        one_by_one: bool = False,
    ) -> Annotations:
        """Annotate a frame of documents.

        Args:
            documents: with columns document_id, text, kind and sections (see
                :data:`nlp.schema.SECTION_SPANS`).
            progress: receives the number of documents done so far.
            one_by_one: take each document by itself: slower, but ``progress`` tells which one is
                at work.

        Returns:
            Frames of every annotation table. A document that fails is isolated by bisection and
            becomes a reject; the others lose nothing.

        Raises:
            DeviceError: the device failed, which no document is to blame for.
            OSError: a file could not be read, likewise.
        """
        result = Annotations({})
        rows: dict[str, list[Row]] = {table.name: [] for table in ANNOTATION_TABLES}
        done = 0
        most = 0 if one_by_one else BATCH_CHARACTERS
        for first, last in batches(documents["text"].str.len_chars().to_list(), most):
            self._annotate_or_halve(documents, first, last, rows, result)
            done += last - first
            progress(done)
        for table in ANNOTATION_TABLES:
            schema = {n: t for n, t in table.schema.items() if n != "annotation_id"}
            frame = pl.DataFrame(rows[table.name], schema=schema)
            annotation_id = pl.lit(self.identity.annotation_id).alias("annotation_id")
            result.frames[table.name] = table.conform(frame.with_columns(annotation_id))
        return result

    def _annotate_or_halve(
        self,
        documents: pl.DataFrame,
        first: int,
        last: int,
        rows: dict[str, list[Row]],
        result: Annotations,
    ) -> None:
        try:
            found = self._annotate_batch(documents.slice(first, last - first), result.seconds)
        except (DeviceError, OSError):  # the machine's fault, no document's
            raise
        except Exception as error:  # whatever a document provokes is that document's reject
            if last - first == 1:
                # The message may quote text, so only its kind is kept.
                result.rejects.append(Reject(first, f"annotation failed: {type(error).__name__}"))
                return
            middle = (first + last) // 2
            self._annotate_or_halve(documents, first, middle, rows, result)
            self._annotate_or_halve(documents, middle, last, rows, result)
        else:
            for table, table_rows in found.items():
                rows[table].extend(table_rows)

    def _annotate_batch(
        self, documents: pl.DataFrame, seconds: dict[str, float]
    ) -> dict[str, list[Row]]:
        texts = documents["text"].to_list()
        clock = time.perf_counter()
        preprocessed = self._preprocessor.process(texts)
        sections = [
            find_sections(text, kind, [Section(**s) for s in given or ()], self._heading_rules)
            for text, kind, given in documents.select("text", "kind", "sections").iter_rows()
        ]
        seconds["preprocess"] += time.perf_counter() - clock
        clock = time.perf_counter()
        sentences = [pre.sentences for pre in preprocessed]
        found = [
            *(engine.find(texts) for engine in self._engines),
            *(dictionary.find(texts, sentences) for dictionary in self._dictionaries),
        ]
        seconds["ner"] += time.perf_counter() - clock
        clock = time.perf_counter()
        rows: dict[str, list[Row]] = {table.name: [] for table in ANNOTATION_TABLES}
        mentions: list[list[Row]] = []
        for index, document_id in enumerate(documents["document_id"]):
            pre, secs = preprocessed[index], sections[index]
            rows[SECTIONS.name] += section_rows(document_id, secs)
            rows[SENTENCES.name] += sentence_rows(document_id, pre.sentences)
            rows[ABBREVIATIONS.name] += abbreviation_rows(document_id, pre.abbreviations)
            spans = [of_texts[index] for of_texts in found]
            mentions.append(
                list(
                    self._mention_rows(
                        document_id, texts[index], spans, pre.sentences, secs, pre.abbreviations
                    )
                )
            )
        kinds = documents["kind"].to_list()
        self._assess(rows, texts, kinds, mentions, sentences, sections)
        for index, document_id in enumerate(documents["document_id"]):
            rows[MENTIONS.name] += mentions[index]
            if kinds[index] in self._measured_kinds:
                ranges = [(m["start_char"], m["end_char"], m["label"]) for m in mentions[index]]
                quantities = find_quantities(
                    texts[index], sentences[index], sections[index], ranges
                )
                rows[QUANTITIES.name] += quantity_rows(document_id, quantities)
        seconds["assertion"] += time.perf_counter() - clock
        return rows

    def _assess(
        self,
        rows: dict[str, list[Row]],
        texts: Sequence[str],
        kinds: Sequence[str],
        mentions: Sequence[Sequence[Row]],
        sentences: Sequence[Sequence[tuple[int, int]]],
        sections: Sequence[Sequence[Section]],
    ) -> None:
        """Fill in what is said of the mentions, and why."""
        if self._assessor is None:
            return
        chosen = [
            index
            for index, kind in enumerate(kinds)
            if kind in self._assessed_kinds and mentions[index]
        ]
        assessed = self._assessor.assess(
            [
                Assessed(
                    texts[index],
                    [(m["start_char"], m["end_char"]) for m in mentions[index]],
                    sentences[index],
                    sections[index],
                )
                for index in chosen
            ]
        )
        for index, assertions in zip(chosen, assessed, strict=True):
            for mention, assertion in zip(mentions[index], assertions, strict=True):
                mention |= assertion_columns(assertion)
                rows[ASSERTION_CUES.name] += cue_rows(mention, assertion)

    def _mention_rows(
        self,
        document_id: str,
        text: str,
        spans: Sequence[Sequence[Span]],
        sentences: Sequence[tuple[int, int]],
        sections: Sequence[Section],
        abbreviations: Sequence[Abbreviation],
    ) -> Iterator[Row]:
        sentence_starts = [start for start, _ in sentences]
        spread = [spread_labels(found, abbreviations) for found in spans]
        models = len(self._engines)
        merged = merge_spans(spread[:models])
        mentions = add_dictionaries(merged, spread[models:], models) if spread[models:] else merged
        names = lookup_texts(text, [(s.start, s.end, s.label) for s, _ in mentions], abbreviations)
        for mention_id, ((span, model), name) in enumerate(zip(mentions, names, strict=True)):
            sentence = bisect_right(sentence_starts, span.start) - 1
            inside = sentence >= 0 and span.start < sentences[sentence][1]
            yield {
                "document_id": document_id,
                "mention_id": mention_id,
                "start_char": span.start,
                "end_char": span.end,
                "mention_text": text[span.start : span.end],
                "label": span.label,
                "score": round(span.score, 4),
                "model": self.identity.models[model].name,
                "sentence_id": sentence if inside else None,
                "section_id": innermost(sections, span.start),
                "lookup_text": name,
            }


def batches(lengths: Sequence[int], most: int) -> Iterator[tuple[int, int]]:
    """Row ranges of at most ``most`` characters; a longer document is a range of its own."""
    first, characters = 0, 0
    for row, length in enumerate(lengths):
        if characters and characters + length > most:
            yield first, row
            first, characters = row, 0
        characters += length
    if first < len(lengths):
        yield first, len(lengths)
