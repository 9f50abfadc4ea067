"""The gold mentions in real notes point at words of those notes."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

import pytest

from flows.readers import READERS
from flows.readers.discover import discover
from flows.readers.record import Document

GOLD = Path(__file__).parent / "gold" / "notes.tsv"
FILES = {
    "transcribed_notes": "notes/transcribed_notes.csv.gz",
    "aci_bench": "notes/aci_bench_train.jsonl.gz",
}


@pytest.fixture(scope="module")
def rows() -> list[dict[str, str]]:
    with GOLD.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t"))


def test_mentions_are_whole_words_of_their_sentences(
    rows: list[dict[str, str]], data_dir: Path
) -> None:
    texts = {
        (name, record.native_id): record.text
        for name, path in FILES.items()
        for file in discover([str(data_dir / path)])
        for record in READERS[file.format].read(file)
        if isinstance(record, Document)
    }
    for row in rows:
        text = texts[row["note_set"], row["note_id"]]
        start, end = int(row["start"]), int(row["end"])
        assert int(row["sent_start"]) <= start < end <= int(row["sent_end"]) <= len(text)
        assert not text[start].isspace() and not text[end - 1].isspace()
        assert not text[start - 1 : start].isalnum()


def test_every_attribute_has_positives_in_both_halves(rows: list[dict[str, str]]) -> None:
    positives = Counter(
        (row["split"], attribute)
        for row in rows
        for attribute in ("negated", "uncertain", "historical", "hypothetical")
        if row[attribute] == "1"
    ) + Counter((row["split"], row["experiencer"]) for row in rows)
    for attribute in ("negated", "uncertain", "historical", "hypothetical", "family"):
        assert positives["tune", attribute] >= 20
        assert positives["held", attribute] >= 20


def test_a_sentence_is_in_one_half(rows: list[dict[str, str]]) -> None:
    halves = {(r["note_set"], r["note_id"], r["sent_start"], r["split"]) for r in rows}
    sentences = {half[:3] for half in halves}
    assert len(halves) == len(sentences)
