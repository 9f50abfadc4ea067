"""The fixed bins of the histograms: fixed, so that any two runs can be compared."""

from __future__ import annotations

SCORES = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
"""Lower ends for scores. Exactly 1 is a bin of its own: matches of dictionaries and same names."""

CHARACTERS = (0, 250, 500, 1_000, 1_500, 2_000, 3_000, 5_000, 10_000, 20_000, 50_000)
"""Lower ends for lengths of documents."""

BINS: dict[str, tuple[float, ...]] = {
    "score": SCORES,
    "link_score": SCORES,
    "document_characters": CHARACTERS,
}
"""Lower ends of the bins of each measure in ``quality_histograms``."""


def bin_number(value: str, lows: tuple[float, ...]) -> str:
    """SQL for the number of the bin that a value lies in; null where the value is null."""
    whens = " ".join(
        f"WHEN {value} >= {low} THEN {number}" for number, low in reversed([*enumerate(lows)])
    )
    return f"CASE WHEN {value} IS NULL THEN NULL {whens} ELSE 0 END"
