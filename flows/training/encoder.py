"""Training a name encoder: from stores and a base to the folder of an encoder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from flows import __version__
from flows.bundled import store_folder
from flows.errors import CharthouseError
from flows.processes import STOP, stoppable
from flows.progress import Reporter
from flows.training.order import check_place
from flows.training.output import DESCRIPTION
from flows.warehouse.runs import new_run_id
from flows.work import file_sha256, remove_tree
from ontologies.encoder_source import Pooling, encoder_fingerprint, find_encoder
from ontologies.errors import OntologyError
from ontologies.extra import read_extra_names
from ontologies.problems import Problems
from ontologies.replacing import replacing
from ontologies.store import ConceptStore, open_store

if TYPE_CHECKING:
    from ontologies.training.loop import Trained


@dataclass(frozen=True)
class EncoderOrder:
    """What a training of an encoder is told.

    Attributes:
        stores: concept stores, `sample` or folders, whose names are learnt from.
        types: prefixes of semantic types that the names are restricted to; none for all.
        names: files of further names.
        base: the encoder to start from, see ``find_encoder``.
        pooling: of the base; None for what its folder says.
        recipe: fields of ``EncoderRecipe`` that differ from their defaults.
        out: folder for the encoder.
        device: ``auto``, ``cpu``, ``cuda`` or ``cuda:N``.
    """

    stores: tuple[str, ...]
    types: tuple[str, ...]
    names: tuple[Path, ...]
    base: str
    pooling: Pooling | None
    recipe: Mapping[str, Any]
    out: Path
    device: str


def execute(order: EncoderOrder, *, overwrite: bool, quiet: bool = False) -> Trained:
    """Train, going on where an interrupted training of the same order stopped.

    Args:
        order: what to do.
        overwrite: replace an encoder in the order's folder, and drop another unfinished training.
        quiet: show no progress.

    Raises:
        CharthouseError: a store, the base, the device or the folder cannot be used.
        Interrupted: the user stopped the training; the same order goes on with it.
    """
    out = check_place(order.out)
    checkpoints = out.with_name(f"{out.name}.work")
    _check_output(out, overwrite=overwrite)
    if overwrite:
        remove_tree(checkpoints)
    try:
        trained = _train(order, out, checkpoints, quiet=quiet)
    except OntologyError as error:
        raise CharthouseError(str(error)) from None
    except OSError as error:
        raise CharthouseError(
            f"{out} cannot be written ({error.strerror})", "Check rights and free space"
        ) from None
    remove_tree(checkpoints)
    return trained


def _train(order: EncoderOrder, out: Path, checkpoints: Path, *, quiet: bool) -> Trained:
    base = find_encoder(order.base, order.pooling)
    stores = [open_store(store_folder(name)) for name in order.stores]
    extra = [read_extra_names(path, Problems()) for path in order.names]

    from ontologies.training.loop import EncoderRecipe, Progress, train_encoder  # seconds: torch
    from ontologies.training.synonyms import read_synonyms

    with stoppable(), Reporter(new_run_id(), None, quiet=quiet) as reporter:
        reporter.say("Reading names")
        synonyms = read_synonyms(stores, order.types, pl.concat(extra) if extra else None)
        begun = False

        def report(progress: Progress) -> None:
            nonlocal begun
            if not begun:
                reporter.stage("training", "steps", progress.steps, already=progress.step - 1)
                begun = True
            reporter.done(progress.step)
            if progress.step % 100 == 0:
                reporter.say(f"step {progress.step:,}: loss {progress.loss:.4f}")
            if progress.step == progress.steps:
                reporter.end(progress.step)
                reporter.say("Judging by the names held back")
            STOP.check()

        with replacing(out) as folder:
            return train_encoder(
                base,
                synonyms,
                folder,
                EncoderRecipe(**order.recipe),
                name=out.name,
                checkpoints=checkpoints,
                device=order.device,
                report=report,
                describe={
                    "charthouse": __version__,
                    "base": {
                        "name": base.name,
                        "pooling": base.pooling,
                        "fingerprint": encoder_fingerprint(base),
                    },
                    "stores": [store.release.release_id for store in stores],
                    "types": list(order.types),
                    "names": [file_sha256(path) for path in order.names],
                },
                notice=_notice(stores, order),
            )


def _notice(stores: Sequence[ConceptStore], order: EncoderOrder) -> str:
    """Whose names were learnt, as Markdown."""
    lines = [
        f"- {store.release.name}, release {store.release.release_id}. {store.release.attribution}"
        for store in stores
    ]
    if order.names:
        lines.append(f"- Further names from {len(order.names)} files of the user.")
    if order.types:
        lines.append(f"- Only concepts of the types {', '.join(order.types)}.")
    return "\n".join(lines)


def _check_output(out: Path, *, overwrite: bool) -> None:
    if not out.is_dir() or not any(out.iterdir()):
        return
    if not overwrite:
        raise CharthouseError(f"--out {out} is not empty", "Name another, or add --overwrite")
    if not (out / DESCRIPTION).is_file():
        raise CharthouseError(
            f"--out {out} holds files and no trained encoder, so --overwrite spares it",
            "Name another folder",
        )
