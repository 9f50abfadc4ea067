"""The derived tables of any warehouse are those that plain Python counts."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import date
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flows.derived_settings import DerivedSettings
from flows.warehouse.check_derived import DERIVED_CHECKS
from flows.warehouse.connection import prepare
from flows.warehouse.derived.refresh import refresh
from tests.flows.derived.recount import Recount

SETS = ("one", "two")
LINKSETS = ("l1", "l2")
CONCEPTS = ("X:1", "X:2", "X:3", "X:4")
NAMES = [(text, label) for text in ("a", "b", "c") for label in ("Chemical", "Disease")]

maybe = st.sampled_from([None, True, False])

documents = st.lists(
    st.fixed_dictionaries(
        {
            "corpus": st.sampled_from(["notes", "pubmed"]),
            "kind": st.sampled_from(["note", "abstract"]),
            "document_type": st.sampled_from([None, "CT"]),
            "document_date": st.sampled_from([None, date(2020, 1, 2), date(2020, 12, 31)]),
            "person_id": st.sampled_from([None, "p", "q"]),
            "text": st.sampled_from([None, "é🤒"]),
            "is_deleted": st.booleans(),
            "ledger": st.lists(
                st.sampled_from([(s, status) for s in SETS for status in ("done", "rejected")]),
                unique_by=lambda row: row[0],
                max_size=2,
            ),
            "sentences": st.integers(1, 2),
        }
    ),
    min_size=1,
    max_size=4,
)
mentions = st.lists(
    st.fixed_dictionaries(
        {
            "document": st.integers(0, 3),
            "annotation_id": st.sampled_from(SETS),
            "name": st.sampled_from(NAMES),
            "sentence_id": st.sampled_from([None, 0, 1]),
            "negated": maybe,
            "uncertain": maybe,
            "historical": maybe,
            "hypothetical": maybe,
            "experiencer": st.sampled_from([None, "patient", "family"]),
            "chosen": st.sampled_from([None, None, *CONCEPTS]),
        }
    ),
    max_size=14,
)
links = st.dictionaries(
    st.tuples(st.sampled_from(NAMES), st.sampled_from(LINKSETS)),
    st.tuples(
        st.sampled_from(["linked", "linked", "ambiguous", "below_threshold"]),
        st.sampled_from(CONCEPTS),
    ),
)


@pytest.fixture(scope="module")
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(":memory:") as connection:
        prepare(connection)
        connection.execute(
            "INSERT INTO runs BY NAME SELECT 'r' AS run_id, '' AS order_hash, 'one' AS "
            "annotation_id, 'done' AS status, 0 AS read, now()::TIMESTAMP AS started_at"
        )
        for concept in CONCEPTS:  # X:1 is above X:2, which is above X:3; X:4 is by itself
            above = {"X:2": ["X:1"], "X:3": ["X:1", "X:2"]}.get(concept, [])
            for ancestor in (concept, *above):
                connection.execute(
                    "INSERT INTO concept_ancestors BY NAME SELECT 'r' AS release_id, "
                    "? AS concept_id, ? AS ancestor_id, 1 AS distance",
                    [concept, ancestor],
                )
        yield connection


def insert(connection: duckdb.DuckDBPyConnection, table: str, rows: list[dict[str, Any]]) -> None:
    for row in rows:
        asked = ", ".join(f"${name} AS {name}" for name in row)
        connection.execute(f"INSERT INTO {table} BY NAME SELECT {asked}", row)


def fill(
    connection: duckdb.DuckDBPyConnection,
    documents: list[dict[str, Any]],
    mentions: list[dict[str, Any]],
    links: dict[Any, tuple[str, str]],
    current: tuple[str, ...],
) -> None:
    """Write the rows as loading and linking would."""
    for table in ("documents", "document_annotations", "sentences", "mentions", "name_links",
                  "mention_links", "linksets"):  # fmt: skip
        connection.execute(f"DELETE FROM {table}")
    made = {"release_id": "r", "settings": "{}", "created_at": date(2026, 1, 1)}
    insert(
        connection,
        "linksets",
        [
            made | {"linkset_id": s, "position": i + 1, "is_current": s in current}
            for i, s in enumerate(sorted(LINKSETS, key=lambda s: s not in current))
        ],
    )
    in_ledger = set()
    for number, document in enumerate(documents):
        identity = {"document_id": f"d:{number}"}
        kept = {k: v for k, v in document.items() if k not in ("ledger", "sentences")}
        hashes = {"source_hash": "", "metadata_hash": "", "source_order": 0, "metadata": "{}"}
        insert(connection, "documents", [identity | kept | hashes | {"native_id": str(number)}])
        if document["is_deleted"]:
            continue
        for position, (annotation_id, status) in enumerate(document["ledger"]):
            its = identity | {"annotation_id": annotation_id}
            run = {"source_hash": "", "run_id": "r", "shard_id": "r:1", "status": status}
            insert(connection, "document_annotations", [its | run | {"is_current": position == 0}])
            if status == "done":
                in_ledger.add((number, annotation_id))
                insert(
                    connection,
                    "sentences",
                    [
                        its | {"sentence_id": s, "start_char": s, "end_char": s + 1}
                        for s in range(document["sentences"])
                    ],
                )
    for number, mention in enumerate(mentions):
        if (mention["document"], mention["annotation_id"]) not in in_ledger:
            continue
        its = {
            "document_id": f"d:{mention['document']}",
            "annotation_id": mention["annotation_id"],
            "mention_id": number,
        }
        lookup_text, label = mention["name"]
        said = {
            name: mention[name]
            for name in (
                "sentence_id",
                "negated",
                "uncertain",
                "historical",
                "hypothetical",
                "experiencer",
            )
        }
        spans = {"start_char": 0, "end_char": 1, "score": 1.0, "model": "m"}
        insert(
            connection,
            "mentions",
            [its | said | spans | {"lookup_text": lookup_text, "label": label}],
        )
        if mention["chosen"]:
            how = {"score": 1.0, "method": "context", "concept_id": mention["chosen"]}
            insert(connection, "mention_links", [its | how | {"linkset_id": "l1"}])
    for ((lookup_text, label), linkset), (status, concept) in links.items():
        name = {"lookup_text": lookup_text, "label": label, "linkset_id": linkset}
        insert(
            connection,
            "name_links",
            [name | {"rank": 1, "status": status, "concept_id": concept, "score": 1.0}],
        )


def stored(connection: duckdb.DuckDBPyConnection, table: str) -> list[str]:
    rows = connection.execute(f"FROM {table}").fetchall()
    return sorted(
        repr(tuple(round(v, 9) if isinstance(v, float) else v for v in row)) for row in rows
    )


@settings(
    max_examples=8,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(
    documents=documents,
    mentions=mentions,
    links=links,
    current=st.sampled_from([(), ("l1",), ("l2",), LINKSETS]),
    pair_concepts=st.sampled_from([2, 200]),
    pair_documents=st.sampled_from([1, 2]),
)
def test_tables_are_what_plain_python_counts(
    connection: duckdb.DuckDBPyConnection,
    documents: list[dict[str, Any]],
    mentions: list[dict[str, Any]],
    links: dict[Any, tuple[str, str]],
    current: tuple[str, ...],
    pair_concepts: int,
    pair_documents: int,
) -> None:
    fill(connection, documents, mentions, links, current)
    agree(connection, pair_concepts, pair_documents)


@pytest.mark.parametrize(("pair_concepts", "pair_documents"), [(200, 2), (2, 1)])
def test_many_documents_that_share_their_concepts(
    connection: duckdb.DuckDBPyConnection, pair_concepts: int, pair_documents: int
) -> None:
    chance = random.Random(pair_concepts)

    def one_of(*values: Any) -> Any:
        return chance.choice(values)

    fill(
        connection,
        [
            {
                "corpus": one_of("notes", "pubmed"),
                "kind": "note",
                "document_type": one_of(None, "CT"),
                "document_date": one_of(None, date(2020, 1, 2), date(2021, 1, 2)),
                "person_id": one_of(None, "p", "q"),
                "text": "text",
                "is_deleted": False,
                "ledger": [("one", "done")],
                "sentences": 3,
            }
            for _ in range(8)
        ],
        [
            {
                "document": chance.randrange(8),
                "annotation_id": "one",
                "name": one_of(*NAMES),
                "sentence_id": one_of(None, 0, 1, 2),
                "negated": one_of(None, True, False),
                "uncertain": one_of(None, True, False),
                "historical": one_of(None, True, False),
                "hypothetical": one_of(None, True, False),
                "experiencer": one_of(None, "patient", "family"),
                "chosen": one_of(None, None, None, *CONCEPTS),
            }
            for _ in range(60)
        ],
        {(name, s): ("linked", one_of(*CONCEPTS)) for name in NAMES for s in LINKSETS},
        LINKSETS,
    )
    agree(connection, pair_concepts, pair_documents)
    ((pairs, said),) = connection.execute(
        "SELECT count(*), count(sentence_pmi) FROM concept_pairs"
    ).fetchall()
    assert pairs > 4
    assert said > 0


def agree(connection: duckdb.DuckDBPyConnection, pair_concepts: int, pair_documents: int) -> None:
    """The derived tables, made with these settings, are those of plain Python and of the checks."""
    refresh(connection, DerivedSettings(pair_concepts=pair_concepts, pair_documents=pair_documents))
    counted = Recount(connection)
    expected = {
        name: getattr(counted, name)()
        for name in ("document_concepts", "concept_totals", "branch_totals", "person_totals",
                     "name_totals", "document_totals")
    } | {"concept_pairs": counted.concept_pairs(pair_concepts, pair_documents)}  # fmt: skip
    for table, rows in expected.items():
        assert stored(connection, table) == sorted(map(repr, rows)), table
    for check in DERIVED_CHECKS:
        assert connection.execute(check.query).fetchall() == [], check.name
