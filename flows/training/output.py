"""The folder of a trained model: what may be written over, and how a new model gets there."""

from __future__ import annotations

import json
import shutil
from contextlib import suppress
from pathlib import Path
from typing import Any

from flows.errors import CharthouseError
from flows.training.order import Scores, TrainingOrder, differences
from flows.work import remove_tree, write_durably

DESCRIPTION = "training.json"
HISTORY = "training.tsv"
PLOT = "training.svg"
CHECKPOINTS = "checkpoints"
MODEL = "model"
LOCK = "lock"

_MODEL_FILES = (
    *("config.json", "*.safetensors", "*.safetensors.index.json", "generation_config.json"),
    *("tokenizer*", "vocab.*", "merges.txt", "special_tokens_map.json", "added_tokens.json"),
    *("*.model", DESCRIPTION, HISTORY, PLOT),
)
"""What a model's folder is made of: another one's tokenizer must not be left beside a new model."""


def finished_description(order: TrainingOrder) -> dict[str, Any] | None:
    """What training.json says, where the folder holds the very model that the order asks for."""
    try:
        found = json.loads((order.out / DESCRIPTION).read_text("utf-8"))
        return found if found["identity"] == order.identity and found["scores"] else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def check_output(order: TrainingOrder, *, overwrite: bool) -> None:
    """Refuse to mix trainings or to write over what is no training's.

    Raises:
        CharthouseError: the folder holds something, or another training is under way beside it.
    """
    differing = differences(order)
    if differing and not overwrite:
        raise CharthouseError(
            f"{order.work.root} holds an unfinished training that differs in "
            + ", ".join(name.replace("_", " ") for name in differing),
            "Repeat its command to go on with it, name another --out, or add --overwrite to "
            "drop it",
        )
    if differing == [] or not order.out.is_dir() or not any(order.out.iterdir()):
        return
    if not overwrite:
        raise CharthouseError(
            f"--out {order.out} is not empty", "Name another folder, or add --overwrite"
        )
    if not any((order.out / name).is_file() for name in (DESCRIPTION, HISTORY)):
        raise CharthouseError(
            f"--out {order.out} holds files and no trained model, so --overwrite spares it",
            "Name another folder",
        )


def goes_on(order: TrainingOrder) -> bool:
    """Whether a checkpoint of this very training waits to be continued."""
    return differences(order) == [] and any((order.work.root / CHECKPOINTS).glob("*"))


def check_state(order: TrainingOrder, *, overwrite: bool) -> str:
    """What a training would find: ``done`` where the model is there, ``goes on``, or ``new``.

    Raises:
        CharthouseError: as :func:`check_output`.
    """
    if not overwrite and finished_description(order) is not None:
        return "done"
    check_output(order, overwrite=overwrite)
    return "goes on" if goes_on(order) else "new"


def clear_output(order: TrainingOrder) -> None:
    """Make room for a new training: another one's remains and a former model's files go."""
    if differences(order) != []:
        for child in order.work.root.glob("*"):
            if child.name != LOCK:
                remove_tree(child) if child.is_dir() else child.unlink()
        for pattern in (*_MODEL_FILES, *order.model_files):
            for path in order.out.glob(pattern):
                path.unlink()


def give_up(order: TrainingOrder) -> None:
    """Leave nothing of a training that ended before its first checkpoint."""
    if goes_on(order):
        return
    remove_tree(order.work.root)
    rows = order.out / HISTORY
    if rows.is_file() and not (order.out / DESCRIPTION).is_file():
        rows.unlink()
        (order.out / PLOT).unlink(missing_ok=True)
        with suppress(OSError):
            order.out.rmdir()


def publish_model(order: TrainingOrder, scores: Scores) -> None:
    """Move the saved model to its folder; config.json comes last and makes it a model."""
    made = order.work.root / MODEL
    described = json.loads((made / DESCRIPTION).read_text("utf-8"))
    described["scores"] = dict(scores)
    content = json.dumps(described, indent=1) + "\n"
    (made / DESCRIPTION).write_text(content, encoding="utf-8")
    order.out.mkdir(exist_ok=True)
    for path in sorted(made.iterdir(), key=lambda p: (p.name == "config.json", p.name)):
        # Copied, not renamed: the folder may lie on a file system of its own.
        write_durably(order.out / path.name, _copier(path), private=False)


def _copier(source: Path) -> Any:
    return lambda temporary: shutil.copyfile(source, temporary)
