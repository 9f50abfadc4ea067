"""Names to time linkers by: ones that the store has, written otherwise, and ones that miss."""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from ontologies.labels import LABEL_TYPES, allowed_types
from ontologies.linker import NGRAM, LinkSettings, link_names
from ontologies.store import ALLOWED, ConceptStore

LABELS = ("Disease", "Chemical", "any")
"""The last one restricts nothing: the whole store is searched."""

HITS, MISSES = "hits", "misses"
COUNTS = {HITS: 10_000, MISSES: 3_000}
SAMPLE = 500
"""Names of each list that the others are timed by: some take milliseconds a name."""

_ALONE = LinkSettings(context=False)


@dataclass(frozen=True)
class Timed:
    """Names of one label to time by: all of them ours, a sample of them the others."""

    what: str
    label: str
    names: tuple[str, ...]

    @property
    def key(self) -> str:
        """Names the list."""
        return f"{self.label} {self.what}"

    @property
    def sample(self) -> tuple[str, ...]:
        """What the others are timed by."""
        return self.names[:: max(1, len(self.names) // SAMPLE)]


def names_to_time(store: ConceptStore) -> list[Timed]:
    """Hits and misses of each label."""
    timed = []
    for label in LABELS:
        names = names_of_label(store, label)
        timed += [
            Timed(HITS, label, tuple(hits(names, COUNTS[HITS]))),
            Timed(MISSES, label, tuple(misses(store, names, label, COUNTS[MISSES]))),
        ]
    return timed


def names_of_label(store: ConceptStore, label: str) -> list[str]:
    permit = store.permits(allowed_types(label, LABEL_TYPES))
    rows = np.flatnonzero(permit[store.names.concept] == ALLOWED)
    return sorted(set(store.name_texts(rows)))


def hits(names: Sequence[str], count: int, seed: int = 0) -> list[str]:
    """Distinct names of the store in another case, another order or in the plural."""
    dice = random.Random(seed)
    chosen = dice.sample(names, min(count, len(names)))
    return sorted({rewritten(name, dice) for name in chosen})


def rewritten(name: str, dice: random.Random) -> str:
    words = name.split(" ")
    way = dice.randrange(4)
    if way == 0:
        return name.upper()
    if way == 1 and len(words) > 1 and "," not in name:
        return f"{' '.join(words[1:])}, {words[0]}"
    if way == 2 and name[-1].isalpha() and name[-1] not in "sxyz" and name.islower():
        return f"{name}s"
    return name.capitalize()


def misses(
    store: ConceptStore, names: Sequence[str], label: str, count: int, seed: int = 0
) -> list[str]:
    """Distinct names with a slip in them, which no exact step of our linker finds.

    A letter is left out or doubled, two are swapped, or two words of another name are put before.
    """
    dice = random.Random(seed)
    slips = sorted({slipped(name, names, dice) for name in dice.sample(names, len(names))})
    dice.shuffle(slips)
    kept: list[str] = []
    for start in range(0, len(slips), count):
        batch = slips[start : start + count]
        methods = link(store, batch, label).filter(pl.col("rank") == 1)
        kept += methods.filter(pl.col("method").fill_null(NGRAM) == NGRAM)["lookup_text"].to_list()
        if len(kept) >= count:
            break
    return kept[:count]


def slipped(name: str, names: Sequence[str], dice: random.Random) -> str:
    at = dice.randrange(max(1, len(name) - 1))
    way = dice.randrange(4)
    if way == 0:
        return name[:at] + name[at + 1 :]
    if way == 1:
        return name[: at + 1] + name[at:]
    if way == 2:
        return name[:at] + name[at : at + 2][::-1] + name[at + 2 :]
    return f"{' '.join(dice.choice(names).split()[:2])} {name}"


def link(store: ConceptStore, texts: Sequence[str], label: str) -> pl.DataFrame:
    frame = pl.DataFrame({"lookup_text": texts}).with_columns(label=pl.lit(label))
    return link_names(store, frame, _ALONE)


def exact_share(store: ConceptStore, texts: Sequence[str], label: str) -> float:
    first = link(store, texts, label).filter(pl.col("rank") == 1)
    methods = first["method"].fill_null(NGRAM).to_list()
    return sum(method != NGRAM for method in methods) / len(methods)


def cpu_seconds(work: Callable[[], object], rounds: int) -> float:
    """Median CPU seconds of the rounds, after one that is not counted."""
    work()
    seconds = []
    for _ in range(rounds):
        clock = time.process_time()
        work()
        seconds.append(time.process_time() - clock)
    return statistics.median(seconds)
