"""How well quantities are found beside mentions, and how fast.

python benchmarks/quantities.py --data FOLDER [--peer VENV/bin/python] [--model bundled]

The gold, in tests/nlp/quantities/gold, was annotated by hand on 100 sentences of the two sets of
notes: rules were written with one half in view (tune), the other was annotated before the rules
were written (held). Spans are judged as exact ones; kind, value with unit, and name by the share of
gold spans that were found and have it right; attachment likewise, the mentions of the gold given.

--peer names a Python with quantulum3 (pip install quantulum3): the same sentences by its parser
without a classifier. It knows no frequencies, dates, ages and names, so it is judged on the gold
quantities that have a value and a unit of another kind.

--model names a model, as in `ner.models`: attachment again with its mentions, where one counts
for the gold's if they overlap, and the share of the time that quantities take beside it.

--errors prints where ours and the gold disagree, as note, offsets and columns, without text.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import json
import statistics
import subprocess
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from nlp.preprocess.pipeline import Preprocessor
from nlp.preprocess.sections import find_sections
from nlp.quantities.find import Quantity, find_quantities

GOLD = Path(__file__).resolve().parents[1] / "tests" / "nlp" / "quantities" / "gold"
HALVES = ("tune", "held")
Note = tuple[str, str]
Row = dict[str, str]

PEER = """
import json, sys
from quantulum3 import parser
out = []
for text in json.load(sys.stdin):
    try:
        found = parser.parse(text)
    except Exception:
        found = []
    # A range is its mean and half its width.
    out.append([[*q.span, q.value - (q.uncertainty or 0), q.unit.name] for q in found])
json.dump(out, sys.stdout)
"""
PEER_UNITS = {
    **{"milligram": "mg", "percentage": "%", "day": "d", "year": "a", "week": "wk", "month": "mo"},
    **{"pound-mass": "[lb_av]", "centimetre": "cm", "millimetre": "mm", "second": "s"},
    **{"millimetre of mercury": "mm[Hg]", "degree fahrenheit": "[degF]", "minute": "min"},
    **{"milligram per decilitre": "mg/dL", "degree angle": "deg", "inch": "[in_i]"},
    **{"microgram per minute": "ug/min", "minute of arc": "min", "centimetres": "cm"},
}


@dataclass(frozen=True)
class Sentence:
    """A sentence of the gold, with its quantities."""

    half: str
    note: Note
    start: int
    end: int
    quantities: tuple[Row, ...]


@dataclass
class Score:
    """Counts over sentences; the rights are of ``agreed`` spans."""

    gold: int = 0
    found: int = 0
    agreed: int = 0
    kind: int = 0
    value: int = 0
    name: int = 0
    attached: int = 0

    @property
    def f1(self) -> float:
        """F1 of exact spans."""
        return 2 * self.agreed / (self.gold + self.found)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="folder with notes/")
    parser.add_argument("--peer", type=Path, help="Python of an environment with quantulum3")
    parser.add_argument("--errors", choices=HALVES, help="print where ours and the gold disagree")
    parser.add_argument("--model", help="a model that finds the mentions, for example bundled")
    parser.add_argument("--repeat", type=int, default=5)
    arguments = parser.parse_args()
    texts = read_texts(arguments.data)
    sentences = read_gold()
    found = find_all(texts, sentences)
    print(f"{'':<12}{'gold':>6}{'F1':>8}{'kind':>8}{'value':>8}{'name':>8}{'attached':>10}")
    for half in HALVES:
        score = judge((s for s in sentences if s.half == half), found)
        rights = (score.kind, score.value, score.name)
        shares = "".join(f"{right / score.gold:>8.3f}" for right in rights)
        print(
            f"{half:<12}{score.gold:>6}{score.f1:>8.3f}{shares}{score.attached / score.gold:>10.3f}"
        )
    if arguments.errors:
        print_errors([s for s in sentences if s.half == arguments.errors], found, texts)
    if arguments.peer:
        print_peer(arguments.peer, sentences, found, texts)
    print_speed(texts, arguments.repeat)
    if arguments.model:
        print_with_model(arguments.model, texts, sentences)


def read_texts(data: Path) -> dict[Note, str]:
    """The notes of both sets."""
    csv.field_size_limit(10**9)
    with gzip.open(data / "notes" / "transcribed_notes.csv.gz", "rt", encoding="utf-8") as lines:
        texts = {("transcribed", row["note_id"]): row["text"] for row in csv.DictReader(lines)}
    with gzip.open(data / "notes" / "aci_bench_train.jsonl.gz", "rt", encoding="utf-8") as lines:
        rows = map(json.loads, lines)
        return texts | {("aci", row["note_id"]): row["text"] for row in rows}


def read_rows(name: str) -> list[Row]:
    with (GOLD / name).open(encoding="utf-8") as lines:
        return list(csv.DictReader(lines, delimiter="\t"))


def read_gold() -> list[Sentence]:
    """The sentences of the gold."""
    quantities = read_rows("quantities.tsv")
    sentences = []
    for row in read_rows("sentences.tsv"):
        note, start, end = (
            (row["note_set"], row["note_id"]),
            int(row["start_char"]),
            int(row["end_char"]),
        )
        inside = tuple(
            quantity
            for quantity in quantities
            if (quantity["note_set"], quantity["note_id"]) == note
            and start <= int(quantity["start_char"]) < end
        )
        sentences.append(Sentence(row["split"], note, start, end, inside))
    return sentences


def read_mentions() -> dict[Note, list[tuple[int, int, str]]]:
    mentions: dict[Note, list[tuple[int, int, str]]] = {}
    for row in read_rows("mentions.tsv"):
        place = (int(row["start_char"]), int(row["end_char"]), row["label"])
        mentions.setdefault((row["note_set"], row["note_id"]), []).append(place)
    return {note: sorted(places) for note, places in mentions.items()}


Mentions = dict[Note, list[tuple[int, int, str]]]
Found = dict[Note, list[tuple[Quantity, tuple[int, int] | None]]]


def find_all(
    texts: dict[Note, str], sentences: Iterable[Sentence], mentions: Mentions | None = None
) -> Found:
    """Quantities of the gold's notes, each with the range of its mention; the gold's by default."""
    mentions, preprocessor = mentions or read_mentions(), Preprocessor()
    found: Found = {}
    for note in {sentence.note for sentence in sentences}:
        text, places = texts[note], mentions.get(note, [])
        bounds = preprocessor.process([text])[0].sentences
        found[note] = [
            (q, None if q.mention_id is None else places[q.mention_id][:2])
            for q in find_quantities(text, bounds, find_sections(text, "note"), places)
        ]
    return found


def judge(sentences: Iterable[Sentence], found: Found) -> Score:
    """Compare with the gold."""
    score = Score()
    for sentence in sentences:
        ours = {
            (q.start_char, q.end_char): (q, mention)
            for q, mention in found[sentence.note]
            if sentence.start <= q.start_char < sentence.end
        }
        score.gold += len(sentence.quantities)
        score.found += len(ours)
        for gold in sentence.quantities:
            pair = ours.get((int(gold["start_char"]), int(gold["end_char"])))
            if pair is None:
                continue
            quantity, mention = pair
            score.agreed += 1
            score.kind += quantity.kind == gold["kind"]
            score.value += _values(quantity) == _gold_values(gold)
            score.name += (quantity.name or "") == gold["name"]
            score.attached += mention == _gold_mention(gold)
    return score


def _values(quantity: Quantity) -> tuple[object, ...]:
    day = quantity.date.isoformat() if quantity.date else ""
    comparator, unit = quantity.comparator or "", quantity.unit or ""
    return comparator, quantity.value, quantity.high, unit, day


def _gold_values(gold: Row) -> tuple[object, ...]:
    value, high = (float(gold[name]) if gold[name] else None for name in ("value", "high"))
    return gold["comparator"], value, high, gold["unit"], gold["date"]


def _gold_mention(gold: Row) -> tuple[int, int] | None:
    if not gold["mention_start"]:
        return None
    return int(gold["mention_start"]), int(gold["mention_end"])


def print_errors(sentences: list[Sentence], found: Found, texts: dict[Note, str]) -> None:
    for sentence in sentences:
        ours = {
            (q.start_char, q.end_char): (q.kind, *_values(q), q.name or "", mention)
            for q, mention in found[sentence.note]
            if sentence.start <= q.start_char < sentence.end
        }
        gold = {
            (int(g["start_char"]), int(g["end_char"])): (
                g["kind"],
                *_gold_values(g),
                g["name"],
                _gold_mention(g),
            )
            for g in sentence.quantities
        }
        for place in sorted(ours.keys() | gold.keys()):
            if ours.get(place) != gold.get(place):
                print(*sentence.note, place, "ours", ours.get(place), "gold", gold.get(place))


def print_peer(
    python: Path, sentences: list[Sentence], found: Found, texts: dict[Note, str]
) -> None:
    """Spans, and values with units, of the gold that has both."""
    told = [texts[s.note][s.start : s.end] for s in sentences]
    answer = subprocess.run(
        [str(python), "-W", "ignore", "-c", PEER],
        input=json.dumps(told),
        capture_output=True,
        text=True,
        check=True,
    )
    peer = json.loads(answer.stdout)
    print("\nwith a written unit, no frequency, date or age")
    print(f"{'':<24}{'gold':>6}{'spans':>8}{'value + unit':>14}")
    for half in HALVES:
        counts = {"charthouse": [0, 0, 0], "quantulum3": [0, 0, 0]}
        for sentence, theirs in zip(sentences, peer, strict=True):
            if sentence.half != half:
                continue
            places = {
                (sentence.start + start, sentence.start + end): (value, PEER_UNITS.get(unit, unit))
                for start, end, value, unit in theirs
            }
            ours = {(q.start_char, q.end_char): (q.value, q.unit) for q, _ in found[sentence.note]}
            for gold in sentence.quantities:
                # Units that are not written are no one's to find but ours.
                if not gold["unit"] or gold["kind"] in ("frequency", "date", "age"):
                    continue
                place = int(gold["start_char"]), int(gold["end_char"])
                written = texts[sentence.note][place[0] : place[1]]
                if written.replace(".", "").isdigit() or gold["unit"] == "mm[Hg]":
                    continue
                wanted = float(gold["value"]), gold["unit"]
                for name, answers in (("charthouse", ours), ("quantulum3", places)):
                    counts[name][0] += 1
                    counts[name][1] += place in answers
                    counts[name][2] += answers.get(place) == wanted
        for name, (gold_count, spans, right) in counts.items():
            shares = f"{spans / gold_count:>8.3f}{right / gold_count:>14.3f}"
            print(f"{half:<8}{name:<16}{gold_count:>6}{shares}")


def print_speed(texts: dict[Note, str], repeat: int) -> None:
    """Characters per CPU second over all notes, mentions of the gold only."""
    notes = [text for (source, _), text in texts.items() if source == "transcribed"][:200]
    preprocessor = Preprocessor()
    clock = time.process_time()
    bounds = [pre.sentences for pre in preprocessor.process(notes)]
    before = time.process_time() - clock
    sections = [find_sections(text, "note") for text in notes]
    seconds, count = [], 0
    for _ in range(repeat):
        clock = time.process_time()
        count = sum(
            len(find_quantities(text, sentences, parts, []))
            for text, sentences, parts in zip(notes, bounds, sections, strict=True)
        )
        seconds.append(time.process_time() - clock)
    characters = sum(map(len, notes))
    taken = statistics.median(seconds)
    print(
        f"\n{len(notes)} notes, {characters:,} characters, {count:,} quantities: "
        f"{characters / taken:,.0f} characters per CPU second "
        f"({taken:.2f} s; preprocessing took {before:.2f} s)"
    )


def print_with_model(name: str, texts: dict[Note, str], sentences: list[Sentence]) -> None:
    """Attachment to the mentions that a model finds, and the share of time."""
    from nlp.ner.device import choose_device
    from nlp.ner.engine import NerEngine
    from nlp.ner.model import load_model
    from nlp.ner.source import find_model

    engine = NerEngine(load_model(find_model(name), choose_device("cpu", "auto"), {}))
    notes = sorted({sentence.note for sentence in sentences})
    clock = time.process_time()
    spans = engine.find([texts[note] for note in notes])
    model_seconds = time.process_time() - clock
    mentions = {
        note: sorted((span.start, span.end, span.label) for span in of_note)
        for note, of_note in zip(notes, spans, strict=True)
    }
    clock = time.process_time()
    for note in notes:
        find_quantities(texts[note], [(0, len(texts[note]))], [], mentions[note])
    seconds = time.process_time() - clock
    found = find_all(texts, sentences, mentions)
    for half in HALVES:
        attached = agreed = wrong = 0
        for sentence in sentences:
            ours = {(q.start_char, q.end_char): mention for q, mention in found[sentence.note]}
            for gold in sentence.quantities if sentence.half == half else ():
                wanted = _gold_mention(gold)
                got = ours.get((int(gold["start_char"]), int(gold["end_char"])))
                attached += wanted is not None
                if got is not None:
                    right = wanted is not None and got[0] < wanted[1] and wanted[0] < got[1]
                    agreed += right
                    # An analyte may be a mention of the model's and none of the gold's.
                    wrong += not right and gold["kind"] != "lab_value"
        print(
            f"{half}: of {attached} quantities with a mention {agreed} belong to it with the "
            f"mentions of {name}; {wrong}, laboratory values aside, belong to another one"
        )
    print(
        f"{len(notes)} notes: {name} took {model_seconds:.1f} CPU s, quantities {seconds:.2f} "
        f"({seconds / (seconds + model_seconds):.1%})"
    )


if __name__ == "__main__":
    main()
