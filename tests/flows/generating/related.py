"""A warehouse with annotated and linked documents, filled without a model."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import polars as pl

from flows.schema import (
    DOCUMENT_ANNOTATIONS,
    LINKSETS,
)
from flows.warehouse.connection import Connection, open_warehouse
from flows.warehouse.load import insert
from nlp.preprocess.sentences import find_sentences
from nlp.schema import DOCUMENTS, MENTIONS, SENTENCES
from ontologies.schema import CONCEPT_ANCESTORS, CONCEPTS, NAME_LINKS
from ontologies.table import Table

CONCEPTS_OF: Mapping[str, tuple[str, str, str]] = {
    "lithium": ("Chemical", "MESH:D1", "Lithium"),
    "heparin": ("Chemical", "MESH:D2", "Heparin"),
    "cyanosis": ("Disease", "MESH:D3", "Cyanosis"),
    "ulcer": ("Disease", "MESH:D4", "Ulcer"),
    "gastric ulcer": ("Disease", "MESH:D5", "Stomach Ulcer"),
}
"""Label, concept and preferred name of what is a mention; *mystery* is a disease without one."""

ANNOTATION_ID = "a1"
WHEN = datetime(2026, 1, 1)


def put(connection: Connection, table: Table, rows: list[dict[str, Any]]) -> None:
    frame = table.conform(pl.DataFrame(rows, infer_schema_length=None))
    connection.register("rows_to_put", frame.to_arrow())
    insert(connection, table, "rows_to_put")
    connection.unregister("rows_to_put")


def fill(path: Path, texts: Mapping[str, str], corpus: str = "c") -> None:
    """Make a warehouse in which the words above are mentions of the texts."""
    documents: list[dict[str, Any]] = []
    mentions: list[dict[str, Any]] = []
    sentences: list[dict[str, Any]] = []
    ledger: list[dict[str, Any]] = []
    words = "|".join(sorted((*CONCEPTS_OF, "mystery"), key=len, reverse=True))
    for number, (native_id, text) in enumerate(texts.items()):
        key = {"document_id": f"{corpus}:{native_id}", "annotation_id": ANNOTATION_ID}
        documents.append(
            key
            | {
                "corpus": corpus,
                "native_id": native_id,
                "kind": "abstract",
                "text": text,
                "source_hash": f"s{number}",
                "metadata_hash": "m",
                "source_order": number,
                "metadata": "{}",
                "is_deleted": False,
            }
        )
        ledger.append(
            key
            | {
                "source_hash": f"s{number}",
                "run_id": "r",
                "shard_id": "r:1",
                "status": "done",
                "is_current": True,
            }
        )
        sentences += [
            key | {"sentence_id": n, "start_char": start, "end_char": end}
            for n, (start, end) in enumerate(find_sentences(text))
        ]
        for n, found in enumerate(re.finditer(words, text, re.IGNORECASE)):
            label = CONCEPTS_OF.get(found[0].casefold(), ("Disease",))[0]
            mentions.append(
                key
                | {
                    "mention_id": n,
                    "start_char": found.start(),
                    "end_char": found.end(),
                    "mention_text": found[0],
                    "label": label,
                    "score": 1.0,
                    "model": "m",
                    "lookup_text": found[0],
                }
            )
    with open_warehouse(path) as connection:
        put(connection, DOCUMENTS, documents)
        put(connection, DOCUMENT_ANNOTATIONS, ledger)
        put(connection, SENTENCES, sentences)
        put(connection, MENTIONS, mentions)
        put(connection, LINKSETS, [_linkset()])
        names = {(m["lookup_text"], m["label"]) for m in mentions}
        put(connection, NAME_LINKS, [_link(*name) for name in sorted(names)])
        put(connection, CONCEPTS, [_concept(c, n) for _, c, n in CONCEPTS_OF.values()])
        put(
            connection,
            CONCEPT_ANCESTORS,
            [
                {"release_id": "rel", "concept_id": a, "ancestor_id": b, "distance": d}
                for a, b, d in (("MESH:D5", "MESH:D5", 0), ("MESH:D5", "MESH:D4", 1))
            ],
        )


def _linkset() -> dict[str, Any]:
    return {
        "linkset_id": "l",
        "release_id": "rel",
        "position": 1,
        "is_current": True,
        "settings": "{}",
        "created_at": WHEN,
    }


def _link(name: str, label: str) -> dict[str, Any]:
    concept = CONCEPTS_OF.get(name.casefold(), (None, None))[1]
    return {
        "lookup_text": name,
        "label": label,
        "linkset_id": "l",
        "rank": 1,
        "status": "linked" if concept else "no_candidate",
        "concept_id": concept,
    }


def _concept(concept_id: str, name: str) -> dict[str, Any]:
    return {
        "release_id": "rel",
        "concept_id": concept_id,
        "concept_name": name,
        "semantic_types": [],
        "tree_numbers": [],
    }
