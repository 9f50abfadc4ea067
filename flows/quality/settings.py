"""Settings of what is measured at the end of a run."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class QualitySettings(BaseModel):
    """What is measured at the end of a run; nothing here changes annotations."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    enabled: bool = Field(True, description="write the quality tables at the end of a run")
