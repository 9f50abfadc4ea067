"""The order of a training of a relation classifier, from gold files with relations."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from flows.devices import check_device
from flows.errors import CharthouseError, SourceError
from flows.evaluating.gold import GoldCorpus, read_corpora
from flows.evaluating.links import open_named_store
from flows.labels import parse_rules
from flows.readers.gold import GoldDocument
from flows.related import related_labels, related_pairs, relation_texts
from flows.training.history import Measure
from flows.training.order import Scores, TrainingOrder, check_base, check_place
from nlp.ner.errors import ModelError
from nlp.ner.score import SpanScore
from nlp.ner.source import find_model, model_fingerprint, read_config
from nlp.training.progress import Report

if TYPE_CHECKING:
    from nlp.relations.training import GoldRelations, RelationRecipe


@dataclass(frozen=True)
class RelationRequest:
    """Which gold files to learn from, as the command line says it.

    ``relation`` is one of their types, where they have several; ``ontology`` is a concept store
    that says which concepts are broader than others.
    """

    train: tuple[Path, ...]
    dev: tuple[Path, ...] = ()
    dev_share: float = 0.0
    split_seed: int = 0
    relation: str | None = None
    ontology: str | None = None


@dataclass(frozen=True)
class RelationOrder(TrainingOrder):
    """Everything a training needs, checked: the base is there, the gold files are read."""

    recipe: RelationRecipe
    train: tuple[GoldRelations, ...]
    dev: tuple[GoldRelations, ...]
    files: tuple[str, ...]
    release: str | None
    left_out: int

    kind: ClassVar[str] = "relations"
    measure: ClassVar[Measure] = Measure("f1", "dev F1, pairs of concepts")
    shown: ClassVar[Mapping[str, str]] = {
        "precision": "dev precision",
        "recall": "recall",
        "f1": "F1",
    }
    loss_title: ClassVar[str] = "loss a pair"
    scores_title: ClassVar[str] = "Dev scores, related concepts of documents"
    model_files: ClassVar[tuple[str, ...]] = ("relations.json", "decoder.json")
    when_diverged: ClassVar[str] = (
        "Lower --encoder-rate and --head-rate, and add --overwrite to begin anew"
    )
    when_too_large: ClassVar[str] = "Lower --batch-tokens and add --overwrite"

    @property
    def examples(self) -> dict[str, str]:
        """Fingerprints of train and dev."""
        from nlp.relations.training.loop import fingerprint_of

        return {
            "train texts": fingerprint_of(self.train),
            "dev texts": fingerprint_of(self.dev),
        }

    @property
    def notes(self) -> list[str]:
        """How many train texts are left out."""
        if not self.left_out:
            return []
        return [f"{self.left_out:,} train texts stand in the dev files too and are left out"]

    @property
    def usage(self) -> str:
        """A command that uses the model."""
        return f"charthouse generate relations --warehouse W.duckdb --model {self.out}"

    def describe(self) -> dict[str, Any]:
        """What training.json says beside the recipe; names of files may tell of people: none."""
        return {
            **super().describe(),
            "files": list(self.files),
            "ontology": self.release,
            "documents": {"train": len(self.train), "dev": len(self.dev)},
            "pairs": {"train": _related(self.train), "dev": _related(self.dev)},
            "left_out": self.left_out,
        }

    def fit(self, made: Path, checkpoints: Path, report: Report) -> Scores:
        """Fine-tune; scores are counts of pairs of the relation."""
        from nlp.relations.training import train

        score = train(
            self.base,
            self.train,
            self.dev,
            made,
            self.recipe,
            checkpoints=checkpoints,
            device=self.device,
            report=report,
            describe=self.describe(),
        )
        return {self.recipe.relation: asdict(score)}

    def score_rows(self, scores: Scores) -> list[dict[str, Any]]:
        """A row of the relation."""
        counted = {relation: SpanScore(**counts) for relation, counts in scores.items()}
        return [
            {
                "relation": relation,
                "gold": score.gold,
                "found": score.found,
                "precision": round(score.precision, 4),
                "recall": round(score.recall, 4),
                "f1": round(score.f1, 4),
            }
            for relation, score in counted.items()
        ]


def prepare_order(
    request: RelationRequest,
    base: str,
    recipe: Mapping[str, Any],
    out: Path,
    device: str,
    pipeline: str,
) -> RelationOrder:
    """Check everything at the door.

    Args:
        request: the gold files.
        base: ``bundled``, a folder, or ``hub:owner/name@revision`` of an encoder of BERT's form.
        recipe: fields of ``RelationRecipe`` that differ from their defaults.
        out: folder for the model.
        device: ``auto``, ``cpu``, ``cuda`` or ``cuda:N``.
        pipeline: what cuts texts into sentences.

    Raises:
        CharthouseError: something is missing or unusable; nothing has been written.
    """
    out = check_place(out)
    try:
        source = find_model(base)
        fingerprint = model_fingerprint(source)
        check_base(source.folder, out)
        if read_config(source)["model_type"] != "bert":
            raise CharthouseError(
                f"base {source.name} is no encoder of BERT's form",
                "Use bundled, PubMedBERT, BioLinkBERT or the like",
            )
        check_device(device)
    except ModelError as error:
        raise CharthouseError(str(error)) from None
    corpora = read_corpora((*request.train, *request.dev), parse_rules((), (), (), ()))
    relation, (subject_label, object_label) = _relation(corpora, request.relation)
    store = open_named_store(request.ontology) if request.ontology else None
    train = [d for c in corpora[: len(request.train)] for d in c.documents.values()]
    dev = [d for c in corpora[len(request.train) :] for d in c.documents.values()]
    left_out = 0
    if dev:
        in_dev = {document.text for document in dev}
        left_out = sum(document.text in in_dev for document in train)
        train = [document for document in train if document.text not in in_dev]
    else:
        train, dev = _split(train, request.dev_share, request.split_seed)

    from nlp.relations.training import GoldRelations, RelationRecipe  # takes seconds: torch

    def gold(documents: Sequence[GoldDocument]) -> tuple[GoldRelations, ...]:
        texts = relation_texts(documents, pipeline, store)
        return tuple(
            GoldRelations(text, related_pairs(document).get(relation, frozenset()))
            for text, document in zip(texts, documents, strict=True)
        )

    made = RelationRecipe(
        **{
            "relation": relation,
            "subject_label": subject_label,
            "object_label": object_label,
            **recipe,
        }
    )
    return RelationOrder(
        out,
        device,
        source,
        fingerprint,
        made,
        gold(train),
        gold(dev),
        tuple(corpus.sha256 for corpus in corpora),
        store.release.release_id if store else None,
        left_out,
    )


def _relation(corpora: Sequence[GoldCorpus], wanted: str | None) -> tuple[str, tuple[str, str]]:
    """The type of relation to learn, and the labels of its two sides."""
    labels = related_labels(d for corpus in corpora for d in corpus.documents.values())
    there = ", ".join(labels)
    if not labels:
        raise SourceError(
            "the gold files state no relation",
            "Name files with relations, such as CDR's with CID rows",
        )
    if wanted is None and len(labels) > 1:
        raise CharthouseError(
            f"the gold files state several relations: {there}", "Choose one with --relation"
        )
    chosen = wanted or next(iter(labels))
    if chosen not in labels:
        raise CharthouseError(
            f"--relation {chosen}: the gold files do not state it", f"Relations there are {there}"
        )
    if not all(labels[chosen]):
        raise SourceError(f"no mention has a concept that {chosen} relates", "Check the gold files")
    return chosen, labels[chosen]


def _split(
    documents: Sequence[GoldDocument], share: float, seed: int
) -> tuple[list[GoldDocument], list[GoldDocument]]:
    """Set a share of the documents apart, one at least; which, hangs on text and seed alone."""
    texts = sorted(
        {document.text for document in documents},
        key=lambda text: hashlib.sha256(f"{seed} {text}".encode("utf-8", "replace")).digest(),
    )
    apart = set(texts[: min(max(1, round(share * len(texts))), len(texts) - 1)])
    return (
        [document for document in documents if document.text not in apart],
        [document for document in documents if document.text in apart],
    )


def _related(texts: Sequence[GoldRelations]) -> int:
    return sum(len(text.related) for text in texts)
