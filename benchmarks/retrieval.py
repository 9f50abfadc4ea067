"""How well passages are found, and what an index of them takes.

    python benchmarks/retrieval.py                        # quality, on PubMedQA's questions
    python benchmarks/retrieval.py --passages 100000      # memory and seconds too

Quality: each of the 500 questions of PubMedQA's dev half is asked of the 500 abstracts that the
questions were made of (the file's CONTEXTS joined, that is without titles and conclusions). A hit
is the question's own abstract among the first 1, 5 or 10. Ways beside each other:

- ``counts``: how often the question's words occur, function words left out;
- ``bm25 words``: bm25s with its own tokenizer (lower case, English stop words);
- ``charthouse``: words folded as flows/retrieval/words.py does, BM25 as flows/retrieval/index.py.

Memory: peak resident memory that an index of so many passages adds, in a process of its own, with
the questions above known beforehand. Passages are the abstracts' own, cut and repeated.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import re
import resource
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import bm25s
import numpy as np

from flows.retrieval.index import PassageIndex, Vocabulary
from flows.retrieval.passage import cut_passages
from flows.retrieval.words import FUNCTION_WORDS
from nlp.language_settings import RetrievalSettings

ROOT = Path(__file__).resolve().parents[1]
Order = Callable[[int], Sequence[int]]


def read_questions() -> tuple[list[str], list[str]]:
    folder = Path(os.environ.get("CHARTHOUSE_DATA", ROOT.parent / "shared" / "data"))
    with gzip.open(folder / "questions" / "pubmedqa_dev.json.gz", "rt", encoding="utf-8") as file:
        rows = list(json.load(file).values())
    return [row["QUESTION"] for row in rows], [" ".join(row["CONTEXTS"]) for row in rows]


def by_counts(questions: Sequence[str], texts: Sequence[str]) -> Order:
    def words(text: str) -> list[str]:
        return [w for w in re.findall(r"\w+", text.lower()) if w not in FUNCTION_WORDS]

    counts = [Counter(words(text)) for text in texts]

    def order(number: int) -> Sequence[int]:
        asked = set(words(questions[number]))
        scores = [sum(count[word] for word in asked) for count in counts]
        return sorted(range(len(texts)), key=lambda row: (-scores[row], row))

    return order


def by_plain_words(questions: Sequence[str], texts: Sequence[str]) -> Order:
    index = bm25s.BM25(k1=1.2, b=0.75)
    index.index(bm25s.tokenize(list(texts), show_progress=False), show_progress=False)
    asked = bm25s.tokenize(list(questions), return_ids=False, show_progress=False)

    def order(number: int) -> Sequence[int]:
        known = [word for word in dict.fromkeys(asked[number]) if word in index.vocab_dict]
        scores = index.get_scores(known)
        return [int(row) for row in np.argsort(-scores, kind="stable")]

    return order


def by_charthouse(questions: Sequence[str], texts: Sequence[str]) -> Order:
    vocabulary = Vocabulary.of(questions)
    index = PassageIndex(vocabulary, RetrievalSettings(passages=len(texts)))
    for text in texts:
        index.add(text, {})
    index.close()
    return lambda number: [row for row, _ in index.best(vocabulary.query(questions[number]))]


def judge() -> None:
    questions, texts = read_questions()
    ways = {"counts": by_counts, "bm25 words": by_plain_words, "charthouse": by_charthouse}
    print(f"{len(questions)} questions, {len(texts)} abstracts")
    print(f"{'':12}{'first':>8}{'in 5':>8}{'in 10':>8}{'MRR':>8}")
    for name, way in ways.items():
        order = way(questions, texts)
        places = [
            ranked.index(number) if number in (ranked := list(order(number))) else len(texts)
            for number in range(len(questions))
        ]
        shares = [sum(place < k for place in places) / len(places) for k in (1, 5, 10)]
        mrr = sum(1 / (place + 1) for place in places if place < len(texts)) / len(places)
        print(f"{name:12}" + "".join(f"{100 * share:8.1f}" for share in shares) + f"{mrr:8.3f}")


def weigh(passages: int) -> None:
    """Index so many passages here and print what that took."""
    questions, texts = read_questions()
    vocabulary = Vocabulary.of(questions)
    cut = []
    for text in texts:
        sentences = [(m.start(), m.end()) for m in re.finditer(r"\S.*?(?:[.?!](?=\s)|$)", text)]
        cut += [text[start:end] for start, end in cut_passages(text, sentences, [], 1200)]
    characters = sum(len(cut[number % len(cut)]) for number in range(passages))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began = time.process_time()
    index = PassageIndex(vocabulary, RetrievalSettings())
    for number in range(passages):
        index.add(cut[number % len(cut)], {})
    added = time.process_time()
    index.close()
    closed = time.process_time()
    for question in questions[:100]:
        index.best(vocabulary.query(question))
    asked = time.process_time()
    peak = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    print(
        f"{passages:,} passages, {characters:,} characters: {peak:,.0f} MiB more at the peak, "
        f"{added - began:.1f} CPU s to read words, {closed - added:.1f} to weigh them, "
        f"{10 * (asked - closed):.1f} ms a question"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--passages", type=int, default=0, help="passages to weigh an index of")
    parser.add_argument("--alone", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.alone:
        weigh(given.passages)
        return
    judge()
    if given.passages:
        command = [sys.executable, __file__, "--alone", "--passages", str(given.passages)]
        subprocess.run(command, check=True)


if __name__ == "__main__":
    main()
