"""The measures that thresholds may name."""

from __future__ import annotations

from flows.quality.intervals import Interval

SHARES = ("link_share", "abstention_share", "out_of_vocabulary_share", "reject_share")
"""Columns of ``quality`` that are shares of mentions, or of records; their change is after less
before."""

CHANGES = (
    "mentions_per_1000_change",
    "label_share_change",
    "mean_score_change",
    *(f"{share}_change" for share in SHARES),
)
"""Changes; thresholds are of their size, up or down. That of ``mentions_per_1000`` is relative."""

INDEXES = ("score_psi", "link_score_psi", "document_characters_psi")
"""Population stability indexes of histograms."""

DISTANCES = ("label_js", "branch_js")
"""Jensen-Shannon distances: between mixes of labels, and of branches of the ontology."""

DRIFTS = (*INDEXES, *DISTANCES, *CHANGES)
"""What tells how far a run is from another."""

LIMITED = ("documents", "mentions", "mentions_per_1000", "label_share", "mean_score", *SHARES)
"""Columns of ``quality`` that may have a threshold of their own."""

BELOW, ABOVE = "_below", "_above"

LIMITS = tuple(f"{column}{side}" for column in LIMITED for side in (BELOW, ABOVE))
"""Thresholds of a measure itself."""

MEASURES = (*DRIFTS, *LIMITS)
"""All names that a threshold may have."""

OF_LABELS = tuple(name for name in MEASURES if name.startswith("label_share"))
"""Measures that say nothing of all labels together."""


def crosses(measure: str, found: Interval, threshold: float) -> bool:
    """Whether all of an interval is beyond a threshold; of a value alone both ends are equal."""
    if measure.endswith(BELOW):
        return found.high < threshold
    return found.low > threshold or (not measure.endswith(ABOVE) and found.high < -threshold)
