"""The documents that can be drawn: a table of the session that strategies choose from."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from flows.errors import CharthouseError
from flows.evaluating.finding import models_of
from flows.evaluating.gold import corpus_name
from flows.exporting.selection import SELECTED, select_documents
from flows.generating.where import check_where, one_expression
from flows.readers import labelstudio
from flows.readers.compression import open_binary
from flows.readers.gold import read_gold_file
from flows.sampling.request import SampleRequest
from flows.warehouse.layout import Connection

POOL = "memory.main.pool"
"""document_id, annotation_id, corpus, kind, year, and ``lot``: a hash of seed and document_id that
puts documents in an order that is as good as random, and the same on every machine."""

_SNIFFED_BYTES = 64 * 1024


@dataclass(frozen=True)
class Pool:
    """What there is to draw from.

    Attributes:
        documents: that can be drawn.
        without_text: left out because privacy keeps no text of them.
        excluded: left out because they were drawn or annotated earlier.
        labels: what annotators are asked to mark.
    """

    documents: int
    without_text: int
    excluded: int
    labels: tuple[str, ...]


def make_pool(connection: Connection, request: SampleRequest) -> Pool:
    """Make the table :data:`POOL` of annotated documents that have a text.

    Raises:
        CharthouseError: the condition is none, a file to exclude cannot be read, or nothing can be
            drawn.
    """
    excluded = sorted({i for path in request.exclude for i in document_ids(path)})
    connection.register("earlier", pl.DataFrame({"document_id": excluded}).cast(pl.String))
    connection.execute("CREATE TABLE memory.main.excluded AS FROM earlier")
    connection.unregister("earlier")
    if request.selection.where is not None:  # afterwards the session sees no other file
        check_where(connection, one_expression(request.selection.where))
    select_documents(connection, request.selection, annotated=True)
    connection.execute(
        f"""
        CREATE TABLE memory.main.kept AS
        SELECT s.document_id, s.annotation_id, d.corpus, d.kind, year(d.document_date) AS year,
          md5($seed || ':' || s.document_id) AS lot, d.text IS NOT NULL AS has_text,
          s.document_id IN (SELECT document_id FROM memory.main.excluded) AS is_excluded
        FROM {SELECTED} s JOIN documents d ON d.rowid = s.place
        WHERE len($kinds) = 0 OR list_contains($kinds, d.kind)
        """,
        {"seed": str(request.seed), "kinds": list(request.kinds)},
    )
    ((documents, without_text, earlier),) = connection.execute(
        "SELECT count(*) FILTER (has_text AND NOT is_excluded), count(*) FILTER (NOT has_text), "
        "count(*) FILTER (has_text AND is_excluded) FROM memory.main.kept"
    ).fetchall()
    if not documents:
        raise _nothing(without_text, earlier)
    connection.execute(
        f"CREATE TABLE {POOL} AS SELECT * EXCLUDE (has_text, is_excluded) FROM memory.main.kept "
        "WHERE has_text AND NOT is_excluded"
    )
    connection.execute("DROP TABLE memory.main.kept")
    return Pool(documents, without_text, earlier, request.labels or _labels(connection))


def document_ids(path: Path) -> Iterable[str]:
    """The documents that a sampled or annotated file is about.

    Raises:
        SourceError: it cannot be read.
    """
    with open_binary(path) as stream:
        if labelstudio.sniff(stream.read(_SNIFFED_BYTES)):
            yield from labelstudio.task_ids(path)
            return
    for document in read_gold_file(path):
        yield f"{corpus_name(path)}:{document.native_id}"
        if document.document_id is not None:
            yield document.document_id


def _nothing(without_text: int, excluded: int) -> CharthouseError:
    if without_text:
        return CharthouseError(
            f"there is nothing to annotate: {without_text:,} documents have no text here, as "
            "privacy.mode drop_text keeps none",
            "Sample from a warehouse that keeps texts, with privacy.mode mask or surrogate",
        )
    if excluded:
        return CharthouseError(
            f"all {excluded:,} documents were drawn earlier", "Leave an --exclude out"
        )
    return CharthouseError("no document is selected", "Check --where, --corpus and --kind")


def _labels(connection: Connection) -> tuple[str, ...]:
    """What the models of the pool find, and what they have found."""
    settings = connection.execute(
        f"SELECT settings FROM annotation_sets SEMI JOIN {POOL} USING (annotation_id)"
    ).fetchall()
    found = {
        label
        for (its,) in settings
        if "models" in json.loads(its)
        for model in models_of(connection, its)
        for label in model.labels
    }
    rows = connection.execute(
        f"SELECT DISTINCT label FROM mentions SEMI JOIN {POOL} USING (document_id, annotation_id)"
    ).fetchall()
    return tuple(sorted(found | {label for (label,) in rows}))
