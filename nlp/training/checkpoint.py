"""Checkpoints: all that a killed training needs to go on as if nothing had happened."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from nlp.ner.errors import TrainingError
from nlp.ner.source import ModelSource, model_fingerprint
from nlp.training.recipe import LoopRecipe

STATE_FILE = "state.pt"


def training_identity(base: ModelSource, recipe: LoopRecipe, texts: Iterable[bytes]) -> str:
    """Fingerprint of all that decides the weights; ``texts`` are what is learnt and judged by."""
    digest = hashlib.sha256(model_fingerprint(base).encode())
    digest.update(json.dumps(asdict(recipe), sort_keys=True).encode())
    for text in texts:
        digest.update(text)
    return digest.hexdigest()


def write_state(folder: Path, state: dict[str, Any]) -> None:
    """Put the state in the last one's place."""
    folder.mkdir(parents=True, exist_ok=True)
    write_whole(folder / STATE_FILE, lambda path: torch.save(state, path))


def read_state(folder: Path, identity: str) -> dict[str, Any] | None:
    """The last state, or None where there is none.

    Raises:
        TrainingError: it cannot be read, or is of another training.
    """
    path = folder / STATE_FILE
    if not path.is_file():
        return None
    try:
        state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
        stored = state["identity"]
    except Exception as error:  # damaged files raise many unrelated kinds
        raise TrainingError(
            f"checkpoint {path} cannot be read ({type(error).__name__}); remove it to begin anew"
        ) from error
    if stored != identity:
        raise TrainingError(
            f"checkpoint {path} is of another training (base, texts or recipe differ); give "
            "another output folder, or remove it to begin anew"
        )
    return state


def write_whole(path: Path, write: Callable[[Path], object]) -> None:
    """Have a file written under a temporary name, sync it and rename it over the last one."""
    temporary = path.with_name(f"{path.name}.tmp")
    write(temporary)
    sync(temporary)
    temporary.replace(path)


def sync(path: Path) -> None:
    """Wait until a file is on disk."""
    with path.open("rb") as file:
        os.fsync(file.fileno())
