"""Floors on real notes, against quantities annotated by hand."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

SCRIPT = Path(__file__).resolve().parents[3] / "benchmarks" / "quantities.py"


@pytest.fixture(scope="module")
def benchmark() -> ModuleType:
    spec = importlib.util.spec_from_file_location("benchmark_quantities", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("half", ["tune", "held"])
def test_agreement_with_the_gold(benchmark: ModuleType, data_dir: Path, half: str) -> None:
    texts = benchmark.read_texts(data_dir)
    sentences = [s for s in benchmark.read_gold() if s.half == half]
    assert len(sentences) == 50
    score = benchmark.judge(sentences, benchmark.find_all(texts, sentences))
    assert score.gold > 100
    assert score.f1 > 0.96
    assert score.kind > 0.94 * score.gold
    assert score.value > 0.94 * score.gold
    assert score.name > 0.92 * score.gold
    assert score.attached > 0.92 * score.gold


def test_the_gold_is_sound(benchmark: ModuleType, data_dir: Path) -> None:
    texts = benchmark.read_texts(data_dir)
    sentences = benchmark.read_gold()
    rows = benchmark.read_rows("quantities.tsv")
    assert sum(len(s.quantities) for s in sentences) == len(rows)
    assert {s.note for s in sentences if s.half == "tune"}.isdisjoint(
        s.note for s in sentences if s.half == "held"
    )
    mentions = benchmark.read_mentions()
    for row in rows:
        note = row["note_set"], row["note_id"]
        words = texts[note][int(row["start_char"]) : int(row["end_char"])]
        assert words
        assert words == words.strip()
        if row["mention_start"]:
            places = [place[:2] for place in mentions[note]]
            assert (int(row["mention_start"]), int(row["mention_end"])) in places
