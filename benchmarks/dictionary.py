"""The dictionary beside simstring and a plain hash map: tokens per CPU second, and how good it is.

python benchmarks/dictionary.py --data FOLDER [--ontology STORE] [--documents 50]

All look for the names of one store in the same clinical notes and abstracts, in the same sentences,
on one thread, in turns:

- the dictionary, from raw text to mentions: offsets, filters and longest match included;
- simstring (Okazaki and Tsujii 2010), the kernel of QuickUMLS, as QuickUMLS calls it: 3-grams of
  characters, Jaccard similarity of at least 0.7, one query for each n-gram of up to 5 tokens that
  QuickUMLS would ask about. Its tagger, and what it does with the answers, are left out. Install it
  with `pip install quickumls-simstring`; without it the rest is run;
- a Python set of lower-cased names, one look-up for each such n-gram.

simstring finds misspellings that the other two do not. Last, the scores of `charthouse evaluate ner
--model none --dictionary STORE` on the dev files.
"""

from __future__ import annotations

import argparse
import itertools
import os
import re
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

os.environ.setdefault("HF_HUB_OFFLINE", "1")

import polars as pl
from spacy.lang.en.stop_words import STOP_WORDS

from flows.evaluating.request import Request
from flows.evaluating.run import evaluate
from flows.readers import READERS
from flows.readers.discover import discover
from flows.readers.record import Document
from flows.settings import Settings
from nlp.dictionary.dictionary import Dictionary
from nlp.preprocess.pipeline import Preprocessor
from nlp.settings import DictionarySettings
from ontologies.build import build_store
from ontologies.store import ConceptStore, open_store

GOLD = ("bc5cdr_dev.pubtator.gz", "ncbi_dev.pubtator.gz")
WINDOW = 5
THRESHOLD = 0.7
SHORTEST = 3

CLOSED_CLASS = frozenset(
    """
    a an the this that these those each every some any no all both either neither another of in on
    at by for with from to into onto over under after before between among during through against
    about without within upon per via until since as than like near and or but nor yet so if because
    while although though unless whether
    """.split()  # noqa: SIM905
)

Sentences = list[list[tuple[int, int]]]
_TOKEN = re.compile(r"\w+|[^\w\s]")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="folder with the real corpora")
    parser.add_argument("--ontology", type=Path, help="a store; else MeSH of the data is built")
    parser.add_argument("--documents", type=int, default=50, help="of notes, and of abstracts")
    parser.add_argument("--repeat", type=int, default=3)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        store = open_store(arguments.ontology or build_mesh(arguments.data, Path(folder)))
        print(f"store: {store.release.names:,} names, {len(store.phrases.key):,} phrases")
        for kind, sources in (
            ("notes", [arguments.data / "notes" / "transcribed_notes.csv.gz"]),
            ("abstracts", [arguments.data / "corpora" / name for name in GOLD]),
        ):
            texts = read_texts(sources)
            compare(kind, store, texts, arguments.documents, arguments.repeat, Path(folder))
        judge(store, [arguments.data / "corpora" / name for name in GOLD])


def build_mesh(data: Path, folder: Path) -> Path:
    mesh = data / "ontology" / "mesh"
    clock = time.process_time()
    build_store([("mesh", mesh / "desc.xml.gz"), ("mesh", mesh / "supp.xml.gz")], folder / "store")
    print(f"MeSH built in {time.process_time() - clock:.1f} CPU s")
    return folder / "store"


def read_texts(sources: Sequence[Path]) -> list[str]:
    records = (
        record
        for file in discover([str(source) for source in sources])
        for record in READERS[file.format].read(file)
    )
    return [record.text for record in records if isinstance(record, Document)]


def compare(
    kind: str, store: ConceptStore, texts: list[str], documents: int, repeat: int, folder: Path
) -> None:
    """Print the speeds over a part of the texts, and that of the dictionary over all of them."""
    sentences = [found.sentences for found in Preprocessor().process(texts)]
    dictionary = Dictionary(store, DictionarySettings())
    speed_of_all = count_tokens(texts) / cpu_seconds(lambda: dictionary.find(texts, sentences))
    found = Counter(span.label for spans in dictionary.find(texts, sentences) for span in spans)
    some, bounds = texts[:documents], sentences[:documents]
    ways: dict[str, Callable[[], object]] = {
        "dictionary": lambda: dictionary.find(some, bounds),
        "hash map": by_hash_map(store, some, bounds),
    }
    if (simstring := by_simstring(store, some, bounds, folder / kind)) is not None:
        ways["simstring"] = simstring
    tokens = count_tokens(some)
    print(f"\n{kind}: {len(some)} of {len(texts)} documents, {tokens:,} tokens")
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(repeat):
        for name, way in ways.items():
            seconds[name].append(cpu_seconds(way))
    ours = statistics.median(seconds["dictionary"])
    for name, its in seconds.items():
        median = statistics.median(its)
        print(
            f"{name:<11}{median:9.3f} CPU s {tokens / median:12,.0f} tokens per CPU s"
            f"   {median / ours:8.1f} times the dictionary's time"
        )
    print(f"dictionary over all {len(texts)}, at first sight: {speed_of_all:,.0f} tokens per CPU s")
    print("found: " + ", ".join(f"{label} {count:,}" for label, count in found.most_common()))


def count_tokens(texts: Sequence[str]) -> int:
    return sum(len(_TOKEN.findall(text)) for text in texts)


def cpu_seconds(work: Callable[[], object]) -> float:
    clock = time.process_time()
    work()
    return time.process_time() - clock


def ngrams(text: str, sentences: Sequence[tuple[int, int]]) -> Iterator[str]:
    """The n-grams that QuickUMLS asks about.

    The rules of ``_make_ngrams`` in its version 1.4: an n-gram begins with no punctuation and no
    preposition, determiner or conjunction (told by a list here), and ends with no punctuation or
    stop word; a number or a stop word does not stand alone.
    """
    for first, last in sentences:
        tokens = [(m[0].lower(), m.start(), m.end()) for m in _TOKEN.finditer(text, first, last)]
        ends = [token[0].isalnum() and token not in STOP_WORDS for token, _, _ in tokens]
        for i, (token, start, _) in enumerate(tokens):
            if not token[0].isalnum() or token in CLOSED_CLASS:
                continue
            alone = ends[i] and not token.isdigit()
            for j in range(i if alone else i + 1, min(i + WINDOW, len(tokens))):
                if ends[j] and tokens[j][2] - start >= SHORTEST:
                    yield text[start : tokens[j][2]].lower()


def store_names(store: ConceptStore) -> list[str]:
    names = pl.read_parquet(store.table_path("concept_names"), columns=["name"])["name"]
    return names.str.to_lowercase().unique().sort().to_list()


def by_hash_map(
    store: ConceptStore, texts: list[str], sentences: Sentences
) -> Callable[[], object]:
    names = set(store_names(store))
    return lambda: [
        [ngram for ngram in ngrams(text, bounds) if ngram in names]
        for text, bounds in zip(texts, sentences, strict=True)
    ]


def by_simstring(
    store: ConceptStore, texts: list[str], sentences: Sentences, folder: Path
) -> Callable[[], object] | None:
    try:
        from quickumls_simstring import simstring
    except ImportError:
        print("simstring is not installed: pip install quickumls-simstring")
        return None
    folder.mkdir()
    writer = simstring.writer(str(folder / "names"), 3, False, True)
    for name in store_names(store):
        writer.insert(name)
    writer.close()
    reader = simstring.reader(str(folder / "names"))
    reader.measure, reader.threshold = simstring.jaccard, THRESHOLD
    return lambda: [
        [found for ngram in ngrams(text, bounds) if (found := reader.retrieve(ngram))]
        for text, bounds in zip(texts, sentences, strict=True)
    ]


def judge(store: ConceptStore, gold: Sequence[Path]) -> None:
    """Print the dictionary's strict scores; signs and symptoms are diseases to these corpora."""
    settings = Settings(ner={"models": ()}, dictionary={"stores": (str(store.path),)})
    request = Request(gold=tuple(gold), settings=settings, found_map=("Finding=Disease",))
    for corpus in evaluate("ner", request, prefect=False, quiet=True).corpora:
        print(f"\n{corpus.corpus}, strict spans of the dictionary alone")
        strict = (score for score in corpus.scores if score.scope == "strict")
        for label, scores in itertools.groupby(strict, key=lambda score: score.label):
            figures = ", ".join(f"{s.measure} {100 * s.value:.1f}" for s in scores)
            print(f"{label:<10}{figures}")


if __name__ == "__main__":
    main()
