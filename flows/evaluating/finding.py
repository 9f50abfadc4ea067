"""Where the mentions to judge come from: the models at hand, or a warehouse that a run filled."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from flows.errors import CharthouseError
from flows.evaluating.gold import GoldCorpus
from flows.evaluating.located import located
from flows.evaluating.mentions import Found, annotate, by_document
from flows.evaluating.request import Request
from flows.progress import Reporter
from flows.warehouse.access import access_of
from flows.warehouse.connection import Connection, read_warehouse
from nlp.errors import UNUSABLE
from nlp.fingerprint import AnnotationSet, ModelIdentity
from nlp.settings import PrivacySettings


@dataclass(frozen=True)
class Finding:
    """What was found, and by what.

    Attributes:
        annotation: the models and settings that found it.
        corpora: the gold corpora, by the document_ids of what is judged.
        found: the mentions of each, under the labels they are judged by.
        run_id: the run that wrote them, of several the latest; ``None`` where they are found now.
    """

    annotation: AnnotationSet
    corpora: Sequence[GoldCorpus]
    found: Sequence[Found]
    run_id: str | None = None


def find_mentions(request: Request, corpora: Sequence[GoldCorpus], reporter: Reporter) -> Finding:
    """Find the mentions of each corpus, in order, under the labels they are judged by.

    Raises:
        CharthouseError: a model, a dictionary, the pipeline, the device or the warehouse cannot
            be used.
    """
    run_id = None
    if request.from_warehouse is not None:
        access = access_of(request.settings.warehouse)
        with read_warehouse(request.from_warehouse, access) as connection:
            corpora = [located(connection, request.from_warehouse, c) for c in corpora]
            annotation, run_id = _annotation_set(connection, request, corpora)
            found = [_read(connection, corpus) for corpus in corpora]
    else:
        annotation, found = _annotate(request, corpora, reporter)
    relabelled = [
        its.relabelled(partial(request.found_rules.label, corpus.name))
        for corpus, its in zip(corpora, found, strict=True)
    ]
    return Finding(annotation, corpora, relabelled, run_id)


def _annotate(
    request: Request, corpora: Sequence[GoldCorpus], reporter: Reporter
) -> tuple[AnnotationSet, list[Found]]:
    from nlp.annotate import Annotator  # takes seconds: torch and spaCy

    total = sum(len(corpus.documents) for corpus in corpora)
    found: list[Found] = []
    try:
        settings = request.settings.annotation
        # Gold offsets are those of the gold text: it is judged as it is.
        annotator = Annotator(settings.model_copy(update={"privacy": PrivacySettings()}))
        reporter.stage("annotating", "documents", total)
        for corpus in corpora:
            before = sum(len(its.mentions) for its in found)
            found.append(annotate(annotator, corpus, partial(_advance, reporter, before)))
        reporter.end(total)
    except UNUSABLE as error:
        raise CharthouseError(str(error)) from None  # written without text
    return annotator.identity, found


def _advance(reporter: Reporter, before: int, done: int) -> None:
    reporter.done(before + done)


def found_notes(
    request: Request, annotation: AnnotationSet, corpus: GoldCorpus, found: Found
) -> tuple[str, ...]:
    """What a reader of the scores should know of the mentions found."""
    notes = []
    if found.rejected:
        notes.append(
            f"documents that could not be annotated, so that nothing is found: {found.rejected:,}"
        )
    own = {label for model in annotation.models for label in model.labels}
    # The same command may judge several models: a label that one of them lacks is no mistake.
    if idle := sorted({label for _, label in request.found_rules.renamed} - own):
        notes.append(f"no model at hand finds {', '.join(idle)}, which --found-map renames")
    known = {request.found_rules.label(corpus.name, label) for label in own}
    if labels := [label for label in corpus.labels if label not in known]:
        notes.append(
            f"no model at hand finds {', '.join(labels)}; --label-map OLD= leaves a label out"
        )
    return tuple(notes)


def _annotation_set(
    connection: Connection, request: Request, corpora: Sequence[GoldCorpus]
) -> tuple[AnnotationSet, str]:
    """The one annotation set of the gold documents, and the latest run that worked on them."""
    rows = connection.execute(
        "SELECT annotation_id, max(run_id) FROM document_annotations WHERE is_current "
        "AND document_id IN (SELECT unnest(?::VARCHAR[])) GROUP BY ALL",
        [[document_id for corpus in corpora for document_id in corpus.documents]],
    ).fetchall()
    if len(rows) > 1:
        raise CharthouseError(
            f"warehouse {request.from_warehouse} holds the gold documents under {len(rows)} "
            "annotation sets",
            "Judge files of one set only (charthouse sample --corpus or --where draws such), or "
            "run all documents with the same models and settings",
        )
    ((annotation_id, run_id),) = rows
    ((settings,),) = connection.execute(
        "SELECT settings FROM annotation_sets WHERE annotation_id = ?", [annotation_id]
    ).fetchall()
    models = models_of(connection, settings)
    return AnnotationSet(annotation_id, models, settings), run_id


def models_of(connection: Connection, settings: str) -> tuple[ModelIdentity, ...]:
    """The models that the settings of an annotation set name."""
    labels = dict(connection.execute("SELECT fingerprint, labels FROM models").fetchall())
    return tuple(
        ModelIdentity(name, fingerprint, tuple(labels.get(fingerprint, ())))
        for name, fingerprint in json.loads(settings)["models"]
    )


def _read(connection: Connection, corpus: GoldCorpus) -> Found:
    connection.execute(
        "SELECT document_id, start_char, end_char, label, score, lookup_text FROM entities "
        "WHERE document_id IN (SELECT unnest(?::VARCHAR[])) ORDER BY document_id, mention_id",
        [list(corpus.documents)],
    )
    mentions = by_document(corpus, connection.fetchall())
    ((rejected,),) = connection.execute(
        "SELECT count(*) FROM document_annotations WHERE is_current AND status = 'rejected' "
        "AND document_id IN (SELECT unnest(?::VARCHAR[]))",
        [list(corpus.documents)],
    ).fetchall()
    return Found(mentions, rejected)
