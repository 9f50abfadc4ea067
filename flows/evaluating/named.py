"""Gold mentions and the names that a run would link them by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from flows.errors import CharthouseError
from flows.evaluating.concepts import require_concepts
from flows.evaluating.gold import GoldCorpus, read_corpora
from flows.evaluating.links import Name
from flows.labels import parse_rules
from flows.progress import Reporter
from flows.readers.gold import GoldMention
from flows.settings import Settings
from nlp.long_forms import lookup_texts
from nlp.preprocess import PreprocessError
from ontologies.extra import collect_names

_TEXTS = 200
"""Documents preprocessed between two words of progress."""


@dataclass(frozen=True, slots=True)
class NamedMention:
    """A gold mention and the name it is linked by."""

    document_id: str
    mention: GoldMention
    name: Name


def named_mentions(
    pipeline: str, corpora: Sequence[GoldCorpus], reporter: Reporter
) -> list[list[NamedMention]]:
    """Each corpus's mentions with the names that preprocessing makes of them.

    Raises:
        CharthouseError: the preprocessing pipeline cannot be used.
    """
    from nlp.preprocess.pipeline import Preprocessor

    try:
        preprocessor = Preprocessor(pipeline)
    except PreprocessError as error:
        raise CharthouseError(str(error)) from None
    total = sum(len(corpus.documents) for corpus in corpora)
    reporter.stage("preprocessing", "documents", total)
    done, named = 0, []
    for corpus in corpora:
        mentions: list[NamedMention] = []
        documents = list(corpus.documents.items())
        for first in range(0, len(documents), _TEXTS):
            batch = documents[first : first + _TEXTS]
            preprocessed = preprocessor.process([document.text for _, document in batch])
            for (document_id, document), pre in zip(batch, preprocessed, strict=True):
                spans = [(m.start_char, m.end_char, m.label) for m in document.mentions]
                names = lookup_texts(document.text, spans, pre.abbreviations)
                mentions += [
                    NamedMention(document_id, m, (name, m.label))
                    for m, name in zip(document.mentions, names, strict=True)
                ]
            done += len(batch)
            reporter.done(done)
        named.append(mentions)
    reporter.end(total)
    return named


def names_of_gold(paths: Sequence[Path], settings: Settings) -> pl.DataFrame:
    """The names that annotators gave concepts, as a store takes further names.

    Mentions of several concepts are passed over: none of them is what the name means.

    Args:
        paths: gold files that name concepts.
        settings: as of a run; the preprocessing pipeline decides how short forms are expanded.

    Returns:
        Columns ``concept_id``, ``name`` and ``count``.

    Raises:
        CharthouseError: a file cannot be read or names no concepts, or the preprocessing pipeline
            cannot be used.
    """
    corpora = read_corpora(paths, parse_rules((), (), (), ()))
    require_concepts(corpora)
    with Reporter("names", None) as reporter:
        named = named_mentions(settings.preprocess.pipeline, corpora, reporter)
    return collect_names(
        (m.mention.concept_ids[0], m.name[0])
        for mentions in named
        for m in mentions
        if len(m.mention.concept_ids) == 1
    )
