"""Continued pre-training of a BERT encoder on raw text of the field (masked language model).

Devlin et al. 2019 with whole words masked; Gururangan et al. 2020 for going on with it on the
field's and the task's own text before fine-tuning.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional
from transformers import AutoModel, AutoTokenizer, BertModel

from nlp.ner.device import choose_device
from nlp.ner.encoding import Encoder, Words
from nlp.ner.errors import TrainingError
from nlp.ner.model import folder_source, load_tokenizer, make_encoder
from nlp.ner.packed import pack, training_hidden
from nlp.ner.training.network import add_case
from nlp.training.masters import Masters, decayed_rate

WINDOW = 400
"""Longest window in tokens; windows of one text are of even length."""


@dataclass(frozen=True)
class PretrainRecipe:
    """Settings: passes over the text, tokens a step, highest rate, share of words masked."""

    epochs: int = 2
    batch_tokens: int = 5_000
    rate: float = 5e-4
    warmup_share: float = 0.06
    weight_decay: float = 0.01
    masked_share: float = 0.2
    seed: int = 1


@dataclass(frozen=True, eq=False)
class _Window:
    """Shapes (tokens,): ids, case classes, and the number of each token's word."""

    token_ids: NDArray[np.int64]
    token_types: NDArray[np.int64]
    word_ids: NDArray[np.int64]


class _Learner(torch.nn.Module):
    """An encoder and the head that guesses masked tokens, tied to its word embeddings."""

    def __init__(self, network: BertModel) -> None:
        super().__init__()
        width = network.config.hidden_size
        self.network = network
        self.transform = torch.nn.Linear(width, width)
        torch.nn.init.eye_(self.transform.weight)
        torch.nn.init.zeros_(self.transform.bias)
        self.norm = torch.nn.LayerNorm(width, eps=network.config.layer_norm_eps)
        self.bias = torch.nn.Parameter(torch.zeros(network.config.vocab_size))

    def guesses(self, hidden: torch.Tensor) -> torch.Tensor:
        """Logits over the vocabulary, shape (masked tokens, vocabulary)."""
        states = self.norm(functional.gelu(self.transform(hidden.float())))
        embeddings = self.network.embeddings.word_embeddings.weight
        return functional.linear(states.to(embeddings.dtype), embeddings).float() + self.bias


def pretrain(
    base: Path,
    texts: Sequence[str],
    out: Path,
    recipe: PretrainRecipe,
    *,
    device: str = "auto",
    report: Callable[[int, int, float], None] = lambda step, steps, loss: None,
) -> None:
    """Go on pre-training the encoder in ``base`` on raw texts and save it to ``out``.

    The encoder learns its words' case as token types on the way (:mod:`nlp.ner.features`).

    Args:
        base: folder of a BERT encoder with a fast tokenizer.
        texts: raw texts; no labels are used.
        out: folder that receives config, float32 weights and tokenizer.
        recipe: settings.
        device: ``auto``, ``cpu``, ``cuda`` or ``cuda:N``.
        report: receives step, steps and the mean loss a masked token since the last report.

    Raises:
        TrainingError: the base is no BERT encoder.
    """
    chosen = choose_device(device)
    torch.manual_seed(recipe.seed)
    backend, _ = load_tokenizer(folder_source(base))
    network = AutoModel.from_pretrained(base, local_files_only=True, add_pooling_layer=False)
    if not isinstance(network, BertModel):
        raise TrainingError(f"base {base}: {type(network).__name__} is no BERT encoder")
    add_case(network)
    encoder = make_encoder(backend, network.config, word_case=True, label_on="first")
    windows = [w for words in encoder.encode(texts) for w in _windows(words)]
    mask_token = AutoTokenizer.from_pretrained(base, local_files_only=True).mask_token_id
    learner = _Learner(network).to(chosen.name)
    masters = Masters(learner, learner.network, chosen.dtype, average=0.0)
    optimiser = masters.optimiser(lambda name: recipe.rate, recipe.weight_decay, (0.9, 0.98))
    tokens = sum(len(window.token_ids) for window in windows)
    steps = max(1, recipe.epochs * tokens // recipe.batch_tokens)
    stream = _batches(windows, recipe, steps)
    rng = np.random.default_rng(recipe.seed)
    loss_sum, since = 0.0, 0
    for step, batch in enumerate(stream):
        masters.set_rate(optimiser, decayed_rate(step / steps, recipe.warmup_share))
        loss = _loss(learner, batch, encoder, mask_token, recipe.masked_share, rng, chosen.name)
        loss.backward()  # type: ignore[no-untyped-call]
        masters.take_gradients()
        optimiser.step()
        masters.publish()
        loss_sum, since = loss_sum + float(loss.detach()), since + 1
        if (step + 1) % 50 == 0 or step + 1 == steps:
            report(step + 1, steps, loss_sum / since)
            loss_sum, since = 0.0, 0
    masters.show_kept(torch.float32)
    learner.network.save_pretrained(out)
    AutoTokenizer.from_pretrained(base, local_files_only=True).save_pretrained(out)


def _windows(words: Words) -> Iterator[_Window]:
    length = len(words.token_ids)
    if not length:
        return
    word_ids = np.searchsorted(words.label_tokens, np.arange(length), side="right")
    count = -(-length // WINDOW)
    size = -(-length // count)
    for start in range(0, length, size):
        part = slice(start, start + size)
        yield _Window(words.token_ids[part], words.token_types[part], word_ids[part])


def _batches(windows: list[_Window], recipe: PretrainRecipe, steps: int) -> Iterator[list[_Window]]:
    rng = random.Random(recipe.seed)
    batch: list[_Window] = []
    tokens, done = 0, 0
    while done < steps:
        for window in rng.sample(windows, len(windows)):
            batch.append(window)
            tokens += len(window.token_ids) + 2
            if tokens >= recipe.batch_tokens and done < steps:
                yield batch
                batch, tokens, done = [], 0, done + 1


def _loss(
    learner: _Learner,
    batch: list[_Window],
    encoder: Encoder,
    mask_token: int,
    share: float,
    rng: np.random.Generator,
    device: str,
) -> torch.Tensor:
    """Mean loss a masked token: of masked words 80% are hidden, 10% made random, 10% left."""
    token_ids, token_types, positions, targets = [], [], [], []
    offset = len(encoder.start_tokens)
    for window in batch:
        first = int(window.word_ids[0])
        chosen = rng.random(int(window.word_ids[-1]) - first + 1) < share
        masked = chosen[window.word_ids - first]
        fate = rng.random(len(masked))
        ids = np.where(masked & (fate < 0.8), mask_token, window.token_ids)
        noise = rng.integers(0, learner.network.config.vocab_size, len(masked))
        ids = np.where(masked & (fate >= 0.9), noise, ids)
        token_ids.append(encoder.with_specials(ids))
        token_types.append(encoder.with_specials(window.token_types, fill=0))
        positions.append(np.flatnonzero(masked) + offset)
        targets.append(window.token_ids[masked])
        offset += len(token_ids[-1])
    packed = pack(token_ids, token_types).to(device)
    hidden = training_hidden(learner.network, packed, dropout=0.0)
    rows = torch.from_numpy(np.concatenate(positions)).to(device)
    wanted = torch.from_numpy(np.concatenate(targets)).to(device)
    return functional.cross_entropy(learner.guesses(hidden[rows]), wanted)
