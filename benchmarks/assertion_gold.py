"""Targets in sentences with what annotators said of them, for the benchmark of assertion."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from flows.readers import READERS
from flows.readers.discover import discover
from flows.readers.negex import read_judged
from flows.readers.record import Document
from nlp.assertion.result import PATIENT

NOTES = {
    "transcribed_notes": "notes/transcribed_notes.csv.gz",
    "aci_bench": "notes/aci_bench_train.jsonl.gz",
}


@dataclass(frozen=True)
class Target:
    """A sentence, the target in it, its section, what is said of it, and the part it belongs to."""

    sentence: str
    start: int
    end: int
    section: str
    gold: Mapping[str, bool]
    part: str


def negex_targets(data: Path) -> list[Target]:
    """The NegEx file: even lines, which rules were tuned on, and odd ones."""
    return [
        Target(
            row.sentence,
            row.start_char,
            row.end_char,
            "",
            {
                "negated": row.negated,
                "historical": row.temporality == "historical",
                "hypothetical": row.temporality == "hypothetical",
                "experiencer": row.experiencer != PATIENT,
            },
            "odd" if line % 2 else "even",
        )
        for line, row in enumerate(read_judged(data / "assertion" / "negex_dev.tsv"), start=2)
    ]


def note_targets(data: Path, gold: Path) -> list[Target]:
    """Real notes judged by hand: those to tune on, and those held back."""
    texts = {
        (name, record.native_id): record.text
        for name, path in NOTES.items()
        for file in discover([str(data / path)])
        for record in READERS[file.format].read(file)
        if isinstance(record, Document)
    }
    targets = []
    with gold.open(encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream, delimiter="\t"):
            first, last = int(row["sent_start"]), int(row["sent_end"])
            said = {
                attribute: row[attribute] == "1"
                for attribute in ("negated", "uncertain", "historical", "hypothetical")
                if row[attribute]
            }
            targets.append(
                Target(
                    texts[row["note_set"], row["note_id"]][first:last],
                    int(row["start"]) - first,
                    int(row["end"]) - first,
                    row["section"],
                    said | {"experiencer": row["experiencer"] != PATIENT},
                    row["split"],
                )
            )
    return targets
