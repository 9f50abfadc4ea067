"""Tiny sequence classifiers in real folders: random ones, and one that learnt what denial is."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from transformers import (
    BertConfig,
    BertForSequenceClassification,
    BertTokenizerFast,
    DistilBertConfig,
    DistilBertForSequenceClassification,
    PreTrainedModel,
)

PROBLEMS = ("fever", "cough", "asthma", "pain", "nausea", "anemia")
CUES = {"PRESENT": ("has", "with"), "ABSENT": ("no", "denies"), "POSSIBLE": ("possible", "maybe")}
LABELS = ("PRESENT", "ABSENT", "POSSIBLE")
WORDS = (*PROBLEMS, *itertools.chain(*CUES.values()), "patient", "and", "but", "the", ".", ",")
SPECIALS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
VOCABULARY = (*SPECIALS, "[entity]", *WORDS)

MakeClassifier = Callable[..., Path]


def _tokenizer() -> BertTokenizerFast:
    tokenizer = BertTokenizerFast(vocab={word: row for row, word in enumerate(VOCABULARY)})
    tokenizer.add_tokens(["[entity]"], special_tokens=True)
    return tokenizer


def _bert(labels: tuple[str, ...], context: int, spread: float) -> PreTrainedModel:
    return BertForSequenceClassification(
        BertConfig(
            vocab_size=len(VOCABULARY),
            hidden_size=32,
            num_hidden_layers=2,
            num_attention_heads=4,
            intermediate_size=64,
            max_position_embeddings=context,
            initializer_range=spread,
            hidden_dropout_prob=0.0,  # learns faster
            attention_probs_dropout_prob=0.0,
            id2label=dict(enumerate(labels)),
            label2id={label: index for index, label in enumerate(labels)},
        )
    )


def _distilbert(labels: tuple[str, ...], context: int, spread: float) -> PreTrainedModel:
    return DistilBertForSequenceClassification(
        DistilBertConfig(
            vocab_size=len(VOCABULARY),
            dim=32,
            n_layers=2,
            n_heads=4,
            hidden_dim=64,
            max_position_embeddings=context,
            initializer_range=spread,
            id2label=dict(enumerate(labels)),
            label2id={label: index for index, label in enumerate(labels)},
        )
    )


KINDS = {"bert": _bert, "distilbert": _distilbert}


@pytest.fixture(scope="session")
def make_classifier(tmp_path_factory: pytest.TempPathFactory) -> MakeClassifier:
    """Save a random classifier in a new folder."""

    def make(
        kind: str = "bert",
        labels: tuple[str, ...] = LABELS,
        *,
        context: int = 64,
        problem_type: str | None = None,
    ) -> Path:
        torch.manual_seed(5)
        network = KINDS[kind](labels, context, 0.8)  # wide, so that labels vary
        network.config.problem_type = problem_type
        folder = tmp_path_factory.mktemp("classifiers") / f"random-{kind}"
        network.save_pretrained(folder)
        _tokenizer().save_pretrained(folder)
        return folder

    return make


@pytest.fixture(scope="session")
def learnt_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A BERT trained for seconds: a mention is as the nearest cue before it says."""
    torch.manual_seed(1)
    chance = random.Random(1)
    tokenizer, network = _tokenizer(), _bert(LABELS, 24, 0.05)
    optimizer = torch.optim.AdamW(network.parameters(), lr=2e-3)
    network.train()
    for _ in range(120):
        texts, labels = zip(*(_example(chance) for _ in range(32)), strict=True)
        inputs = tokenizer(list(texts), padding=True, return_tensors="pt")
        loss = network(**inputs, labels=torch.tensor([LABELS.index(x) for x in labels])).loss
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    folder = tmp_path_factory.mktemp("classifiers") / "learnt"
    network.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def _example(chance: random.Random) -> tuple[str, str]:
    """A marked sentence of up to three phrases, and the label of its mention."""
    phrases = [
        (chance.choice(LABELS), chance.choice(PROBLEMS)) for _ in range(chance.randint(1, 3))
    ]
    asked = chance.randrange(len(phrases))
    said = [
        f"{chance.choice(CUES[label])} "
        + (f"[entity] {problem} [entity]" if index == asked else problem)
        for index, (label, problem) in enumerate(phrases)
    ]
    return f"the patient {' but '.join(said)} .", phrases[asked][0]
