"""What a store was built from: the content of its ``release.json``."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class Source(BaseModel):
    """One release file a store was built from."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: str = Field(description="key in ontologies/formats.py")
    version: str | None = Field(default=None, description="what the release calls itself")
    files: dict[str, str] = Field(description="file name to SHA-256 of the file as given")
    concepts: int = Field(description="concepts read")
    names: int = Field(description="names read, preferred ones included")


class Release(BaseModel):
    """One compiled ontology release."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    release_id: str = Field(description="format and fingerprint of source content and builder")
    name: str = Field(description="ontology and source files, for people")
    attribution: str = Field(description="line the licences of the sources ask for")
    sources: tuple[Source, ...]
    concepts: int = Field(description="distinct concepts")
    names: int = Field(description="distinct names of concepts")
    extra_names: int = Field(default=0, description="names given beside the releases")
    replacements: int = Field(default=0, description="ids that lead to another concept")
    problems: int = Field(default=0, description="rows left out and things noted while building")
    semantic_types: tuple[str, ...] = Field(description="all type codes; the index counts in these")
    builder_version: int = Field(description="raised when the same sources give other content")
    created_at: str = Field(description="ISO 8601 time in UTC")
