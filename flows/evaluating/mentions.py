"""Mentions that were found in gold documents."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import polars as pl

from flows.evaluating.gold import GoldCorpus
from nlp.schema import MENTIONS, SECTION_SPANS

if TYPE_CHECKING:
    from nlp.annotate import Annotator

Progress = Callable[[int], None]

_COLUMNS = ("document_id", "start_char", "end_char", "label", "score", "lookup_text")


@dataclass(frozen=True, slots=True)
class FoundMention:
    """A mention as it stands in ``mentions``.

    ``label`` is the one it is judged by, ``own_label`` the one it was found, and is linked, under.
    """

    start_char: int
    end_char: int
    label: str
    score: float
    lookup_text: str
    own_label: str


@dataclass(frozen=True)
class Found:
    """What was found in a corpus, by document_id, and the number of documents that failed."""

    mentions: Mapping[str, tuple[FoundMention, ...]]
    rejected: int = 0

    def relabelled(self, label_of: Callable[[str], str]) -> Found:
        """The same under the labels that ``label_of`` gives; an empty one drops a mention.

        Mentions that then share span and label count once: the one with the highest score.
        """
        return replace(
            self,
            mentions={
                document_id: _relabelled(mentions, label_of)
                for document_id, mentions in self.mentions.items()
            },
        )


def _relabelled(
    mentions: Iterable[FoundMention], label_of: Callable[[str], str]
) -> tuple[FoundMention, ...]:
    kept: dict[tuple[int, int, str], FoundMention] = {}
    for mention in mentions:
        label = label_of(mention.own_label)
        key = (mention.start_char, mention.end_char, label)
        if label and (key not in kept or kept[key].score < mention.score):
            kept[key] = replace(mention, label=label)
    return tuple(kept.values())


def annotate(annotator: Annotator, corpus: GoldCorpus, progress: Progress) -> Found:
    """Annotate a corpus as a worker annotates a shard.

    Raises:
        DeviceError: the device failed.
    """
    documents = pl.DataFrame(
        {
            "document_id": list(corpus.documents),
            "text": [document.text for document in corpus.documents.values()],
        },
        schema={"document_id": pl.String, "text": pl.String},
    ).with_columns(kind=pl.lit("abstract"), sections=pl.lit(None, dtype=SECTION_SPANS))
    annotations = annotator.annotate(documents, progress)
    rows = annotations.frames[MENTIONS.name].select(_COLUMNS).iter_rows()
    return Found(by_document(corpus, rows), len(annotations.rejects))


def by_document(
    corpus: GoldCorpus, rows: Iterable[tuple[Any, ...]]
) -> dict[str, tuple[FoundMention, ...]]:
    """Sort rows of document_id, start, end, label, score and lookup text by document."""
    found: dict[str, list[FoundMention]] = {document_id: [] for document_id in corpus.documents}
    for document_id, start, end, label, score, lookup_text in rows:
        found[document_id].append(FoundMention(start, end, label, score, lookup_text, label))
    return {document_id: tuple(mentions) for document_id, mentions in found.items()}
