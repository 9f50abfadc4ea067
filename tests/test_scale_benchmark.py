"""What ``benchmarks/scale.py`` stands on: copies that read as the product reads, rows, sums."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import polars as pl
import pytest

from flows import (
    annotate_worker,
    annotating,
    link_worker,
    linking,
    pipeline,
    run,
    shard_stage,
    worker,
)
from flows.incoming import Reject, read_rows
from flows.readers.discover import discover
from nlp.schema import ANNOTATION_TABLES

BENCHMARKS = Path(__file__).resolve().parent.parent / "benchmarks"
CITATION = (
    '<MedlineCitation><PMID Version="1">',
    "</PMID><Article><ArticleTitle>Gout &amp; rest {0}.</ArticleTitle></Article></MedlineCitation>",
)


@pytest.fixture(autouse=True)
def on_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(BENCHMARKS))


def read_all(folder: Path) -> Iterator[pl.DataFrame]:
    for number, file in enumerate(discover([str(folder)])):
        rows = list(read_rows(file, number))
        assert not any(isinstance(row, Reject) for row in rows)
        yield pl.DataFrame(rows, infer_schema_length=None).select(
            "document_id", "native_id", "kind", "text"
        )


def test_copies_have_ids_of_their_own_and_the_texts_of_the_base(tmp_path: Path) -> None:
    from scaling.corpus import Base, write_copies

    head, tail = CITATION
    base = Base(
        [(head, tail.format(number)) for number in range(3)],
        [("p1", "Fever, cough."), ("p2", "Rash\nsince May.")],
    )
    write_copies(base, tmp_path / "copies", 23)
    documents = pl.concat(read_all(tmp_path / "copies"))
    assert len(documents) == documents["document_id"].n_unique() == 23
    for kind, texts in (
        ("abstract", [f"Gout & rest {number}." for number in range(3)]),
        ("note", ["Fever, cough.", "Rash\nsince May."]),
    ):
        rows = documents.filter(kind=kind).select("native_id", "text").rows()
        assert len(rows) > 2 * len(texts)
        assert all(text == texts[(int(native) - 1) % len(texts)] for native, text in rows)


def test_the_stand_in_gives_every_copy_the_rows_of_its_text(tmp_path: Path) -> None:
    from scaling.standin import Replay, StandIn

    for table in ANNOTATION_TABLES:
        schema = {"kind": pl.String, "place": pl.Int64} | table.schema
        del schema["document_id"]
        pl.DataFrame(schema=schema).write_parquet(tmp_path / f"{table.name}.parquet")
    found = {"kind": ["note"] * 40, "place": [0] * 20 + [1] * 20}
    pl.DataFrame(
        found
        | {
            "annotation_id": ["set"] * 40,
            "mention_id": [*range(20)] * 2,
            "start_char": [0] * 40,
            "end_char": [4] * 40,
            "mention_text": ["x"] * 40,
            "label": ["Disease"] * 40,
            "score": [0.5] * 40,
            "model": ["m"] * 40,
            "sentence_id": [0] * 40,
            "section_id": [0] * 40,
            "lookup_text": [f"name {n}" for n in range(40)],
        }
    ).with_columns(
        pl.lit(None, pl.Boolean).alias(name)
        for name in ("negated", "uncertain", "historical", "hypothetical")
    ).with_columns(experiencer=pl.lit(None, pl.String)).write_parquet(tmp_path / "mentions.parquet")
    stand_in = StandIn(Replay(str(tmp_path), 1, 2, 0.0, 0.7, str(tmp_path)), "set")
    documents = pl.DataFrame(
        {
            "document_id": [f"n:{number}" for number in range(1, 9)],
            "native_id": [str(number) for number in range(1, 9)],
            "kind": ["note"] * 8,
            "characters": [10] * 8,
        }
    )
    seen: list[int] = []
    annotations = stand_in.annotate(documents, seen.append)
    mentions = annotations.frames["mentions"]
    assert seen[-1] == 8 and len(mentions) == 160
    assert mentions["document_id"].value_counts()["count"].to_list() == [20] * 8
    names = mentions["lookup_text"].n_unique()
    # Heaps' law: four copies have 4 ** 0.7 = 2.6 times the names of one, not 4 times.
    assert 40 * 1.8 < names < 40 * 3.4


def test_a_plan_adds_up() -> None:
    from scaling.plan import Corpus, Rates, plan

    rates = Rates(
        annotate=1e-4,
        plan_document=1e-4,
        load_document=1e-4,
        link_name=1e-3,
        context_document=1e-4,
        orchestrate_shard=0.2,
        warehouse_character=2.0,
        passing_character=0.5,
        names_document=10.0,
        heaps=0.5,
        sample_documents=1_000,
        prefect_rows_shard=20.0,
        prefect_bytes_shard=1e5,
    )
    made = plan(Corpus("c", 36_000_000, 1_000.0), rates, 1e6)
    assert made.core_hours == pytest.approx(1_000)
    assert (made.cores_week, made.cores_night, made.shards) == (6, 100, 36_000)
    assert made.gpu_hours == pytest.approx(10)
    assert made.warehouse == pytest.approx(72e9)
    assert made.names == pytest.approx(10_000 * 36_000**0.5)
    assert made.overhead == pytest.approx(0.002)


@pytest.mark.parametrize(
    ("module", "names"),
    [
        (pipeline, ("plan", "annotate", "link", "publish")),
        (annotating, ("load_checked",)),
        (shard_stage, ("dispatch",)),
        (linking, ("link_in_context",)),
        (run, ("prefect_api", "summarise")),
        (worker, ("start_worker",)),
        (annotate_worker, ("_annotator", "annotate_shard_file")),
        (link_worker, ("link_names_file",)),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_what_is_wrapped_from_outside_is_there(module: ModuleType, names: tuple[str, ...]) -> None:
    """``benchmarks/scaling/child.py`` and ``standin.py`` wrap these under these names."""
    for name in names:
        assert callable(getattr(module, name)), name
