"""The settings of a run: one TOML file, environment variables, command line flags, rising."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
    TomlConfigSettingsSource,
)

from flows.bundled import store_folder
from flows.errors import CharthouseError
from nlp.settings import AnnotationSettings, DictionarySettings, NerSettings, PreprocessSettings
from ontologies.linker import LinkSettings


class SourceSettings(BaseModel):
    """How sources are read."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: str = Field("auto", description="auto, or the one format of all sources")
    corpus: str | None = Field(None, description="corpus name; by default made from each source")
    columns: dict[str, str] = Field(
        default_factory=dict,
        description="role = column name, for csv, jsonl and parquet; roles are id, text, title, "
        "abstract, date, person, encounter, type; what is missing is guessed",
    )
    limit: int | None = Field(None, ge=1, description="records to read at most, over all sources")
    retry_rejects: bool = Field(False, description="try documents again that failed before")


class ExecutionSettings(BaseModel):
    """How work is cut and spread; nothing here changes what the tables hold."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    workers: int = Field(
        0, ge=0, description="worker processes; 0 = one per CPU core, at most four on a GPU"
    )
    shard_characters: int = Field(
        0,
        ge=0,
        description="characters per shard; 0 = a million on CPU, twenty million on GPU, fewer "
        "where workers would be idle",
    )
    retries: int = Field(2, ge=0, description="times a failed shard is tried again")
    memory_megabytes: int = Field(
        0,
        ge=0,
        description="what DuckDB may hold in the main process before it goes to disk; 0 = 128 for "
        "each CPU core, at least 512",
    )


_GPU_DRIVERS = (Path("/proc/driver/nvidia"), Path("/dev/dxg"))
_WORKERS_PER_GPU = 4
"""Enough to tokenise for one GPU; each holds a copy of the model there."""


class Settings(BaseSettings):
    """Everything a run can be told. Environment variables are CHARTHOUSE_GROUP__FIELD."""

    model_config = SettingsConfigDict(
        env_prefix="CHARTHOUSE_", env_nested_delimiter="__", extra="forbid", frozen=True
    )

    source: SourceSettings = SourceSettings()
    preprocess: PreprocessSettings = PreprocessSettings()
    ner: NerSettings = NerSettings()
    dictionary: DictionarySettings = DictionarySettings()
    ontologies: tuple[str, ...] = Field(
        (),
        description="concept stores, `sample` or folders made by `charthouse ontology build`; the "
        "first one is shown by the entities view; none = those the warehouse is linked to "
        "already, else `sample`",
    )
    link: LinkSettings = LinkSettings()
    execution: ExecutionSettings = ExecutionSettings()

    @property
    def annotation(self) -> AnnotationSettings:
        """The part a worker needs, dictionaries by their folders.

        Raises:
            CharthouseError: the sample ontology is to be a dictionary and cannot be compiled.
        """
        stores = tuple(str(store_folder(name)) for name in self.dictionary.stores)
        dictionary = self.dictionary.model_copy(update={"stores": stores})
        return AnnotationSettings(preprocess=self.preprocess, ner=self.ner, dictionary=dictionary)

    @property
    def workers(self) -> int:
        """Worker processes to start: as set, else one per CPU core, at most four on a GPU."""
        if self.execution.workers:
            return self.execution.workers
        cores = len(os.sched_getaffinity(0))
        return min(cores, _WORKERS_PER_GPU) if self.uses_gpu else cores

    @property
    def uses_gpu(self) -> bool:
        """Whether NER will run on an NVIDIA GPU."""
        if self.ner.device != "auto" or not any(path.exists() for path in _GPU_DRIVERS):
            return self.ner.device.startswith("cuda")
        import torch  # takes seconds, so only where there may be a GPU

        return torch.cuda.is_available()


def load_settings(config: Path | None, flags: dict[str, Any]) -> Settings:
    """Read the TOML file, lay the environment over it, and the flags over both.

    Args:
        config: path of a TOML file, or None.
        flags: nested values as the settings name them; only those the user gave.

    Raises:
        CharthouseError: the file is missing or no TOML, a field is unknown or has a bad value, or
            there is neither a model nor a dictionary.
    """
    if config is not None:
        _check_toml(config)

    class Sourced(Settings):
        """Settings that also read ``config``."""

        @classmethod
        def settings_customise_sources(
            cls,
            settings_cls: type[BaseSettings],
            init_settings: PydanticBaseSettingsSource,
            env_settings: PydanticBaseSettingsSource,
            dotenv_settings: PydanticBaseSettingsSource,
            file_secret_settings: PydanticBaseSettingsSource,
        ) -> tuple[PydanticBaseSettingsSource, ...]:
            file = TomlConfigSettingsSource(settings_cls, config) if config else None
            return (init_settings, env_settings, *([file] if file else []))

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


def _check_toml(config: Path) -> None:
    try:
        with config.open("rb") as file:
            tomllib.load(file)
    except OSError as error:
        raise CharthouseError(
            f"configuration {config} cannot be read ({error.strerror})", "Check --config"
        ) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise CharthouseError(
            f"configuration {config} is no TOML: {error}", "Mend that line"
        ) from None
