"""Our rules of assertion beside medspaCy's ConText and negspacy: agreement, and CPU time.

python benchmarks/assertion.py --data FOLDER [--notes tests/nlp/assertion/gold/notes.tsv]
    [--medspacy-python PY] [--negspacy-python PY] [--repeat 5]

All read the NegEx file, each sentence by itself with the concept as the one target, peers with
their default rules; with --notes the sentences of real notes that were judged by hand. Precision,
recall and F1 of what is negated, uncertain, historical, hypothetical and not the patient's, over
all targets and over the halves that rules were tuned on and tried on: even and odd lines of the
NegEx file, tune and held of the notes. Sections, which the notes have, count for ours alone, and
are left out once. Medians of CPU seconds on the NegEx file; peers' once with their tokens, which
ours include, and once without. A peer runs under a Python of its own that has it:

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

from assertion_gold import Target, negex_targets, note_targets

from nlp.assertion.result import ATTRIBUTES, PATIENT, Assertion, Assessed
from nlp.assertion.rule_file import load_rules
from nlp.assertion.rules import RuleAssessor
from nlp.preprocess.sections import Section

OURS = "charthouse"
PEERS = ("medspacy", "negspacy")

Said = Mapping[str, bool]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="folder with assertion/, notes/")
    parser.add_argument("--notes", type=Path, help="judged mentions of notes")
    parser.add_argument("--medspacy-python", type=Path, help="a Python that has medspaCy")
    parser.add_argument("--negspacy-python", type=Path, help="a Python that has negspacy")
    parser.add_argument("--repeat", type=int, default=5)
    arguments = parser.parse_args()
    clock = time.process_time()
    assessor = RuleAssessor(load_rules())
    print(f"{OURS}: rules read and compiled in {time.process_time() - clock:.2f} CPU s")
    pythons = {name: getattr(arguments, f"{name}_python") for name in PEERS}
    pythons = {name: python for name, python in pythons.items() if python is not None}

    targets = negex_targets(arguments.data)
    results = {OURS: ours(assessor, targets, arguments.repeat)}
    for name, python in pythons.items():
        results[name] = peer(name, python, targets, arguments.repeat)
    print_agreement("NegEx file", targets, {n: result["said"] for n, result in results.items()})
    print_speed(len(targets), results)
    if arguments.notes is not None:
        targets = note_targets(arguments.data, arguments.notes)
        bare = ours(assessor, targets, 0, sections=False)["said"]
        said = {OURS: ours(assessor, targets, 0)["said"], "no sections": bare}
        for name, python in pythons.items():
            said[name] = peer(name, python, targets, 0)["said"]
        print_agreement("notes", targets, said)


def ours(
    assessor: RuleAssessor, targets: Sequence[Target], repeat: int, *, sections: bool = True
) -> dict[str, Any]:
    documents = [
        Assessed(
            target.sentence,
            [(target.start, target.end)],
            [(0, len(target.sentence))],
            [Section(target.section, 0, len(target.sentence))] if sections else [],
        )
        for target in targets
    ]
    said = [as_said(assertion) for (assertion,) in assessor.assess(documents)]
    seconds = []
    for _ in range(repeat):
        clock = time.process_time()
        assessor.assess(documents)
        seconds.append(time.process_time() - clock)
    return {"said": said, "seconds": seconds, "seconds_without_tokens": seconds}


def as_said(assertion: Assertion) -> Said:
    return {
        attribute: getattr(assertion, attribute) not in (False, None, PATIENT)
        for attribute in ATTRIBUTES
    }


def peer(name: str, python: Path, targets: Sequence[Target], repeat: int) -> dict[str, Any]:
    """Let a peer read the same targets under its own Python."""
    script = Path(__file__).with_name("assertion_peers.py")
    triples = [(target.sentence, target.start, target.end) for target in targets]
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


def print_agreement(
    title: str, targets: Sequence[Target], said: Mapping[str, Sequence[Said]]
) -> None:
    parts = ["all", *sorted({target.part for target in targets})]
    columns = f"{'':<14}{'':<7}{'gold':>5}{'found':>7}{'precision':>11}{'recall':>8}{'F1':>7}"
    print(f"{title + ', ' + str(len(targets)):<14}{columns}")
    for attribute in ATTRIBUTES:
        for name, its in said.items():
            for part in parts:
                pairs = [
                    (target.gold[attribute], found[attribute])
                    for target, found in zip(targets, its, strict=True)
                    if part in ("all", target.part)
                    and attribute in target.gold
                    and attribute in found
                ]
                if pairs:
                    print(f"{attribute:<16}{name:<14}{part:<7}{measures(pairs)}")


def measures(pairs: Sequence[tuple[bool, bool]]) -> str:
    wanted, found = (sum(column) for column in zip(*pairs, strict=True))
    agreed = sum(gold and said for gold, said in pairs)
    return (
        f"{wanted:>5}{found:>7}{agreed / max(found, 1):>11.3f}{agreed / max(wanted, 1):>8.3f}"
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
