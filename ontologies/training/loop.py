"""Fine-tuning an encoder so that names of the same concept lie close together."""

from __future__ import annotations

from collections import deque
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
from ontologies.training.relations import Relations
from ontologies.training.save import describe_encoder, save_encoder
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
        rate: highest learning rate; encoders of BERT size want 2e-5.
        weight_decay: AdamW's, on matrices.
        warmup_share: share of the steps in which the rate rises; then it falls to 0.
        max_tokens: of a name, the rest is cut off while training.
        base_share: share of the base's weights in those that are saved. Half and half forgets less
            of what the base knew, and does better on names that are written otherwise than in
            any store (Wortsman et al. 2022, https://arxiv.org/abs/2109.01903).
        held_out: names set apart to judge by.
        seed: of pairs, their order, and dropout.
        loss: of mining and loss.
    """

    epochs: int = 1
    batch_pairs: int = 256
    rate: float = 1e-4
    weight_decay: float = 0.01
    warmup_share: float = 0.06
    max_tokens: int = 32
    base_share: float = 0.5
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
    name: str | None = None,
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
        name: the encoder's, for its README; that of ``out`` by default.
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
    torch.manual_seed(recipe.seed)
    trainer = _Trainer(base, learnt, recipe, choose_device(device))
    identity = _identity(base, synonyms, recipe)
    if checkpoints and (state := read_state(checkpoints, identity)):
        trainer.load(state)
    for progress in trainer.run():
        report(progress)
        at_end = progress.step == progress.steps
        if checkpoints and (at_end or progress.step % CHECKPOINT_STEPS == 0):
            write_state(checkpoints, {"identity": identity, **trainer.state()})
    trainer.blend(base)
    save_encoder(trainer.network, base, out)
    judge = Judge(learnt, apart, recipe.seed)
    made = replace(base, name=name or out.name, folder=out)
    trained = Trained(
        pairs=len(trainer.pairs),
        names=len(np.unique(learnt.text)),
        concepts=len(np.unique(learnt.concept)),
        held_out=len(apart.text),
        before=judge.share(NameEncoder(base, device)),
        after=judge.share(NameEncoder(made, device)),
    )
    described = {"recipe": asdict(recipe), "outcome": asdict(trained), **(describe or {})}
    describe_encoder(out, name or out.name, base, described, notice)
    return trained


class _Trainer:
    """The state of a training."""

    def __init__(
        self, base: EncoderSource, synonyms: Synonyms, recipe: EncoderRecipe, device: str
    ) -> None:
        self.pairs = make_pairs(synonyms, recipe.seed)
        self._recipe = recipe
        self._device = device
        self._pooling = base.pooling
        self._relations = Relations(synonyms)
        tokenizer = load_tokenizer(base)
        self._padding = tokenizer.pad_token_id or 0
        self._order = np.empty(0, dtype=np.int64)
        self._ordered = -1
        self._tokens = tokenizer(synonyms.texts, truncation=True, max_length=recipe.max_tokens)[
            "input_ids"
        ]
        network: Any = load_network(base, torch.float32)
        self.network = network.train().to(device)
        # A pooler gets no gradient, and vectors (biases, norms) do not decay.
        named = [(n, p) for n, p in network.named_parameters() if not n.startswith("pooler.")]
        self._optimiser = torch.optim.AdamW(
            [
                {
                    "params": [p for _, p in named if p.ndim > 1],
                    "weight_decay": recipe.weight_decay,
                },
                {"params": [p for _, p in named if p.ndim < 2], "weight_decay": 0.0},
            ],
            lr=recipe.rate,
        )
        self._parameters = [p for _, p in named]
        self.steps = recipe.epochs * -(-len(self.pairs) // recipe.batch_pairs)
        self._step = 0
        self._recent: deque[float] = deque(maxlen=100)

    def run(self) -> Iterator[Progress]:
        """Take the steps that are left."""
        while self._step < self.steps:
            for group in self._optimiser.param_groups:
                done = self._step / self.steps
                group["lr"] = self._recipe.rate * _decayed(done, self._recipe.warmup_share)
            self._recent.append(self._take(self._batch(self._step)))
            self._step += 1
            yield Progress(self._step, self.steps, sum(self._recent) / len(self._recent))

    def state(self) -> dict[str, Any]:
        """For a checkpoint."""
        return {
            "step": self._step,
            "recent": list(self._recent),
            "network": self.network.state_dict(),
            "optimiser": self._optimiser.state_dict(),
            "random": torch.get_rng_state(),
        }

    def load(self, state: dict[str, Any]) -> None:
        """Take a checkpoint up again."""
        self._step = state["step"]
        self._recent.extend(state["recent"])
        self.network.load_state_dict(state["network"])
        self._optimiser.load_state_dict(state["optimiser"])
        torch.set_rng_state(state["random"])

    @torch.no_grad()
    def blend(self, base: EncoderSource) -> None:
        """Move the weights towards the base's, as far as the recipe says."""
        start = dict(load_network(base, torch.float32).named_parameters())
        for name, value in self.network.named_parameters():
            value.lerp_(start[name].to(value.device), self._recipe.base_share)

    def _batch(self, step: int) -> npt.NDArray[np.int64]:
        """The pairs of a step; each epoch has an order of its own."""
        size = self._recipe.batch_pairs
        epoch, place = divmod(step, self.steps // self._recipe.epochs)
        if epoch != self._ordered:
            rng = np.random.default_rng((self._recipe.seed, epoch))
            self._order = rng.permutation(len(self.pairs))
            self._ordered = epoch
        batch: npt.NDArray[np.int64] = self.pairs[self._order[place * size : (place + 1) * size]]
        return batch

    def _take(self, pairs: npt.NDArray[np.int64]) -> float:
        text = np.concatenate([pairs[:, 0], pairs[:, 1]])
        concept = np.tile(pairs[:, 2], 2)
        # By length: names of a part are padded to the longest of that part only.
        order = np.argsort([len(self._tokens[row]) for row in text], kind="stable")
        text, concept = text[order], concept[order]
        positive, negative = self._relations.of(text, concept)
        low = self._device != "cpu" or cpu_multiplies_bf16()
        with torch.autocast(self._device.partition(":")[0], torch.bfloat16, enabled=low):
            parts = [self._vectors(part) for part in np.array_split(text, _GROUPS)]
        loss = multi_similarity_loss(
            torch.cat([part for part in parts if len(part)]),
            torch.from_numpy(positive).to(self._device),
            torch.from_numpy(negative).to(self._device),
            self._recipe.loss,
        )
        self._optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self._parameters, 1.0)
        self._optimiser.step()
        return float(loss.detach())

    def _vectors(self, text: npt.NDArray[np.int64]) -> torch.Tensor:
        names = [self._tokens[row] for row in text]
        longest = max(map(len, names), default=0)
        ids = torch.full((len(names), longest), self._padding)
        mask = torch.zeros((len(names), longest), dtype=torch.int64)
        for row, name in enumerate(names):
            ids[row, : len(name)] = torch.tensor(name)
            mask[row, : len(name)] = 1
        ids, mask = ids.to(self._device), mask.to(self._device)
        if not len(names):
            return torch.empty(0)
        hidden = self.network(input_ids=ids, attention_mask=mask).last_hidden_state
        return pool(hidden, mask, self._pooling)


def _decayed(done: float, warmup: float) -> float:
    """Share of the highest rate after a share of the training: up linearly, then down to 0."""
    return done / warmup if done < warmup else max(0.0, (1 - done) / (1 - warmup))


def _identity(base: EncoderSource, synonyms: Synonyms, recipe: EncoderRecipe) -> str:
    parts = (encoder_fingerprint(base), synonyms.fingerprint, sorted(asdict(recipe).items()))
    return sha256(repr(parts).encode()).hexdigest()
