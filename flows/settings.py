"""The settings of a run: one TOML file, environment variables, command line flags, rising."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic_settings import (
    BaseSettings,
    InitSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
)

from flows.bundled import store_folder
from flows.derived_settings import DerivedSettings
from flows.errors import CharthouseError
from flows.job_paths import from_folder
from flows.job_settings import EvaluateSettings, GenerateSettings, OntologyBuildSettings
from flows.quality.settings import QualitySettings
from flows.reporting.settings import ReportSettings
from nlp.language_settings import (
    EndpointSettings,
    GenerationSettings,
    RelationSettings,
    RetrievalSettings,
)
from nlp.settings import (
    AnnotationSettings,
    AssertionSettings,
    DictionarySettings,
    NerSettings,
    PreprocessSettings,
    PrivacySettings,
    QuantitySettings,
)
from ontologies.linker import LinkSettings

LOCAL, DASK, RAY = "local", "dask", "ray"
"""Where shards are annotated: the values of ``execution.runner``."""


class SourceSettings(BaseModel):
    """How sources are read."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: str = Field("auto", description="auto, or the one format of all sources")
    corpus: str | None = Field(None, description="corpus name; by default made from each source")
    columns: dict[str, str] = Field(
        default_factory=dict,
        description="role = column name, for csv, jsonl, parquet and duckdb; roles are id, text, "
        "title, abstract, date, person, encounter, type; what is missing is guessed; `table` = the "
        "table of a duckdb file, by default `note`",
    )
    limit: int | None = Field(None, ge=1, description="records to read at most, over all sources")
    retry_rejects: bool = Field(False, description="try documents again that failed before")
    prune: bool = Field(
        False,
        description="remove documents that are in none of the sources any more; all files are "
        "parsed, unchanged ones too",
    )
    prune_limit: float = Field(
        0.5,
        ge=0,
        le=1,
        description="share of the sources' documents that may vanish; where more have, the run "
        "stops before anything is written",
    )

    @model_validator(mode="after")
    def _prune_reads_all(self) -> Self:
        if self.prune and self.limit is not None:
            raise ValueError("prune and limit exclude each other")
        return self


class ExecutionSettings(BaseModel):
    """How work is cut and spread; nothing here changes what the tables hold."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    workers: int = Field(
        0,
        ge=0,
        description="worker processes; 0 = one per CPU core, at most four on a GPU; all of a "
        "cluster, where a number bounds how many are kept busy",
    )
    shard_characters: int = Field(
        0,
        ge=0,
        description="characters per shard; 0 = a million on CPU, twenty million on GPU, fewer "
        "where workers would be idle",
    )
    retries: int = Field(2, ge=0, description="times a failed shard is tried again")
    stall_seconds: float = Field(
        1800.0,
        gt=0,
        description="seconds after which a worker hangs that has finished no batch of documents "
        "(200,000 characters; a longer document gets more time) and no chunk of names: it is "
        "ended and its work tried again",
    )
    runner: Literal["local", "dask", "ray"] = Field(
        "local",
        description="where shards are annotated: worker processes of this machine, or the workers "
        "of a Dask or Ray cluster (extras `dask` and `ray`)",
    )
    address: str | None = Field(
        None,
        description="of the cluster: `tcp://HOST:8786` of a Dask scheduler; `HOST:6379`, "
        "`ray://HOST:10001`, `auto` or `local` of Ray, where `local` starts one on this machine",
    )
    staging: str | None = Field(
        None,
        description="folder or fsspec URL (`s3://bucket/folder`) that this machine and all workers "
        "of a cluster can write; none = the work folder beside the warehouse, if workers see it "
        "under the same path",
    )
    gpus: float = Field(
        0.0,
        ge=0,
        description="GPUs that a shard asks of a cluster: of Dask the worker resource `GPU`, of "
        "Ray `num_gpus`; 0.25 lets four shards share one",
    )
    memory_megabytes: int = Field(
        0,
        ge=0,
        description="what DuckDB may hold in the main process before it goes to disk; 0 = 128 for "
        "each CPU core, at least 512",
    )

    @property
    def shared_storage(self) -> str | None:
        """Where workers read and write instead of the work folder, if anywhere."""
        return None if self.runner == LOCAL else self.staging


class WarehouseSettings(BaseModel):
    """The warehouse file: where it is, who waits for whom, its copy for readers, its key."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    path: Path | None = Field(None, description="DuckDB file to write; made where missing")
    wait_seconds: float = Field(
        0, ge=0, description="seconds to wait for another process that holds the warehouse"
    )
    snapshot: Path | None = Field(
        None,
        description="read-only copy for analysts, published when a run or relink has changed "
        "something",
    )
    key_variable: str | None = Field(
        None,
        description="environment variable that holds the key of an encrypted warehouse; its name, "
        "not the key",
    )
    key_file: Path | None = Field(
        None, description="file that holds the key instead, readable by its owner only"
    )
    unsafe_crypto: bool = Field(
        False,
        description="write an encrypted warehouse without the httpfs extension, by code that "
        "DuckDB calls not secure: for trials and tests",
    )


_GPU_DRIVERS = (Path("/proc/driver/nvidia"), Path("/dev/dxg"))
_WORKERS_PER_GPU = 4
"""Enough to tokenise for one GPU; each holds a copy of the model there."""


class Settings(BaseSettings):
    """Everything a run can be told. Environment variables are CHARTHOUSE_GROUP__FIELD."""

    model_config = SettingsConfigDict(
        env_prefix="CHARTHOUSE_", env_nested_delimiter="__", extra="forbid", frozen=True
    )

    sources: tuple[str, ...] = Field(
        (), description="files, folders or globs to read, where the command line names none"
    )
    source: SourceSettings = SourceSettings()
    warehouse: WarehouseSettings = WarehouseSettings()
    preprocess: PreprocessSettings = PreprocessSettings()
    ner: NerSettings = NerSettings()
    dictionary: DictionarySettings = DictionarySettings()
    assertion: AssertionSettings = AssertionSettings()
    quantities: QuantitySettings = QuantitySettings()
    privacy: PrivacySettings = PrivacySettings()
    ontologies: tuple[str, ...] = Field(
        (),
        description="concept stores, `sample` or folders made by `charthouse ontology build`; the "
        "first one is shown by the entities view; none = those the warehouse is linked to "
        "already, else `sample`",
    )
    keep_previous: bool = Field(
        False,
        description="keep the annotation set that was current, not current any more, beside the "
        "one that a document is annotated with anew; sets of an older text always go",
    )
    link: LinkSettings = LinkSettings()
    generation: GenerationSettings = GenerationSettings()
    endpoint: EndpointSettings = EndpointSettings()
    retrieval: RetrievalSettings = RetrievalSettings()
    relations: RelationSettings = RelationSettings()
    generate: GenerateSettings = GenerateSettings()
    execution: ExecutionSettings = ExecutionSettings()
    derived: DerivedSettings = DerivedSettings()
    quality: QualitySettings = QualitySettings()
    report: ReportSettings = ReportSettings()
    ontology_build: OntologyBuildSettings = OntologyBuildSettings()
    evaluate: EvaluateSettings = EvaluateSettings()

    @property
    def annotation(self) -> AnnotationSettings:
        """The part a worker needs, dictionaries by their folders.

        Raises:
            CharthouseError: the sample ontology is to be a dictionary and cannot be compiled.
        """
        stores = tuple(str(store_folder(name)) for name in self.dictionary.stores)
        dictionary = self.dictionary.model_copy(update={"stores": stores})
        return AnnotationSettings(
            preprocess=self.preprocess,
            ner=self.ner,
            dictionary=dictionary,
            assertion=self.assertion,
            quantities=self.quantities,
            privacy=self.privacy,
        )

    @property
    def workers(self) -> int:
        """Worker processes: as set, else one per CPU core, at most four on a GPU.

        For a cluster the door sets them (:mod:`flows.cluster`).
        """
        if self.execution.workers:
            return self.execution.workers
        cores = len(os.sched_getaffinity(0))
        return min(cores, _WORKERS_PER_GPU) if self.uses_gpu else cores

    @property
    def uses_gpu(self) -> bool:
        """Whether NER will run on an NVIDIA GPU."""
        if self.execution.runner != LOCAL:
            return self.execution.gpus > 0 or self.ner.device.startswith("cuda")
        if self.ner.device != "auto" or not any(path.exists() for path in _GPU_DRIVERS):
            return self.ner.device.startswith("cuda")
        import torch  # takes seconds, so only where there may be a GPU

        return torch.cuda.is_available()


def load_settings(config: Path | None, flags: dict[str, Any]) -> Settings:
    """Read the TOML file, lay the environment over it, and the flags over both.

    Relative paths in the file start at its folder, all others at the current one.

    Args:
        config: path of a TOML file, or None.
        flags: nested values as the settings name them; only those the user gave.

    Raises:
        CharthouseError: the file is missing or no TOML, a field is unknown or has a bad value, or
            there is neither a model nor a dictionary.
    """
    written = _read_toml(config) if config is not None else {}

    class Sourced(Settings):
        """Settings that also hold what ``config`` says."""

        @classmethod
        def settings_customise_sources(
            cls,
            settings_cls: type[BaseSettings],
            init_settings: PydanticBaseSettingsSource,
            env_settings: PydanticBaseSettingsSource,
            dotenv_settings: PydanticBaseSettingsSource,
            file_secret_settings: PydanticBaseSettingsSource,
        ) -> tuple[PydanticBaseSettingsSource, ...]:
            return (init_settings, env_settings, InitSettingsSource(settings_cls, written))

    try:
        settings = Sourced(**flags)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        raise CharthouseError(
            f"setting {field}: {first['msg'].lower()}", "docs/configuration.md lists all settings"
        ) from None
    except SettingsError as error:
        raise CharthouseError(f"settings: {error}", "Values of groups are JSON") from None
    if not settings.ner.models and not settings.dictionary.stores:
        raise CharthouseError(
            "setting ner.models: no model, and no dictionary either",
            "Name a --model, or a concept store with --dictionary",
        )
    return settings


def _read_toml(config: Path) -> dict[str, Any]:
    try:
        with config.open("rb") as file:
            return from_folder(config.absolute().parent, tomllib.load(file))
    except OSError as error:
        raise CharthouseError(
            f"configuration {config} cannot be read ({error.strerror})", "Check --config"
        ) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise CharthouseError(
            f"configuration {config} is no TOML: {error}", "Mend that line"
        ) from None
