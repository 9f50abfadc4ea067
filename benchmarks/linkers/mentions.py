"""Gold mentions whose concept is in the store, and how many of them a linker gets right."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

from flows.evaluating import named
from flows.evaluating.concepts import gold_concepts, in_release
from flows.evaluating.gold import GoldCorpus, read_corpora
from flows.evaluating.links import Name, held
from flows.evaluating.named import named_mentions
from flows.labels import parse_rules
from flows.progress import Reporter
from flows.settings import Settings
from nlp.long_forms import MentionSpan
from nlp.lookup import lookup_text
from nlp.preprocess.abbreviations import Abbreviation
from ontologies.store import ConceptStore

WRITTEN, DEFINED, READ = "as written", "definitions", "long forms"
"""How mentions become names: as they stand; with the definitions that their document states
(``nlp/lookup.py``); also read by the other mentions of the document (``nlp/long_forms.py``)."""

Group = tuple[str, str]
"""A corpus and a label: what accuracy is told of."""


@dataclass(frozen=True)
class Case:
    """A gold mention: where it is from, its name by each way, and the concepts it may mean."""

    corpus: str
    document_id: str
    label: str
    names: dict[str, str]
    wanted: frozenset[str]
    in_store: bool

    @property
    def group(self) -> Group:
        """Where its accuracy is told."""
        return self.corpus, self.label


def read_cases(
    files: Sequence[Path], stores: Sequence[ConceptStore], limit: int | None
) -> list[list[Case]]:
    """All gold mentions, for each store: what is held, and ids in terms of its release.

    Args:
        files: gold files.
        stores: that they will be linked to.
        limit: the first so many documents of each file.
    """
    corpora = read_corpora(files, parse_rules((), (), (), ()), limit)
    ways = {READ: _names(corpora)}
    with _names_by_definition():
        ways[DEFINED] = _names(corpora)
    return [_cases(corpora, in_release(corpora, store), ways, store) for store in stores]


def _names(corpora: Sequence[GoldCorpus]) -> list[str]:
    with Reporter("linking", None, quiet=True) as reporter:
        by_corpus = named_mentions(Settings().preprocess.pipeline, corpora, reporter)
    return [m.name[0] for mentions in by_corpus for m in mentions]


@contextmanager
def _names_by_definition() -> Iterator[None]:
    """Within it, mentions are named by ``nlp.lookup`` alone."""

    def lookup_texts(
        text: str, mentions: Sequence[MentionSpan], abbreviations: Sequence[Abbreviation]
    ) -> list[str]:
        return [lookup_text(text, start, end, abbreviations) for start, end, _ in mentions]

    with patch.object(named, "lookup_texts", lookup_texts):
        yield


def _cases(
    corpora: Sequence[GoldCorpus],
    current: Sequence[GoldCorpus],
    ways: dict[str, list[str]],
    store: ConceptStore,
) -> list[Case]:
    there = held(store, {c for corpus in current for c in gold_concepts(corpus)})
    mentions = [
        (corpus.name, document_id, document.text, m)
        for corpus in current
        for document_id, document in corpus.documents.items()
        for m in document.mentions
    ]
    return [
        Case(
            corpus=corpus,
            document_id=document_id,
            label=m.label,
            names={
                WRITTEN: " ".join(text[m.start_char : m.end_char].split()),
                DEFINED: defined,
                READ: read,
            },
            wanted=frozenset(m.concept_ids),
            in_store=not there.isdisjoint(m.concept_ids),
        )
        for (corpus, document_id, text, m), defined, read in zip(
            mentions, ways[DEFINED], ways[READ], strict=True
        )
    ]


def distinct_names(cases: Sequence[Case], way: str) -> list[Name]:
    return sorted({(case.names[way], case.label) for case in cases})


def accuracy(
    cases: Sequence[Case], chosen: Callable[[Case], str | None] | Sequence[str | None]
) -> dict[Group, float]:
    """Accuracy@1 in percent of the mentions whose concept is in the store, by corpus and label.

    Args:
        cases: all mentions.
        chosen: the concept of a mention, or one a mention; none is a wrong answer.
    """
    right: dict[Group, list[bool]] = defaultdict(list)
    for at, case in enumerate(cases):
        if case.in_store:
            concept_id = chosen(case) if callable(chosen) else chosen[at]
            right[case.group].append(concept_id in case.wanted)
    return {group: 100 * sum(its) / len(its) for group, its in sorted(right.items())}
