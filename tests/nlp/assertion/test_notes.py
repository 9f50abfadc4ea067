"""The rules in the box on sentences of real notes that were judged by hand."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

from flows.readers import READERS
from flows.readers.discover import discover
from flows.readers.record import Document
from nlp.assertion.result import ATTRIBUTES, PATIENT
from nlp.assertion.rule_file import load_rules
from nlp.assertion.rules import RuleAssessor
from tests.nlp.assertion.marked import assess

GOLD = Path(__file__).parent / "gold" / "notes.tsv"
FILES = {
    "transcribed_notes": "notes/transcribed_notes.csv.gz",
    "aci_bench": "notes/aci_bench_train.jsonl.gz",
}
LEAST = {
    "negated": 0.95,
    "uncertain": 0.85,
    "historical": 0.88,
    "hypothetical": 0.86,
    "experiencer": 0.94,
}
"""F1 that the rules do not fall below, somewhat under what they have."""


def test_rules_agree_with_readers_of_notes(data_dir: Path) -> None:
    texts = {
        (name, record.native_id): record.text
        for name, path in FILES.items()
        for file in discover([str(data_dir / path)])
        for record in READERS[file.format].read(file)
        if isinstance(record, Document)
    }
    assessor = RuleAssessor(load_rules())
    gold, found, agreed = Counter[str](), Counter[str](), Counter[str]()
    with GOLD.open(encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream, delimiter="\t"):
            first, last = int(row["sent_start"]), int(row["sent_end"])
            sentence = texts[row["note_set"], row["note_id"]][first:last]
            mention = (int(row["start"]) - first, int(row["end"]) - first)
            (assertion,) = assess(assessor, sentence, [mention], row["section"])
            for attribute in ATTRIBUTES:
                if row[attribute]:  # else not judged
                    wanted = row[attribute] not in ("0", PATIENT)
                    said = getattr(assertion, attribute) not in (False, PATIENT)
                    gold[attribute] += wanted
                    found[attribute] += said
                    agreed[attribute] += wanted and said
    for attribute, least in LEAST.items():
        f1 = 2 * agreed[attribute] / (gold[attribute] + found[attribute])
        assert f1 >= least, attribute
