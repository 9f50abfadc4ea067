"""Gold files as they are judged by: labels mapped, each document and each mention once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from flows.errors import CharthouseError, SourceError
from flows.evaluating.agreement import Agreement, agreement
from flows.readers.base import corpus_of_stem
from flows.readers.drawn import Drawn, read_sidecar
from flows.readers.gold import GoldDocument, GoldMention, read_gold_file
from flows.work import file_sha256

if TYPE_CHECKING:
    from flows.labels import LabelRules

Span = tuple[int, int]


@dataclass(frozen=True)
class GoldCorpus:
    """A gold file.

    Attributes:
        name: the corpus, as a run would name it after the file.
        sha256: of the file as it lies on disk.
        documents: by document_id; labels are ours, and of mentions that share span and label
            there is one, with the concepts of all.
        repeated: documents left out because their id stands again further on in the file.
        misplaced: mentions whose words are not those at their offsets.
        own_labels: labels in the file, as the file has them.
        labels: ours for them, whether or not the documents taken use them: what is judged.
        concept_labels: those of them under which the file names concepts.
        drawn: how its documents were drawn from a warehouse, where the file or one beside says so;
            what annotators were asked to mark is then judged even where they marked none.
        agreement: of annotators with each other, where several worked on the same documents.
        absent: documents left out because the warehouse that is judged does not have them now.
        changed: documents left out because it has another text of them.
    """

    name: str
    sha256: str
    documents: Mapping[str, GoldDocument]
    repeated: int
    misplaced: int
    own_labels: frozenset[str]
    labels: tuple[str, ...]
    concept_labels: tuple[str, ...]
    drawn: Drawn | None = None
    agreement: Agreement | None = None
    absent: int = 0
    changed: int = 0


def read_corpora(
    paths: Sequence[Path], rules: LabelRules, limit: int | None = None
) -> list[GoldCorpus]:
    """Read gold files, one corpus each.

    Args:
        paths: PubTator, BioC, IOB or Label Studio files.
        rules: what their labels are here.
        limit: take the first so many documents of each file.

    Raises:
        SourceError: a file cannot be read, or holds nothing to judge by.
        CharthouseError: two files would give documents the same ids.
    """
    named_apart(paths)
    return [_read(path, rules, limit) for path in paths]


def named_apart(paths: Sequence[Path]) -> None:
    """Check that no two gold files give their corpora the same name.

    Raises:
        CharthouseError: two do.
    """
    named: dict[str, Path] = {}
    for path in paths:
        name = corpus_name(path)
        if name in named:
            raise CharthouseError(
                f"{named[name]} and {path} are both named corpus {name}",
                "Name each gold file once, or give one of them another file name",
            )
        named[name] = path


def corpus_name(path: Path) -> str:
    """The corpus that a run would put the file's documents into."""
    return corpus_of_stem(path, None).replace(":", "_")


def _read(path: Path, rules: LabelRules, limit: int | None) -> GoldCorpus:
    name = corpus_name(path)
    read, documents = 0, dict[str, GoldDocument]()
    for ordinal, document in enumerate(read_gold_file(path), start=1):
        if not document.native_id:
            raise SourceError(f"{path}, document {ordinal}: has no id", "Give it one")
        if document.text.strip():  # a run refuses what has no text
            read += 1
            # Of an id that stands twice the last one counts, as it does in a warehouse.
            documents[f"{name}:{document.native_id}"] = document
    drawn = next((d.drawn for d in documents.values() if d.drawn), None) or read_sidecar(path)
    own_labels = frozenset(m.label for d in documents.values() for m in d.mentions)
    own_labels |= frozenset(drawn.labels if drawn else ())
    own_labels |= {m.label for d in documents.values() for its in d.annotators for m in its}
    labels = {label: rules.label(name, label) for label in own_labels}
    taken = dict(list(documents.items())[:limit])
    corpus = GoldCorpus(
        name=name,
        sha256=file_sha256(path),
        documents={
            document_id: replace(document, mentions=_relabelled(document.mentions, labels))
            for document_id, document in taken.items()
        },
        repeated=read - len(documents),
        misplaced=sum(_is_misplaced(d, m) for d in taken.values() for m in d.mentions),
        own_labels=own_labels,
        labels=_distinct(labels.values()),
        concept_labels=_distinct(
            labels[m.label] for d in documents.values() for m in d.mentions if m.concept_ids
        ),
        drawn=drawn,
        agreement=agreement(taken.values(), labels),
    )
    if drawn is None and not any(document.mentions for document in corpus.documents.values()):
        there = ", ".join(sorted(own_labels)) or "none"
        where = f"the first {limit:,} documents of {path}" if limit else str(path)
        raise SourceError(
            f"{where}: no gold mention is left to judge by (labels in the file: {there})",
            "Check --label-map and --limit",
        )
    return corpus


def _distinct(labels: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted({label for label in labels if label}))


def _is_misplaced(document: GoldDocument, mention: GoldMention) -> bool:
    there = document.text[mention.start_char : mention.end_char]
    return there.split() != mention.mention_text.split()  # some files wrap lines


def _relabelled(
    mentions: Iterable[GoldMention], labels: Mapping[str, str]
) -> tuple[GoldMention, ...]:
    """Mentions under our labels, each span and label once, in the file's order."""
    kept: dict[tuple[int, int, str], GoldMention] = {}
    for mention in mentions:
        label = labels[mention.label]
        if not label:
            continue
        key = (mention.start_char, mention.end_char, label)
        before = kept[key].concept_ids if key in kept else ()
        concept_ids = tuple(dict.fromkeys((*before, *mention.concept_ids)))
        kept[key] = replace(mention, label=label, concept_ids=concept_ids)
    return tuple(kept.values())
