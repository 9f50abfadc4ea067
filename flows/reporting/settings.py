"""Settings of the report that a run publishes."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field


class ReportSettings(BaseModel):
    """The page that shows what is in the warehouse; it never holds text of documents."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    path: Path | None = Field(
        None,
        description="HTML file with the report, written anew at the end of each run or relink; "
        "without text of documents, which only `charthouse report --with-text` shows",
    )
    title: str = Field("", description="title of the page")
    top: int = Field(25, ge=1, le=200, description="concepts in its lists")
