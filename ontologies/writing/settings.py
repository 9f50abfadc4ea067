"""What decides how a causal language model takes part in linking."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

MENTION = "{mention}"
"""What of a template stands for the name asked for."""

TEMPLATE = "{mention} means"

WriterUse = Literal["rerank", "generate", "both", "fallback"]


class WriterSettings(BaseModel):
    """Whether and how a language model finds or ranks the concepts of names no exact way finds."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    writer: str = Field(
        default="",
        description="causal language model that takes part in linking names no exact way finds: a"
        " folder or `hub:owner/name@revision`; empty for none",
    )
    writer_use: WriterUse = Field(
        default="rerank",
        description="`rerank`: candidates by similarity are weighed by how likely the model would"
        " write their names; `generate`: candidates are the names that the model writes, and there"
        " is no search by similarity; `both`: candidates of both, weighed by both; `fallback`: the"
        " model writes only where the best candidate by similarity is below the threshold",
    )
    writer_template: str = Field(
        default=TEMPLATE,
        description="what the model completes with a name of the store; `{mention}` stands for the"
        " name asked for",
    )
    writer_beams: int = Field(
        default=5, ge=1, le=100, description="beginnings of names that are kept while it writes"
    )
    writer_candidates: int = Field(
        default=10,
        ge=1,
        le=100,
        description="concepts found by similarity that it weighs; others are left out",
    )
    writer_weight: float = Field(
        default=0.05,
        ge=0,
        le=1,
        description="weight of a name's likelihood, relative to that of the likeliest candidate,"
        " where similarity counts too; similarity has the rest",
    )

    @field_validator("writer_template")
    @classmethod
    def _usable(cls, template: str) -> str:
        before, mention, after = template.partition(MENTION)
        if not mention or MENTION in after or not after.strip():
            raise ValueError(
                f"needs {MENTION} once, and words after it, as in `{TEMPLATE}`, for a model to go"
                f" on from; it is `{before}{mention}{after}`"
            )
        return template.strip()
