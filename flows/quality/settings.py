"""Settings of what is measured at the end of a run, and of what is to be told."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from flows.quality.measures import MEASURES
from flows.quality.schema import ALL


def _known(measure: str) -> str:
    if measure not in MEASURES:
        raise ValueError(f"{measure!r} is no measure; there are {', '.join(MEASURES)}")
    return measure


Measure = Annotated[str, AfterValidator(_known)]
Threshold = Annotated[float, Field(ge=0, allow_inf_nan=False)]

WARN: dict[str, float] = {
    "score_psi": 0.25,
    "link_score_psi": 0.25,
    "document_characters_psi": 0.25,
    "label_js": 0.15,
    "branch_js": 0.35,
    "mentions_per_1000_change": 0.3,
    "link_share_change": 0.1,
    "out_of_vocabulary_share_change": 0.1,
    "reject_share_change": 0.05,
}
"""Thresholds of warnings where none are given."""


class QualityRule(BaseModel):
    """A threshold for some corpora and labels."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    measure: Measure = Field(description="what is measured")
    warn: Threshold | None = Field(None, description="threshold of a warning")
    fail: Threshold | None = Field(None, description="threshold of a failure")
    corpora: tuple[str, ...] = Field(
        (), description="the corpora it is for, `*` for all together; none = each corpus"
    )
    labels: tuple[str, ...] = Field(
        (ALL,), description="the labels it is for, `*` for all together; none = each label"
    )

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.warn is None and self.fail is None:
            raise ValueError("a rule needs warn, fail or both")
        return self


class QualitySettings(BaseModel):
    """What is measured at the end of a run; thresholds: quality.md. No annotation hangs on it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    enabled: bool = Field(True, description="write the quality tables at the end of a run")
    baseline: str | None = Field(
        None,
        min_length=1,
        description="a run_id, or its beginning: the run that each run is compared with beside "
        "the one before it",
    )
    min_count: int = Field(
        500,
        ge=1,
        description="with fewer mentions, or documents or records where these are counted, on "
        "either side a comparison is `too_few` to say, but for shares that are clearly beyond a "
        "threshold",
    )
    max_corpora: int = Field(
        100,
        ge=1,
        description="where there are more corpora, those with the most documents are measured one "
        "by one, the run's own first; the rest counts among all together",
    )
    warn: dict[Measure, Threshold] = Field(
        default_factory=lambda: dict(WARN),
        description="measure = threshold: beyond it a line at the end of the run warns; for each "
        "corpus, all labels together",
    )
    fail: dict[Measure, Threshold] = Field(
        default_factory=dict,
        description="measure = threshold: beyond it the flow ends as failed, with all it did kept; "
        "for each corpus, all labels together",
    )
    rules: tuple[QualityRule, ...] = Field(
        (),
        description="thresholds for chosen corpora and labels, each with `measure`, `warn`, "
        "`fail`, `corpora` and `labels`; they win over `warn` and `fail`, later ones over earlier",
    )
