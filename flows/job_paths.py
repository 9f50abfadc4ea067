"""Relative paths in a file of settings: they start at the folder of that file.

A scheduler starts a job in whatever folder it likes, so the current one means nothing to the file.
"""

from __future__ import annotations

import glob
from collections.abc import Callable
from pathlib import Path
from typing import Any

_PATHS = (
    "sources",
    "warehouse.path",
    "warehouse.snapshot",
    "warehouse.key_file",
    "execution.staging",
    "dictionary.stop_words",
    "preprocess.section_rules",
    "assertion.rules",
    "privacy.names",
    "privacy.key_file",
    "endpoint.key_file",
    "generate.questions",
    "report.path",
    *(f"ontology_build.{name}" for name in ("out", "mesh", "umls", "obo", "kb", "table")),
    *(f"ontology_build.{name}" for name in ("names", "replaced")),
    *(f"evaluate.{name}" for name in ("gold", "predictions", "from_warehouse")),
)
"""Settings that can be nothing but paths."""

_NAMES = (
    "preprocess.pipeline",
    "ner.models",
    "assertion.method",
    "privacy.models",
    "dictionary.stores",
    "ontologies",
    "link.encoder",
    "link.writer",
    "generation.model",
    "generation.prompt",
    "relations.model",
    "relations.statements",
    "evaluate.ontology",
)
"""Settings that are a path or the name of something else: a word in the box, a package."""

_IN_THE_BOX = frozenset({"bundled", "sample", "blank", "pysbd", "minilm", "rules", "off"})


def from_folder(folder: Path, settings: dict[str, Any]) -> dict[str, Any]:
    """Settings as a file has them, relative paths made absolute.

    What may be a name is a path where the folder holds such a file or folder. URLs, absolute paths
    and values of a wrong type are left as they are.
    """
    for key in _PATHS:
        _change(settings, key, lambda value: _path(folder, value))
    for key in _NAMES:
        _change(settings, key, lambda value: _path_or_name(folder, value))
    return settings


def _change(settings: dict[str, Any], key: str, change: Callable[[str], str]) -> None:
    *groups, name = key.split(".")
    group: Any = settings
    for part in groups:
        group = group.get(part) if isinstance(group, dict) else None
    if not isinstance(group, dict) or name not in group:
        return
    value = group[name]
    if isinstance(value, str):
        group[name] = change(value)
    elif isinstance(value, list):
        group[name] = [change(item) if isinstance(item, str) else item for item in value]


def _path(folder: Path, value: str) -> str:
    if "://" in value or not value:
        return value
    if value.startswith("~"):
        return str(Path(value).expanduser())
    # The folder's own brackets are no pattern, whatever the value's are.
    start = glob.escape(str(folder)) if glob.has_magic(value) else str(folder)
    return str(Path(start) / value)


def _path_or_name(folder: Path, value: str) -> str:
    if value in _IN_THE_BOX or not value or not (folder / value).exists():
        return value
    return str(folder / value)
