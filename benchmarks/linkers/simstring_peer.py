"""simstring, the kernel of QuickUMLS, over given names. A process of its own, JSON in and out.

The database as QuickUMLS 1.4 makes it: character 3-grams, no marks of begin and end, Unicode; names
and queries in lower case (its ``--lowercase``). Needs nothing but ``quickumls-simstring``, so that
it can live in an environment of its own. Timed is simstring alone, not the ranking of what it
retrieves, which QuickUMLS does in Python.

python simstring_peer.py REQUEST ANSWER FOLDER; see ``linkers/peers.py`` for the two files.
"""

from __future__ import annotations

import json
import math
import statistics
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from quickumls_simstring import simstring

THRESHOLD = 0.7
"""QuickUMLS's default."""

SIMILARITY: dict[str, Callable[[int, int, int], float]] = {
    "jaccard": lambda both, a, b: both / (a + b - both),
    "cosine": lambda both, a, b: both / math.sqrt(a * b),
}
"""Of the number of 3-grams that two names share and have."""


def main() -> None:
    request_file, answer_file, folder = map(Path, sys.argv[1:])
    request = json.loads(request_file.read_text())
    measure = request["measure"]
    folder.mkdir(parents=True, exist_ok=True)
    concepts: dict[str, list[str]] = {}
    for name, concept_ids in request["names"].items():
        its = concepts.setdefault(name.lower(), [])
        its += [c for c in concept_ids if c not in its]
    wall, cpu = time.perf_counter(), time.process_time()
    writer = simstring.writer(str(folder / "names.db"), 3, False, True)
    for name in concepts:
        writer.insert(name)
    writer.close()
    build = {"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu}
    reader = simstring.reader(str(folder / "names.db"))
    reader.measure, reader.threshold = getattr(simstring, measure), THRESHOLD
    reader.retrieve(next(iter(concepts)))
    answer: dict[str, Any] = {"build": build, "lists": {}, "cpu_seconds": {}}
    for key, texts in request["lists"].items():
        texts = [text.lower() for text in texts]
        seconds = []
        for _ in range(request["rounds"]):
            clock = time.process_time()
            retrieved = [reader.retrieve(text) for text in texts]
            seconds.append(time.process_time() - clock)
        answer["cpu_seconds"][key] = statistics.median(seconds)
        answer["lists"][key] = [
            ranked(text, names, concepts, SIMILARITY[measure])
            for text, names in zip(texts, retrieved, strict=True)
        ]
    answer_file.write_text(json.dumps(answer))


def ranked(
    text: str,
    names: tuple[str, ...],
    concepts: dict[str, list[str]],
    similarity: Callable[[int, int, int], float],
) -> list[tuple[str, float]]:
    """Concepts by the similarity of their most similar name; of equals, as the names were given."""
    asked = grams(text)
    best: dict[str, float] = {}
    for name in names:
        its = grams(name)
        both = (asked & its).total()
        score = similarity(both, asked.total(), its.total()) if both else float(text == name)
        for concept_id in concepts[name]:
            best[concept_id] = max(score, best.get(concept_id, 0.0))
    return sorted(best.items(), key=lambda item: -item[1])


def grams(text: str) -> Counter[str]:
    return Counter(text[i : i + 3] for i in range(len(text) - 2)) or Counter([text])


if __name__ == "__main__":
    main()
