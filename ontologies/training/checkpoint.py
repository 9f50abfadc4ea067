"""Checkpoints: all that a killed training needs to go on as if nothing had happened."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from ontologies.errors import OntologyError
from ontologies.replacing import sync

STATE_FILE = "state.pt"


def write_state(folder: Path, state: dict[str, Any]) -> None:
    """Write the state under a temporary name, sync it and rename it over the last one."""
    folder.mkdir(parents=True, exist_ok=True)
    temporary = folder / f"{STATE_FILE}.tmp"
    torch.save(state, temporary)
    sync(temporary)
    temporary.replace(folder / STATE_FILE)


def read_state(folder: Path, identity: str) -> dict[str, Any] | None:
    """The last state, or None where there is none.

    Raises:
        OntologyError: it cannot be read, or is of another training.
    """
    path = folder / STATE_FILE
    if not path.is_file():
        return None
    try:
        state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
        stored = state["identity"]
    except Exception as error:  # damaged files raise many unrelated kinds
        raise OntologyError(
            f"checkpoint {path} cannot be read ({type(error).__name__}); remove it to begin anew"
        ) from error
    if stored != identity:
        raise OntologyError(
            f"checkpoint {path} is of another training (base, names or recipe differ); give "
            "another output folder, or remove it to begin anew"
        )
    return state
