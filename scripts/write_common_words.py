"""Write ``nlp/privacy/common_words.txt``: words that are seldom a person's or a place's name.

They are taken from texts that are charthouse's own: the sample corpus, the documentation, cues and
headings in its data files, the names in the sample ontology (MeSH, U.S. National Library of
Medicine), and ``common_words_more.txt``, words of clinical notes written down for this. Names in
``names.toml`` that are no words besides, and words that stand in these texts with a capital only,
are left out.

    python scripts/write_common_words.py
"""

from __future__ import annotations

import csv
import re
import sys
import tomllib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from lxml import etree

ROOT = Path(__file__).resolve().parents[1]
OUT = ROOT / "nlp" / "privacy" / "common_words.txt"
NAMES = ROOT / "nlp" / "privacy" / "names.toml"
SAMPLE = ROOT / "flows" / "sample"
MESH = ROOT / "ontologies" / "sample" / "mesh_sample.xml"
MORE = ROOT / "scripts" / "common_words_more.txt"

_WORD = re.compile(r"[A-Za-z]+")


def texts() -> Iterator[str]:
    """Our own texts."""
    with (SAMPLE / "notes.csv").open(encoding="utf-8", newline="") as file:
        yield from (row["text"] for row in csv.DictReader(file))
    for element in etree.parse(str(SAMPLE / "abstracts.xml")).iter("AbstractText", "ArticleTitle"):
        yield "".join(element.itertext())
    for element in etree.parse(str(MESH)).iter("String", "ScopeNote"):
        yield (element.text or "").lower()
    for page in [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]:
        yield page.read_text("utf-8")
    for file in sorted(ROOT.glob("nlp/**/*.toml")):
        if file.parent != NAMES.parent:  # eponyms stand there
            yield file.read_text("utf-8").lower()
    yield MORE.read_text("utf-8")


def names() -> set[str]:
    """Names of persons that are no words besides, lower case."""
    with NAMES.open("rb") as file:
        lists = {name: set(words.lower().split()) for name, words in tomllib.load(file).items()}
    return (lists["given"] | lists["surnames"]) - lists["ambiguous"] - lists["word_surnames"]


def main() -> int:
    """Write the list."""
    counts = Counter(word for text in texts() for word in _WORD.findall(text))
    left_out = names()
    words = sorted(w for w in counts if w.islower() and 2 < len(w) < 24 and w not in left_out)
    OUT.write_text("\n".join(words) + "\n", "utf-8")
    print(f"{len(words):,} words")
    return 0


if __name__ == "__main__":
    sys.exit(main())
