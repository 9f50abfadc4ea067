"""What jobs besides the main one are told: tables of the job file."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class OntologyBuildSettings(BaseModel):
    """What `charthouse ontology build` compiles, for a scheduled job."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    out: Path | None = Field(None, description="folder of the store to make")
    mesh: tuple[Path, ...] = Field((), description="MeSH descriptor or supplementary XML")
    umls: tuple[Path, ...] = Field((), description="folders META of UMLS releases")
    obo: tuple[Path, ...] = Field((), description="OBO files or OBO Graph JSON")
    kb: tuple[Path, ...] = Field((), description="scispaCy knowledge bases, JSON lines")
    table: tuple[Path, ...] = Field((), description="CSV, TSV or Parquet files of concepts")
    names: tuple[Path, ...] = Field((), description="further names: TSV or CSV")
    replaced: tuple[Path, ...] = Field(
        (), description="ids that others took the place of: TSV or CSV"
    )
    languages: tuple[str, ...] = Field(("ENG",), description="UMLS: languages of names, as in LAT")
    vocabularies: tuple[str, ...] = Field(
        (), description="UMLS: source vocabularies, as in SAB; none = all"
    )
    semantic_types: tuple[str, ...] = Field(
        (), description="only concepts with one of these type codes; none = all"
    )
    suppressed: bool = Field(
        False, description="also what the release marks as suppressed or obsolete"
    )
    hierarchy: bool = Field(False, description="UMLS: also read who is whose parent")
    lenient: bool = Field(False, description="leave out rows that cannot be used")


class EvaluateSettings(BaseModel):
    """What `charthouse evaluate` judges, for a scheduled job; the scores go to the warehouse."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    task: Literal["ner", "concepts", "linking", "abbreviations", "assertion"] = Field(
        "ner", description="what is judged"
    )
    gold: tuple[Path, ...] = Field((), description="gold files, each judged by itself")
    ontology: str | None = Field(
        None,
        description="concept store to link to, for concepts and linking; none with from_warehouse",
    )
    label_map: tuple[str, ...] = Field((), description="labels of the gold files, as OLD=NEW")
    found_map: tuple[str, ...] = Field((), description="labels that are found, as FOUND=GOLD")
    limit: int | None = Field(None, ge=1, description="documents of each file at most")
    resamples: int = Field(1000, ge=1, description="draws of documents that the intervals rest on")
    seed: int = Field(0, ge=0, description="which documents are drawn")
    from_warehouse: Path | None = Field(
        None, description="judge the current mentions of this warehouse instead of finding them"
    )
    predictions: Path | None = Field(
        None, description="TSV file for what was found, for others to score"
    )


class GenerateSettings(BaseModel):
    """What `charthouse generate` is asked for; a scheduled job has it from here alone."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    task: Literal["summarize", "answer", "relations", "text"] = Field(
        "summarize", description="what a scheduled job does; the command names it itself"
    )
    where: str = Field(
        "true",
        description="SQL condition on the table documents: only those of which it is true",
    )
    question: tuple[str, ...] = Field((), description="of answers: questions")
    questions: Path | None = Field(
        None, description="of answers: CSV or JSON lines with question_id and question"
    )
    scope: Literal["document", "person", "warehouse"] = Field(
        "warehouse",
        description="of answers: whose text is searched; for each document or person there is an "
        "answer of its own",
    )
    limit: int | None = Field(None, ge=1, description="items to look at, at most")
    inputs: dict[str, str] = Field(
        default_factory=dict, description="further inputs that the prompt template names"
    )
