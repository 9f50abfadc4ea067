"""Settings of annotation. Those that change output are part of the annotation_id."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class NerSettings(BaseModel):
    """Which models find mentions, and on what hardware."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    models: tuple[str, ...] = Field(
        ("bundled",),
        min_length=1,
        description="models, each `bundled`, a folder, or `hub:owner/name@revision`; all of them "
        "see every document",
    )
    label_map: dict[str, str] = Field(
        default_factory=dict,
        description="a model's label to ours, for example CHEM = 'Chemical'; an empty value drops "
        "the label",
    )
    device: str = Field(
        "auto",
        description="auto, cpu, cuda or cuda:N; no part of the annotation_id, since results "
        "differ by rounding at most",
    )
    precision: Literal["auto", "bf16", "fp32"] = Field(
        "auto",
        description="number format of the forward pass; auto is bf16 where there is "
        "hardware for it",
    )


class PreprocessSettings(BaseModel):
    """Which spaCy pipeline cuts sentences and tokens."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    pipeline: str = Field(
        "blank",
        description="`blank` (scispaCy's tokenizer with a rule sentencizer), or the name or "
        "folder of an installed spaCy or scispaCy pipeline such as en_core_sci_sm",
    )


class AnnotationSettings(BaseModel):
    """All that a worker needs to annotate a shard."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    preprocess: PreprocessSettings = PreprocessSettings()
    ner: NerSettings = NerSettings()
