"""Fine-tuning an encoder so that names of the same concept lie close together."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from ontologies.encoder import (
    NameEncoder,
    choose_device,
    cpu_multiplies_bf16,
    load_network,
    load_tokenizer,
    pool,
)
from ontologies.encoder_source import EncoderSource, encoder_fingerprint
from ontologies.errors import OntologyError
from ontologies.training.checkpoint import read_state, write_state
from ontologies.training.loss import LossSettings, multi_similarity_loss
from ontologies.training.recall import Judge
from ontologies.training.save import save_encoder
from ontologies.training.synonyms import Synonyms, hold_out, make_pairs

CHECKPOINT_STEPS = 200
"""Steps between two checkpoints."""

_GROUPS = 4
"""Parts that a step's names are cut into by length, so that little is padded."""


@dataclass(frozen=True)
class EncoderRecipe:
    """Settings that decide the weights, together with base and names.

    Attributes:
        epochs: passes over the pairs.
        batch_pairs: pairs of names in a step; every name meets all others of the step.
        rate: highest learning rate; large encoders want 2e-5.
        weight_decay: AdamW's, on matrices.
        warmup_share: share of the steps in which the rate rises; then it falls to 0.
        max_tokens: of a name, the rest is cut off while training.
        held_out: names set apart to judge by.
        seed: of pairs, their order, and dropout.
        loss: of mining and loss.
    """

    epochs: int = 1
    batch_pairs: int = 256
    rate: float = 5e-5
    weight_decay: float = 0.01
    warmup_share: float = 0.06
    max_tokens: int = 32
    held_out: int = 1000
    seed: int = 13
    loss: LossSettings = field(default_factory=LossSettings)


@dataclass(frozen=True)
class Progress:
    """A report after a step: ``loss`` is the mean a name over the last hundred steps or fewer."""

    step: int
    steps: int
    loss: float


@dataclass(frozen=True)
class Trained:
    """What came of it: shares of held-out names whose nearest name has their concept.

    Attributes:
        pairs, names, concepts: that were learnt from.
        held_out: names that were not.
        before, after: the shares, 0 to 1, with the base and with what was made of it.
    """

    pairs: int
    names: int
    concepts: int
    held_out: int
    before: float
    after: float


def train_encoder(
    base: EncoderSource,
    synonyms: Synonyms,
    out: Path,
    recipe: EncoderRecipe,
    *,
    checkpoints: Path | None = None,
    device: str = "auto",
    report: Callable[[Progress], None] = lambda progress: None,
    describe: Mapping[str, Any] | None = None,
    notice: str = "",
) -> Trained:
    """Fine-tune ``base`` on pairs of synonyms and save what ``NameEncoder`` loads.

    Args:
        base: the encoder to start from.
        synonyms: names and what they mean.
        out: folder that receives config, weights, tokenizer, pooling, training.json, README.md.
        recipe: settings.
        checkpoints: folder for the state of the training; where it holds one of the same base,
            names and recipe, training goes on from there.
        device: ``auto``, ``cpu``, ``cuda`` or ``cuda:N``.
        report: receives progress after each step.
        describe: what training.json says beside recipe and outcome.
        notice: Markdown for README.md: sources of the names and their terms.

    Raises:
        OntologyError: there are no pairs, the base cannot be trained, the device is not there, or
            a checkpoint of another training is in the way.
    """
    learnt, apart = hold_out(synonyms, recipe.held_out, recipe.seed)
    if not len(make_pairs(learnt, recipe.seed)):
        raise OntologyError("no concept has two names to learn from; give other stores or types")
    random.seed(recipe.seed)
    torch.manual_seed(recipe.seed)
    trainer = _Trainer(base, learnt, recipe, choose_device(device))
    identity = _identity(base, synonyms, recipe)
    if checkpoints and (state := read_state(checkpoints, identity)):
        trainer.load(state)
    for progress in trainer.run():
        report(progress)
        if checkpoints and (progress.step % CHECKPOINT_STEPS == 0 or progress.step == progress.steps):
            write_state(checkpoints, {"identity": identity, **trainer.state()})
    save_encoder(trainer.network, base, out)
    judge = Judge(learnt, apart, recipe.seed)
    made = replace(base, name=out.name, folder=out)
    trained = Trained(
        pairs=len(trainer.pairs),
        names=len(np.unique(learnt.text)),
        concepts=len(np.unique(learnt.concept)),
        held_out=len(apart.text),
        before=judge.share(NameEncoder(base, device)),
        after=judge.share(NameEncoder(made, device)),
    )
    write_description(out, base, recipe, trained, describe or {}, notice)
    return trained
