"""Our rules of assertion beside medspaCy's ConText and negspacy: agreement, and CPU time.

python benchmarks/assertion.py --data ../shared/data
    [--medspacy-python PY] [--negspacy-python PY] [--repeat 5]

All read the NegEx file, each sentence by itself with the concept as the one target, peers with
their default rules. F1 of what is negated, historical, hypothetical and not the patient's, over all
rows and over the two halves that rules were tuned and tried on (even lines of the file, odd ones).
Medians of CPU seconds; peers' once with their tokens, which ours include, and once without.
A peer runs under a Python of its own that has it:

    python -m venv peers && peers/bin/pip install medspacy negspacy
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from flows.evaluating.assertion import LABELS, assess_rows
from flows.readers.negex import JudgedConcept, read_judged
from nlp.assertion.result import PATIENT, Assertion
from nlp.assertion.rule_file import load_rules
from nlp.assertion.rules import RuleAssessor

OURS = "charthouse"

Said = Mapping[str, bool]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="folder with assertion/")
    parser.add_argument("--medspacy-python", type=Path, help="a Python that has medspaCy")
    parser.add_argument("--negspacy-python", type=Path, help="a Python that has negspacy")
    parser.add_argument("--repeat", type=int, default=5)
    arguments = parser.parse_args()
    rows = list(read_judged(arguments.data / "assertion" / "negex_dev.tsv"))
    results = {OURS: ours(rows, arguments.repeat)}
    for name in ("medspacy", "negspacy"):
        python = getattr(arguments, f"{name}_python")
        if python is not None:
            results[name] = peer(name, python, rows, arguments.repeat)
    print_agreement(rows, {name: result["said"] for name, result in results.items()})
    print_speed(len(rows), results)


def ours(rows: Sequence[JudgedConcept], repeat: int) -> dict[str, Any]:
    clock = time.process_time()
    assessor = RuleAssessor(load_rules())
    print(f"{OURS}: rules read and compiled in {time.process_time() - clock:.2f} CPU s")
    said = [as_said(assertion) for assertion in assess_rows(assessor, rows)]
    seconds = []
    for _ in range(repeat):
        clock = time.process_time()
        assess_rows(assessor, rows)
        seconds.append(time.process_time() - clock)
    return {"said": said, "seconds": seconds, "seconds_without_tokens": seconds}


def as_said(assertion: Assertion) -> Said:
    return {
        "negated": bool(assertion.negated),
        "historical": bool(assertion.historical),
        "hypothetical": bool(assertion.hypothetical),
        "experiencer": assertion.experiencer != PATIENT,
    }


def as_gold(row: JudgedConcept) -> Said:
    return {
        "negated": row.negated,
        "historical": row.temporality == "historical",
        "hypothetical": row.temporality == "hypothetical",
        "experiencer": row.experiencer != PATIENT,
    }


def peer(name: str, python: Path, rows: Sequence[JudgedConcept], repeat: int) -> dict[str, Any]:
    """Let a peer read the same targets under its own Python."""
    script = Path(__file__).with_name("assertion_peers.py")
    triples = [(row.sentence, row.start_char, row.end_char) for row in rows]
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "sentences.json"
        file.write_text(json.dumps(triples), encoding="utf-8")
        done = subprocess.run(
            [python, script, name, file, "--repeat", str(repeat)],
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


def print_agreement(rows: Sequence[JudgedConcept], said: Mapping[str, Sequence[Said]]) -> None:
    gold = [as_gold(row) for row in rows]
    lines = range(2, len(rows) + 2)
    parts = {
        "all": lambda line: True,
        "even": lambda line: not line % 2,
        "odd": lambda line: line % 2,
    }
    print(
        f"{'':<14}{'':<14}{'lines':<6}{'gold':>6}{'found':>7}{'precision':>11}{'recall':>8}{'F1':>7}"
    )
    for label in LABELS:
        for name, its in said.items():
            if label not in its[0]:
                continue
            for part, belongs in parts.items():
                pairs = [
                    (g[label], s[label])
                    for line, g, s in zip(lines, gold, its, strict=True)
                    if belongs(line)
                ]
                wanted, found = (sum(column) for column in zip(*pairs, strict=True))
                agreed = sum(g and s for g, s in pairs)
                print(
                    f"{label:<14}{name:<14}{part:<6}{wanted:>6}{found:>7}"
                    f"{agreed / max(found, 1):>11.3f}{agreed / max(wanted, 1):>8.3f}"
                    f"{2 * agreed / max(wanted + found, 1):>7.3f}"
                )


def print_speed(sentences: int, results: Mapping[str, Mapping[str, Any]]) -> None:
    mine = statistics.median(results[OURS]["seconds"])
    for name, result in results.items():
        whole = statistics.median(result["seconds"])
        bare = statistics.median(result["seconds_without_tokens"])
        print(
            f"{name:<14}{sentences / whole:9.0f} sentences per CPU s; {whole / mine:.1f} times the "
            f"time of {OURS}, {bare / mine:.1f} times without its tokens"
        )


if __name__ == "__main__":
    main()
