"""Small models with heads, in real folders; their weights are random."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import (
    AutoModelForMultipleChoice,
    AutoModelForSequenceClassification,
    AutoTokenizer,
    BertConfig,
)

from nlp.ner.device import Device, choose_device
from nlp.ner.source import BUNDLED_FOLDER
from tests.language_models import make_biogpt, make_gpt2


@pytest.fixture(scope="session")
def cpu() -> Device:
    return choose_device("cpu", "fp32")


def head_of(base: Path, folder: Path) -> Path:
    """Put a random head of one label onto a causal model."""
    torch.manual_seed(3)
    network = AutoModelForSequenceClassification.from_pretrained(base, num_labels=1)
    network.save_pretrained(folder)
    AutoTokenizer.from_pretrained(base).save_pretrained(folder)
    return folder


def make_bert(folder: Path, kind: Any, **values: Any) -> Path:
    """Save a random small BERT with the words of the bundled model."""
    tokenizer = AutoTokenizer.from_pretrained(BUNDLED_FOLDER)
    torch.manual_seed(3)
    config = BertConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=96,
        initializer_range=0.2,
        **values,
    )
    kind.from_config(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def heads(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Folders of heads by the kind of model."""
    root = tmp_path_factory.mktemp("heads")
    return {
        "gpt2": head_of(make_gpt2(root / "g"), root / "gpt2"),
        "biogpt": head_of(make_biogpt(root / "b"), root / "biogpt"),
        "bert": make_bert(root / "bert", AutoModelForSequenceClassification, num_labels=1),
        "bert_choice": make_bert(root / "bert_choice", AutoModelForMultipleChoice),
    }
