"""How often shares of few are taken for clearly beyond a threshold by chance alone.

python benchmarks/quality_intervals.py WAREHOUSE [--draws 4000]

First, computed: of 1 to 499 independent records, the largest chance that a share seen is clearly
above a threshold where the true one is equal to it (2.5% is promised), and where it is half of it;
by Wilson's interval, plain and corrected for continuity.

Then, drawn: 5, 10, 20 and 40 of the warehouse's documents at random, with replacement, whose
mentions are judged as quality does. The truth is known: the share of all. Printed are percentages

- of intervals that hold it, 95 being promised, with mentions and with documents as their number;
- of pairs of draws whose shares differ by more than 10 points, which is chance alone, and of pairs
  whose interval lies beyond that, with either number.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import duckdb
import numpy as np
from scipy.stats import binom

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from flows.quality.intervals import Share, difference_interval, wilson_interval

THRESHOLD = 0.1
SHARES = {
    "link_share": ("true", "concept_id IS NOT NULL"),
    "link_share of Disease": ("label = 'Disease'", "label = 'Disease' AND concept_id IS NOT NULL"),
    "label_share of Disease": ("true", "label = 'Disease'"),
}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("warehouse", type=Path)
    parser.add_argument("--draws", type=int, default=4000)
    arguments = parser.parse_args()
    for threshold in (0.01, 0.05, 0.1, 0.3):
        for continuity in (False, True):
            (equal, of), (half, of_half) = worst(threshold, continuity=continuity)
            print(
                f"above {threshold:.0%}, {'corrected' if continuity else 'plain'}: at most "
                f"{equal:.1%} (of {of}), where half of it is true {half:.1%} (of {of_half})"
            )
    names = ("holds: mentions", "documents", "crossed: value", "mentions", "documents")
    print(f"{'share':<24}{'of':>8}{'documents':>11}" + "".join(f"{n:>17}" for n in names))
    for name, (of, those) in SHARES.items():
        counts = read(arguments.warehouse, of, those)
        whole = counts[:, 1].sum() / counts[:, 0].sum()
        for documents in (5, 10, 20, 40):
            found = judge(counts, documents, arguments.draws)
            print(
                f"{name:<24}{100 * whole:>7.1f}%{documents:>11}"
                + "".join(f"{100 * part:>16.1f}%" for part in found)
            )


def worst(threshold: float, *, continuity: bool) -> list[tuple[float, int]]:
    """The largest chance to be above where a share is as the threshold, and half, and of how many.

    The fewest that are clearly above are never less of more records.
    """
    fewest, chances = 0, []
    for of in range(1, 500):
        while fewest <= of and (
            wilson_interval(Share(fewest / of, of), continuity=continuity).low <= threshold
        ):
            fewest += 1
        chances.append([(binom.sf(fewest - 1, of, threshold / part), of) for part in (1, 2)])
    return [max(chance) for chance in zip(*chances, strict=True)]


def read(warehouse: Path, of: str, those: str) -> np.ndarray:
    """Of each document its mentions, and those of them that are counted: documents by 2."""
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        rows = connection.execute(
            f"SELECT count(e.label) FILTER ({of}), count(e.label) FILTER ({those}) "
            "FROM documents d LEFT JOIN entities e USING (document_id) "
            "GROUP BY d.document_id ORDER BY d.document_id"
        ).fetchall()
    return np.array(rows)


def judge(counts: np.ndarray, documents: int, draws: int) -> list[float]:
    """Shares of draws whose intervals hold the truth, and of pairs that cross the threshold."""
    random = np.random.default_rng(0)
    truth = counts[:, 1].sum() / counts[:, 0].sum()
    seen = [counts[random.integers(len(counts), size=documents)].sum(axis=0) for _ in range(draws)]
    drawn = [[Share(k / n, int(n)), Share(k / n, min(int(n), documents))] for n, k in seen if n > 0]
    holds, crossed = np.zeros(2), np.zeros(3)
    for pair in drawn:
        intervals = [wilson_interval(share, continuity=True) for share in pair]
        holds += [found.low <= truth <= found.high for found in intervals]
    pairs = list(zip(drawn[::2], drawn[1::2], strict=False))
    for one, other in pairs:
        changes = [
            difference_interval(before, after, continuity=True)
            for before, after in zip(one, other, strict=True)
        ]
        crossed += [
            abs(other[0].value - one[0].value) > THRESHOLD,
            *(found.low > THRESHOLD or found.high < -THRESHOLD for found in changes),
        ]
    return [*(holds / len(drawn)), *(crossed / len(pairs))]


if __name__ == "__main__":
    main()
