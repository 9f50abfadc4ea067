"""The network in training: a base with a new head, its forward pass, its numbers' formats."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import torch
from transformers import (
    AutoConfig,
    AutoModelForTokenClassification,
    BertForTokenClassification,
    BertModel,
    PreTrainedModel,
)

from nlp.ner.errors import TrainingError
from nlp.ner.features import CASE_CLASSES
from nlp.ner.packed import can_pack, training_hidden
from nlp.ner.tags import bio_tags
from nlp.ner.training.examples import Batch
from nlp.ner.training.gold import TAGS
from nlp.ner.training.loss import Moves, sequence_loss
from nlp.ner.training.recipe import Recipe


class Trainee(torch.nn.Module):
    """A base model with a head of three logits a label, and the learnt moves between tags."""

    def __init__(self, network: torch.nn.Module, labels: int, pad_token: int, dropout: float):
        """Wrap a token classifier with ``3 * labels`` logits."""
        super().__init__()
        self.network = network
        self.moves = Moves(labels)
        self.labels = labels
        self.pad_token = pad_token
        self.dropout = dropout
        self.packs = can_pack(network)

    def forward(self, batch: Batch) -> torch.Tensor:
        """The batch's summed loss."""
        logits = self._packed_logits(batch) if self.packs else self._padded_logits(batch)
        shape = (*batch.allowed.shape[:2], self.labels, TAGS)
        words = torch.zeros(shape, dtype=torch.float32, device=logits.device)
        words[batch.rows, batch.columns] = logits.float().view(-1, self.labels, TAGS)
        return sequence_loss(words, batch.allowed, batch.lengths, self.moves)

    def _packed_logits(self, batch: Batch) -> torch.Tensor:
        network = self.network
        assert isinstance(network, BertForTokenClassification)
        hidden = training_hidden(network.bert, batch.packed, self.dropout)[batch.positions]
        hidden = torch.nn.functional.dropout(hidden, self.dropout, training=True)
        logits: torch.Tensor = network.classifier(hidden)
        return logits

    def _padded_logits(self, batch: Batch) -> torch.Tensor:
        lengths = batch.packed.lengths
        device = batch.packed.token_ids.device
        token_ids = torch.full(
            (len(lengths), max(lengths)), self.pad_token, dtype=torch.int64, device=device
        )
        mask = torch.zeros_like(token_ids)
        for row, sequence in enumerate(torch.split(batch.packed.token_ids, lengths)):
            token_ids[row, : len(sequence)] = sequence
            mask[row, : len(sequence)] = 1
        logits: torch.Tensor = self.network(input_ids=token_ids, attention_mask=mask).logits
        return logits[mask.bool()][batch.positions]


def build(base: Path, labels: tuple[str, ...], recipe: Recipe, word_case: bool) -> PreTrainedModel:
    """Load the base with a head for the labels; a head that fits is kept, any other made anew.

    Raises:
        TrainingError: the base cannot be loaded as a token classifier, or adapters were asked for
            and peft is not installed.
    """
    names = [name for label in labels for name in bio_tags([label])]
    id2label = {i: f"O ({labels[i // TAGS]})" if n == "O" else n for i, n in enumerate(names)}
    settings: dict[str, Any] = {
        "id2label": id2label,
        "label2id": {name: index for index, name in id2label.items()},
    }
    try:
        before = AutoConfig.from_pretrained(base, local_files_only=True)
        for name in ("hidden_dropout_prob", "dropout", "hidden_dropout", "resid_pdrop"):
            if hasattr(before, name):
                settings[name] = recipe.dropout
        for name in ("attention_probs_dropout_prob", "attention_dropout", "attn_pdrop"):
            if hasattr(before, name):
                settings[name] = 0.0  # else SDPA leaves its fast path
        network = AutoModelForTokenClassification.from_pretrained(
            base,
            local_files_only=True,
            dtype=torch.float32,
            ignore_mismatched_sizes=True,
            **settings,
        )
    except Exception as error:
        raise TrainingError(
            f"base {base}: it cannot be loaded as a token classifier ({type(error).__name__})"
        ) from error
    if before.id2label != id2label:
        network._init_weights(_head(network))
    if word_case:
        add_case(network.bert)
    return _with_adapters(network, recipe.lora_rank) if recipe.lora_rank else network


def _head(network: PreTrainedModel) -> torch.nn.Module:
    for name in ("classifier", "score"):
        if isinstance(head := getattr(network, name, None), torch.nn.Linear):
            return head
    raise TrainingError(f"{type(network).__name__} has no linear head that could be trained")


def add_case(body: BertModel) -> None:
    """Give a BERT one token type a case class, all beginning as its first, if it has them not."""
    old = body.embeddings.token_type_embeddings
    if old.num_embeddings == CASE_CLASSES:
        return
    new = torch.nn.Embedding(CASE_CLASSES, old.embedding_dim)
    with torch.no_grad():
        new.weight.copy_(old.weight[:1].expand_as(new.weight))
    body.embeddings.token_type_embeddings = new
    body.config.type_vocab_size = CASE_CLASSES


def _with_adapters(network: PreTrainedModel, rank: int) -> PreTrainedModel:
    try:
        from peft import LoraConfig, TaskType, get_peft_model
    except ImportError:
        raise TrainingError(
            "low-rank adapters need the package peft; install charthouse[train]"
        ) from None
    config = LoraConfig(
        task_type=TaskType.TOKEN_CLS,
        r=rank,
        lora_alpha=2 * rank,
        target_modules="all-linear",
        exclude_modules=["classifier", "score"],  # trained whole
    )
    adapted: Any = get_peft_model(network, config)  # in all that matters the network itself
    return cast(PreTrainedModel, adapted)
