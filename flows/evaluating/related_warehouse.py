"""Relations that stand in a warehouse, as they are judged: pairs of linked concepts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import polars as pl

from flows.errors import CharthouseError
from flows.evaluating.gold import GoldCorpus
from flows.evaluating.request import Request
from flows.generating.relation_items import is_concept, read_relation_item, relation_items
from flows.warehouse.access import access_of
from flows.warehouse.connection import Connection, read_warehouse
from nlp.fingerprint import ModelIdentity
from nlp.relations.text import Relation, RelationText


@dataclass(frozen=True)
class WarehouseRelations:
    """One corpus: texts with found mentions and linked concepts, and relations, by document_id.

    ``missing`` counts documents that the warehouse has no relations of, not even none;
    ``unlinked`` counts relations of a mention without a concept.
    """

    texts: Mapping[str, RelationText]
    relations: Mapping[str, Sequence[Relation]]
    missing: int
    unlinked: int


@dataclass(frozen=True)
class StoredRelations:
    """All corpora, in order, and what found and linked."""

    identity: ModelIdentity
    linkset_id: str | None
    corpora: list[WarehouseRelations]


def read_relations(request: Request, corpora: Sequence[GoldCorpus]) -> StoredRelations:
    """Read the relations of gold documents from a warehouse.

    A document is found by its id, or, where its corpus has another name there, by its native id.

    Raises:
        CharthouseError: the warehouse has no relations, or none of the gold documents.
    """
    path, access = request.from_warehouse, access_of(request.settings.warehouse)
    assert path is not None
    with read_warehouse(path, access) as connection:
        generation_id, identity = _set(connection, request)
        linksets = connection.execute(
            "SELECT linkset_id FROM linksets WHERE is_current AND position = 1"
        ).fetchall()
        if not linksets:
            raise CharthouseError(
                f"warehouse {path} has no linked concepts, which relations are judged by",
                "charthouse relink --ontology STORE links its names",
            )
        read = [_read(connection, corpus, generation_id) for corpus in corpora]
    for corpus, its in zip(corpora, read, strict=True):
        if its.missing == len(corpus.documents):
            raise CharthouseError(
                f"warehouse {path} holds relations of no document of gold corpus {corpus.name}",
                "charthouse run GOLD --warehouse W.duckdb, then charthouse generate relations",
            )
    return StoredRelations(identity, linksets[0][0], read)


def _set(connection: Connection, request: Request) -> tuple[str, ModelIdentity]:
    """The set of relations that was asked for, or the latest one."""
    rows = connection.execute(
        "SELECT generation_id, model, model_fingerprint FROM generation_sets "
        "WHERE task = 'relations' ORDER BY created_at DESC, generation_id"
    ).fetchall()
    wanted = request.generation_id
    for generation_id, model, fingerprint in rows:
        if wanted in (None, generation_id):
            return generation_id, ModelIdentity(model, fingerprint, ())
    known = ", ".join(row[0] for row in rows)
    raise CharthouseError(
        f"warehouse {request.from_warehouse} holds no relations"
        + (f" of {wanted}" if wanted else ""),
        f"Sets there are {known}" if known else "charthouse generate relations makes some",
    )


def _read(connection: Connection, corpus: GoldCorpus, generation_id: str) -> WarehouseRelations:
    gold = pl.DataFrame(
        [(document_id, d.native_id) for document_id, d in corpus.documents.items()],
        schema={"gold_id": pl.String, "native_id": pl.String},
        orient="row",
    )
    connection.register("gold_ids", gold.to_arrow())
    connection.execute(
        """
        CREATE OR REPLACE TEMP TABLE gold_documents AS
        SELECT g.gold_id, arg_min(d.document_id, (d.document_id != g.gold_id, d.document_id))
          AS document_id
        FROM gold_ids g JOIN documents d ON d.native_id = g.native_id AND NOT d.is_deleted
        GROUP BY ALL
        """
    )
    connection.unregister("gold_ids")
    homes = dict(connection.execute("SELECT document_id, gold_id FROM gold_documents").fetchall())
    done = {
        document_id
        for (document_id,) in connection.execute(
            "SELECT document_id FROM generation_items SEMI JOIN gold_documents USING (document_id) "
            "WHERE generation_id = ? AND status = 'done'",
            [generation_id],
        ).fetchall()
    }
    stored: dict[str, list[tuple[Any, ...]]] = {}
    for document_id, *row in connection.execute(
        "SELECT document_id, annotation_id, subject_mention_id, relation, object_mention_id, score "
        "FROM relations SEMI JOIN gold_documents USING (document_id) WHERE generation_id = ? "
        "ORDER BY document_id, relation_id",
        [generation_id],
    ).fetchall():
        stored.setdefault(document_id, []).append(tuple(row))
    texts = {gold_id: RelationText("", (), ()) for gold_id in corpus.documents}
    relations: dict[str, list[Relation]] = {gold_id: [] for gold_id in corpus.documents}
    unlinked = 0
    chosen = "document_id IN (SELECT document_id FROM temp.gold_documents)"
    for frame in relation_items(connection, chosen):
        for document_id, content in frame.select("document_id", "input").iter_rows():
            item = read_relation_item(content)
            concepts = {
                mention_id: next(filter(is_concept, mention.concepts), None)
                for mention_id, mention in zip(item.mention_ids, item.text.mentions, strict=True)
            }
            mentions = tuple(
                replace(m, concepts=tuple(filter(is_concept, m.concepts)))
                for m in item.text.mentions
            )
            texts[homes[document_id]] = replace(item.text, mentions=mentions)
            for annotation_id, subject_id, relation, object_id, score in stored.get(
                document_id, ()
            ):
                subject, other = concepts.get(subject_id), concepts.get(object_id)
                if annotation_id != item.annotation_id or not subject or not other:
                    unlinked += 1
                    continue
                relations[homes[document_id]].append(
                    Relation(subject, other, subject_id, object_id, relation, score)
                )
    return WarehouseRelations(texts, relations, len(corpus.documents) - len(done), unlinked)
