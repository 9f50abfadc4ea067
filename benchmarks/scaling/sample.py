"""The base through the real model: its rate, and what it found, for the stand-in to repeat."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

from flows.schema import DOCUMENT_ANNOTATIONS
from flows.warehouse.connection import Connection, open_warehouse, read_warehouse
from flows.warehouse.ddl import literal
from nlp.schema import ANNOTATION_TABLES, DOCUMENTS
from ontologies.schema import NAME_LINKS

HEAPS_USUAL = 0.7
"""Where the sample is too small to fit it."""
_FEWEST_TO_FIT = 200


@dataclass(frozen=True)
class KindSize:
    """Documents of a kind in the base, and what they are made of on average."""

    documents: int
    characters: float
    mentions: float


@dataclass(frozen=True)
class Sample:
    """What the real model did.

    Attributes:
        documents, characters: annotated.
        preprocess, ner, write: seconds in workers, each on one thread, all shards together.
        heaps: exponent of Heaps' law for distinct names over documents.
        names: distinct names in the sample.
        kinds: sizes by kind.
    """

    documents: int
    characters: int
    preprocess: float
    ner: float
    write: float
    heaps: float
    names: int
    kinds: dict[str, KindSize]

    @property
    def seconds_a_character(self) -> float:
        """Of one worker: preprocessing and NER."""
        return (self.preprocess + self.ner) / self.characters


def read_sample(warehouse: Path, folder: Path) -> Sample:
    """Read the rates of a run over the base, and write its annotations for the stand-in."""
    folder.mkdir(parents=True)
    with read_warehouse(warehouse) as connection:
        for table in ANNOTATION_TABLES:
            rows = connection.sql(
                f"SELECT d.kind, d.native_id::BIGINT - 1 AS place, t.* EXCLUDE (document_id) "
                f"FROM {table.name} t JOIN documents d USING (document_id)"
            ).pl()
            rows.write_parquet(folder / f"{table.name}.parquet")
        ((preprocess, ner, write),) = connection.execute(
            "SELECT sum(seconds.preprocess), sum(seconds.ner), sum(seconds.write) FROM shards"
        ).fetchall()
        kinds = connection.execute(
            "SELECT kind, count(*), avg(length(text)), "
            "(SELECT count(*) FROM mentions m JOIN documents o USING (document_id) "
            "WHERE o.kind = d.kind) / count(*) FROM documents d GROUP BY kind"
        ).fetchall()
        ((names,),) = connection.execute(
            "SELECT count(*) FROM (SELECT DISTINCT lookup_text, label FROM mentions)"
        ).fetchall()
        heaps = _heaps(connection)
    sizes = {kind: KindSize(*rest) for kind, *rest in kinds}
    documents = sum(size.documents for size in sizes.values())
    characters = round(sum(size.documents * size.characters for size in sizes.values()))
    return Sample(documents, characters, preprocess, ner, write, heaps, names, sizes)


def _heaps(connection: Connection) -> float:
    """The slope of distinct names over documents in logarithms, from the sample's halves."""
    seen = connection.sql(
        "WITH ranked AS (SELECT document_id, row_number() OVER (ORDER BY md5(document_id)) AS nth "
        "FROM documents) SELECT min(nth) AS first FROM mentions JOIN ranked USING (document_id) "
        "GROUP BY lookup_text, label"
    ).pl()["first"]
    documents = int(seen.max() or 0)  # type: ignore[arg-type]
    if documents < _FEWEST_TO_FIT:
        return HEAPS_USUAL
    half = int((seen <= documents // 2).sum())
    return round(math.log2(len(seen) / half), 3)


def corpus_bytes(warehouse: Path, folder: Path) -> int:
    """Bytes that documents, annotations and links take in a warehouse, without the ontology."""
    copy = folder / "corpus.duckdb"
    with open_warehouse(copy) as connection:
        connection.execute("CHECKPOINT")
        empty = copy.stat().st_size
        connection.execute(f"ATTACH {literal(str(warehouse))} AS sample (READ_ONLY)")
        for table in (DOCUMENTS, *ANNOTATION_TABLES, DOCUMENT_ANNOTATIONS, NAME_LINKS):
            connection.execute(f"INSERT INTO {table.name} FROM sample.{table.name}")
    size = copy.stat().st_size - empty
    copy.unlink()
    return size
