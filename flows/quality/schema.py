"""What is measured of each run: counts and shares, distributions, drift."""

from __future__ import annotations

import polars as pl

from ontologies.table import Column, Table

RUN, WAREHOUSE = "run", "warehouse"
"""Scopes: documents that the run annotated; all that are current after it."""

ALL = "*"
"""All corpora, or all labels, together."""

PREVIOUS, BASELINE, LIMIT = "previous", "baseline", "limit"
"""What a run is compared with: the run before it that annotated documents of the corpus; a chosen
one; none, where a threshold is of the measure itself."""

OK, WARNING, FAILED, TOO_FEW = "ok", "warning", "failed", "too_few"
"""What becomes of a comparison, as in ``quality_drift.status``."""

_RUN = Column("run_id", pl.String, "the run after which it was measured")
_CORPUS = Column("corpus", pl.String, "the corpus; * for all together")
_LABEL = Column("label", pl.String, "the mentions' label; * for all together")

QUALITY = Table(
    name="quality",
    meaning="What each run found, by corpus and label.",
    key=("run_id", "scope", "corpus", "label"),
    columns=(
        _RUN,
        Column(
            "scope",
            pl.String,
            "run: documents that the run annotated; warehouse: all that are current after it",
        ),
        _CORPUS,
        _LABEL,
        Column("linkset_id", pl.String, "of the first ontology", nullable=True),
        Column("documents", pl.Int64, "annotated documents of the corpus"),
        Column("characters", pl.Int64, "characters of their text; 0 where privacy leaves it out"),
        Column("mentions", pl.Int64, "mentions of the label"),
        Column("mentions_per_1000", pl.Float64, "mentions in 1,000 characters", nullable=True),
        Column("label_share", pl.Float64, "share of the corpus's mentions", nullable=True),
        Column("mean_score", pl.Float64, "mean of mentions.score", nullable=True),
        Column("linked", pl.Int64, "mentions with a concept"),
        Column("link_share", pl.Float64, "their share", nullable=True),
        Column(
            "abstained",
            pl.Int64,
            "mentions whose name has candidates, none of which was taken (ambiguous or below the "
            "threshold)",
        ),
        Column("abstention_share", pl.Float64, "their share", nullable=True),
        Column("unknown", pl.Int64, "mentions whose name has no candidate: out of vocabulary"),
        Column("out_of_vocabulary_share", pl.Float64, "their share", nullable=True),
        Column("rejects", pl.Int64, "records that could not be processed; with label * alone"),
        Column("reject_share", pl.Float64, "of rejects and documents together", nullable=True),
        Column("measured_at", pl.Datetime("us"), "UTC"),
    ),
)

QUALITY_HISTOGRAMS = Table(
    name="quality_histograms",
    meaning="Distributions behind quality: counts by bin. An empty bin has no row.",
    key=("run_id", "scope", "corpus", "label", "measure", "bin"),
    columns=(
        _RUN,
        Column("scope", pl.String, "run or warehouse, as in quality"),
        _CORPUS,
        _LABEL,
        Column("measure", pl.String, "score, link_score or document_characters"),
        Column("bin", pl.Int32, "0, 1, 2 ..."),
        Column("low", pl.Float64, "lower end of the bin, which belongs to it"),
        Column("high", pl.Float64, "upper end; null where it has none", nullable=True),
        Column("count", pl.Int64, "mentions, or documents, in it"),
    ),
)

QUALITY_BRANCHES = Table(
    name="quality_branches",
    meaning="What the linked mentions behind quality are about: counts by branch of the first "
    "ontology.",
    key=("run_id", "scope", "corpus", "label", "branch"),
    columns=(
        _RUN,
        Column("scope", pl.String, "run or warehouse, as in quality"),
        _CORPUS,
        _LABEL,
        Column(
            "branch",
            pl.String,
            "the concept's semantic type, the first by name where it has several: of MeSH a branch "
            "such as C14, of UMLS a type such as T047; none where it has none",
        ),
        Column("mentions", pl.Int64, "linked mentions of such concepts"),
    ),
)

QUALITY_DRIFT = Table(
    name="quality_drift",
    meaning="How far a run is from another, and which thresholds that crosses.",
    key=("run_id", "against", "corpus", "label", "measure"),
    columns=(
        _RUN,
        Column(
            "against",
            pl.String,
            "previous (the run before it that annotated documents of the corpus), baseline, or "
            "limit: a threshold of the measure itself",
        ),
        Column("against_run_id", pl.String, "the run it is compared with; itself for limit"),
        _CORPUS,
        _LABEL,
        Column(
            "measure",
            pl.String,
            "what is compared, and how: a change of a share or rate (ending in _change), a "
            "population stability index (_psi), a Jensen-Shannon distance (_js), or the measure "
            "itself (_below, _above)",
        ),
        Column("before", pl.Float64, "the other run's value, where it is a change", nullable=True),
        Column("after", pl.Float64, "this run's value, where it is a change", nullable=True),
        Column("value", pl.Float64, "the change, index or distance", nullable=True),
        Column("warn", pl.Float64, "the threshold of a warning, if any", nullable=True),
        Column("fail", pl.Float64, "the threshold of a failure, if any", nullable=True),
        Column("status", pl.String, "ok, warning, failed, or too_few to say"),
    ),
)
