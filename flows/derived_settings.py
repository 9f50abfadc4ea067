"""Settings of the tables that a run derives at its end."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class DerivedSettings(BaseModel):
    """What is counted for analysts at the end of a run; nothing here changes annotations."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    enabled: bool = Field(
        True,
        description="make the derived tables at the end of a run; without them the views over them "
        "show what `charthouse refresh` made last",
    )
    pair_concepts: int = Field(
        200,
        ge=2,
        description="of a document that names more concepts, so many of the most frequent are "
        "paired",
    )
    pair_documents: int = Field(
        2, ge=1, description="pairs of concepts that fewer documents name are left out"
    )
