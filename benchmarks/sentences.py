"""Our sentences beside pySBD's and spaCy's: agreement with annotators, and CPU time.

python benchmarks/sentences.py --data FOLDER [--gold FILE] [--repeat 3] [--documents 200]
    [--pipelines en_core_sci_sm] [--share]

Gold: twenty notes annotated by hand (--gold holds offsets; docs/sentences.md says by what rules),
those that nothing was tuned on apart; the notes of one set wrapped at 72 columns, too; and the
sentences of seven corpora's development files, put together again as they would be written and, a
second time, token by token. Counted are ends of sentences but for that of the text, commas and
white space before them left out.

Then how many gold mentions of the BC5CDR and NCBI development abstracts, and of the corpora's
tokens, a boundary cuts in two; documents per CPU second, in turns, medians; and the time of a
character in texts of 10 kB to 2 MB. pySBD's is left out where it would take minutes. syntok,
nupunkt and blingfire join in where they are installed.

--share runs the bundled model over notes and abstracts and tells the share of each stage.
"""

from __future__ import annotations

import argparse
import statistics
import time
import warnings
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from splitters import gold
from splitters.peers import OURS, PYSBD, SCISPACY, splitters
from splitters.scores import Split, mentions_cut, score

NOTES = Path(__file__).parents[1] / "tests" / "nlp" / "preprocess" / "gold" / "sentences.jsonl"
LENGTHS = (10_000, 100_000, 500_000, 2_000_000)
LONGEST_SLOW = 100_000
"""Characters up to which pySBD is asked, whose time grows with their square."""
ODD = {"dots": ".", "spaces": " ", "no line break": "word ", "line breaks": "a\n"}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="folder with notes/, corpora/")
    parser.add_argument("--gold", type=Path, default=NOTES)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--documents", type=int, default=200, help="of each kind, for speed")
    parser.add_argument("--pipelines", nargs="*", default=(), help="installed spaCy pipelines")
    parser.add_argument("--share", action="store_true", help="only preprocessing's share")
    arguments = parser.parse_args()
    if arguments.share:
        print_share(arguments.data, arguments.documents)
        return
    warnings.filterwarnings("ignore")
    measured = splitters(arguments.pipelines)
    print_agreement(arguments.data, arguments.gold, measured)
    print_mentions(arguments.data, measured)
    abstracts = [text for text, _ in gold.abstracts(arguments.data)][: arguments.documents]
    notes = list(gold.note_texts(arguments.data).values())[-arguments.documents :]
    print_speed("abstracts", abstracts, measured, arguments.repeat)
    print_speed("notes", notes, measured, arguments.repeat)
    print_growth(" ".join(abstracts), measured)
    print_odd(measured[OURS])


def print_agreement(data: Path, annotated: Path, measured: dict[str, Split]) -> None:
    texts = gold.notes(data, annotated)
    sets = dict(texts)
    lined = [note for name, notes in texts.items() if name.startswith("aci") for note in notes]
    sets["aci_bench, all, wrapped"] = [gold.wrapped(note, 72) for note in lined]
    sets["all notes"] = [note for notes in texts.values() for note in notes]
    written = gold.corpora(data, "dev", tokenised=False)
    sets |= written
    sets["all corpora"] = [document for documents in written.values() for document in documents]
    tokens = gold.corpora(data, "dev", tokenised=True)
    sets["all corpora, tokens"] = [d for documents in tokens.values() for d in documents]
    for name, documents in sets.items():
        print(f"\n{name}: {len(documents)} texts")
        for splitter, split in measured.items():
            s = score(documents, split)
            print(
                f"  {splitter:<18}F1 {s.f1:.4f}  precision {s.precision:.4f}  "
                f"recall {s.recall:.4f}  ({s.gold} ends, {s.found} found)"
            )


def print_mentions(data: Path, measured: dict[str, Split]) -> None:
    sets = {"abstracts": gold.abstracts(data), "corpora, tokens": gold.iob_mentions(data)}
    for name, texts in sets.items():
        total = sum(len(mentions) for _, mentions in texts)
        cut = ", ".join(f"{s} {mentions_cut(texts, split)}" for s, split in measured.items())
        print(f"\nmentions cut in two, of {total} in {name}: {cut}")


def print_speed(kind: str, texts: Sequence[str], measured: dict[str, Split], repeat: int) -> None:
    seconds: dict[str, list[float]] = defaultdict(list)
    for _ in range(repeat):
        for name, split in measured.items():
            seconds[name].append(cpu_seconds(split, texts))
    ours = statistics.median(seconds[OURS])
    print(f"\n{len(texts)} {kind} of {sum(map(len, texts)) // len(texts)} characters")
    for name, its in seconds.items():
        median = statistics.median(its)
        print(
            f"  {name:<18}{len(texts) / median:9.0f} documents per CPU s; "
            f"{median / ours:.1f} times the time of {OURS}"
        )


def print_growth(text: str, measured: dict[str, Split]) -> None:
    """Microseconds a character in ever longer texts, abstracts one after another."""
    print("\nmicroseconds a character of one text of " + ", ".join(f"{n:,}" for n in LENGTHS))
    whole = text * (LENGTHS[-1] // len(text) + 1)
    for name, split in measured.items():
        slow = name in {PYSBD, SCISPACY}
        lengths = [n for n in LENGTHS if not slow or n <= LONGEST_SLOW]
        times = [1e6 * cpu_seconds(split, [whole[:n]]) / n for n in lengths]
        print(f"  {name:<18}" + "".join(f"{t:9.4f}" for t in times))


def print_odd(split: Split) -> None:
    print(f"\n{OURS}, CPU seconds for 2,000,000 characters of")
    for name, piece in ODD.items():
        print(f"  {name:<18}{cpu_seconds(split, [piece * (LENGTHS[-1] // len(piece))]):9.4f}")


def print_share(data: Path, most: int) -> None:
    """Seconds of an annotator's stages on as many notes as abstracts."""
    import polars as pl

    from nlp.annotate import Annotator
    from nlp.settings import AnnotationSettings

    texts = {
        "note": list(gold.note_texts(data).values())[:most],
        "abstract": [text for text, _ in gold.abstracts(data)][:most],
    }
    annotator = Annotator(AnnotationSettings())
    for kind, its in texts.items():
        documents = pl.DataFrame(
            {
                "document_id": [f"{kind}:{number}" for number in range(len(its))],
                "text": its,
                "kind": kind,
                "sections": pl.Series([None] * len(its), dtype=pl.Null),
            }
        )
        annotator.annotate(documents.head(8))  # what is loaded or compiled once
        seconds = annotator.annotate(documents).seconds
        total = sum(seconds.values())
        shares = ", ".join(f"{stage} {s / total:.1%}" for stage, s in seconds.items())
        print(f"{len(its)} documents ({kind}), {total:.1f} s of wall time: {shares}")


def cpu_seconds(split: Split, texts: Sequence[str]) -> float:
    clock = time.process_time()
    for text in texts:
        split(text)
    return time.process_time() - clock


if __name__ == "__main__":
    main()
