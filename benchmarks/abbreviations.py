"""Our abbreviation detector beside scispaCy's: agreement with annotators, and CPU time.

python benchmarks/abbreviations.py --data FOLDER [--repeat 5]
python benchmarks/abbreviations.py --data FOLDER --chance

scispaCy's AbbreviationDetector runs over a blank English pipeline, with spaCy's tokenizer and with
scispaCy's own. Precision, recall and F1 are those of (short form, long form) pairs by document,
white space collapsed. The detectors take turns and medians of CPU seconds are printed; scispaCy's
include its tokens, which it cannot do without. Then both read abstracts one by one and joined to
ever longer texts, to show whether a token costs more in a long text.

--chance prints what the limits of nlp/preprocess/definitions.py rest on: how often short forms in
brackets align with the words before them, and with the words before brackets of other abstracts,
by weight and cost. No gold is read for that. Pseudo-precision, as in Ab3P (Sohn et al. 2008), is
the share of the former that chance does not explain.
"""

from __future__ import annotations

import argparse
import random
import statistics
import time
import warnings
from collections import defaultdict
from collections.abc import Callable, Iterable
from pathlib import Path

from flows.evaluating.abbreviations import find_pairs
from flows.readers.gold import read_gold_file
from flows.readers.med1250 import DefiningDocument, Pair, read_definitions
from nlp.preprocess.alignment import align
from nlp.preprocess.brackets import brackets
from nlp.preprocess.definitions import limit, short_forms, words_before
from nlp.preprocess.letters import weight_of

OURS = "charthouse"
JOINED = (1, 10, 50, 200, 1000, 3000)
"""Abstracts that are read as one text."""
LONG = 200
"""Those up to which scispaCy's detector is asked, whose time grows with their square."""
COSTS = (0.0, 0.3, 0.6, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0, 5.0, 6.0, 7.0, 8.0, 10.0)
CONTROLS = 5
"""Brackets of other abstracts that each short form is tried with."""

Find = Callable[[str], Iterable[Pair]]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="folder with abbreviations/")
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--chance", action="store_true", help="show what the limits rest on")
    arguments = parser.parse_args()
    if arguments.chance:
        print_chance(unlabelled(arguments.data))
        return
    path = arguments.data / "abbreviations" / "med1250_dev.txt.gz"
    gold = [document for document in read_definitions(path) if document.text.strip()]
    detectors: dict[str, Find] = {OURS: find_pairs, **scispacy_detectors()}
    for find in detectors.values():
        list(find("Heart rate (HR). HR."))
    print_agreement(gold, detectors)
    texts = [document.text for document in gold]
    print_speed(texts, detectors, arguments.repeat)
    print_growth(texts, detectors)


def scispacy_detectors() -> dict[str, Find]:
    """scispaCy's detector over blank pipelines."""
    import spacy
    from scispacy.abbreviation import AbbreviationDetector  # noqa: F401  (registers the pipe)
    from scispacy.custom_tokenizer import combined_rule_tokenizer

    # Its matcher is asked before it has patterns; the tokenizer's rules hold a doubtful set.
    warnings.filterwarnings("ignore")
    plain, own = spacy.blank("en"), spacy.blank("en")
    own.tokenizer = combined_rule_tokenizer(own)
    for pipeline in (plain, own):
        pipeline.add_pipe("abbreviation_detector")
        pipeline.max_length = 100_000_000

    def finder(pipeline: spacy.language.Language) -> Find:
        return lambda text: {
            (" ".join(short.text.split()), " ".join(short._.long_form.text.split()))
            for short in pipeline(text)._.abbreviations
        }

    return {"scispaCy, blank": finder(plain), "scispaCy, its tokens": finder(own)}


def print_agreement(gold: list[DefiningDocument], detectors: dict[str, Find]) -> None:
    """Precision, recall and F1; our costs were set on odd PMIDs, then on a few even ones."""
    halves = {
        "all": gold,
        "odd PMIDs": [d for d in gold if int(d.native_id) % 2],
        "even PMIDs": [d for d in gold if not int(d.native_id) % 2],
    }
    print(f"{'':<22}{'':<12}{'documents':>10}{'gold':>6}{'precision':>11}{'recall':>8}{'F1':>7}")
    for part, documents in halves.items():
        for name, find in detectors.items():
            wanted = found = agreed = 0
            for document in documents:
                pairs = set(find(document.text))
                wanted += len(document.pairs)
                found += len(pairs)
                agreed += len(pairs & document.pairs)
            precision, recall = agreed / found, agreed / wanted
            f1 = 2 * agreed / (found + wanted)
            print(
                f"{name:<22}{part:<12}{len(documents):>10}{wanted:>6}"
                f"{precision:>11.3f}{recall:>8.3f}{f1:>7.3f}"
            )


def print_speed(texts: list[str], detectors: dict[str, Find], repeat: int) -> None:
    seconds: dict[str, list[float]] = defaultdict(list)
    for _ in range(repeat):
        for name, find in detectors.items():
            seconds[name].append(cpu_seconds(find, texts))
    ours = statistics.median(seconds[OURS])
    for name, its in seconds.items():
        median = statistics.median(its)
        print(
            f"{name:<22}{len(texts) / median:8.0f} documents per CPU s; "
            f"{median / ours:.1f} times the time of {OURS}"
        )


def print_growth(texts: list[str], detectors: dict[str, Find]) -> None:
    """Microseconds a token (of white space) in ever longer texts."""
    print(
        "microseconds a token where so many abstracts are one text: " + ", ".join(map(str, JOINED))
    )
    for name, find in detectors.items():
        times = []
        for count in JOINED:
            if name != OURS and count > LONG:
                break
            repeated = texts * (-(-count // len(texts)))
            least = max(count, LONG)
            joined = [
                "\n\n".join(repeated[first : first + count]) for first in range(0, least, count)
            ]
            tokens = sum(len(text.split()) for text in joined)
            times.append(1e6 * cpu_seconds(find, joined) / tokens)
        print(f"{name:<22}" + "".join(f"{time:8.2f}" for time in times))


def cpu_seconds(find: Find, texts: Iterable[str]) -> float:
    clock = time.process_time()
    for text in texts:
        find(text)
    return time.process_time() - clock


def unlabelled(data: Path) -> list[str]:
    """Abstracts that the limits may be read off: training files, their annotations unread."""
    names = ("bc5cdr_train", "ncbi_train")
    files = (data / "corpora" / f"{name}.pubtator.gz" for name in names)
    return [document.text for file in files for document in read_gold_file(file)]


def print_chance(texts: list[str]) -> None:
    candidates = [
        (text[start:end], text, opening)
        for text in texts
        for opening, closing in brackets(text)
        if opening and text[opening - 1].isspace()
        for start, end in list(short_forms(text, opening + 1, closing))[:1]
        if weight_of(text[start:end])
    ]
    print(f"{len(texts)} abstracts, {len(candidates)} brackets that may hold a short form")
    draw = random.Random(1)
    own: dict[int, list[float]] = defaultdict(list)
    others: dict[int, list[float]] = defaultdict(list)
    heaviest = 7
    for short, text, opening in candidates:
        weight = min(weight_of(short), heaviest)
        own[weight].append(cost(short, text, opening))
        for _ in range(CONTROLS):
            _, other, elsewhere = draw.choice(candidates)
            if other is not text:
                others[weight].append(cost(short, other, elsewhere))
    for weight in sorted(own):
        print(f"weight {weight}{' and more' if weight == heaviest else ''}, limit {limit(weight)}")
        low = -1.0
        for high in COSTS:
            found = sum(low < c <= high for c in own[weight])
            by_chance = sum(low < c <= high for c in others[weight]) / len(others[weight])
            # Only a bracket that defines nothing fits by chance: those not fitting better.
            expected = by_chance * sum(c > low for c in own[weight])
            share = f"{max(0.0, 1 - expected / found):.2f}" if found else "-"
            print(f"  cost to {high:>4}: {found:>4}, by chance {expected:6.1f}, precision {share}")
            low = high


def cost(short: str, text: str, opening: int) -> float:
    first, last = words_before(text, opening, weight_of(short))
    aligned = align(short, text[first:last])
    return aligned.cost if aligned else float("inf")


if __name__ == "__main__":
    main()
