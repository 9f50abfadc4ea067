"""Causal models of given shapes with random weights, which are as fast as any, and prompts.

The vocabulary is one of made-up words, a token each, so that a prompt has the length it is asked
to have and nothing but torch and transformers is needed.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import WhitespaceSplit
from transformers import AutoConfig, AutoModelForCausalLM, PreTrainedTokenizerFast

END, PAD = 2, 1
ENDING = 0.02
"""Share of the vocabulary that ends a text, so that answers differ in length."""

SHAPES: dict[str, dict[str, Any]] = {
    "small-gpt2": {
        "model_type": "gpt2",
        "vocab_size": 8_192,
        "n_positions": 512,
        "n_embd": 384,
        "n_layer": 6,
        "n_head": 6,
    },
    "small-biogpt": {
        "model_type": "biogpt",
        "vocab_size": 8_192,
        "max_position_embeddings": 512,
        "hidden_size": 384,
        "num_hidden_layers": 6,
        "num_attention_heads": 6,
        "intermediate_size": 1_536,
    },
    "biogpt": {
        "model_type": "biogpt",
        "vocab_size": 42_384,
        "max_position_embeddings": 1_024,
        "hidden_size": 1_024,
        "num_hidden_layers": 24,
        "num_attention_heads": 16,
        "intermediate_size": 4_096,
    },
    "biomedlm": {
        "model_type": "gpt2",
        "vocab_size": 28_896,
        "n_positions": 1_024,
        "n_embd": 2_560,
        "n_layer": 32,
        "n_head": 20,
    },
    "tiny": {
        "model_type": "gpt2",
        "vocab_size": 256,
        "n_positions": 256,
        "n_embd": 32,
        "n_layer": 2,
        "n_head": 2,
    },
}
"""Shapes by name: those of microsoft/biogpt and stanford-crfm/BioMedLM are the published ones."""


def read_shape(name: str) -> dict[str, Any]:
    """A shape by its name, or the config.json of a transformers model as FILE."""
    if name in SHAPES:
        return SHAPES[name]
    try:
        shape: dict[str, Any] = json.loads(Path(name).read_text("utf-8"))
        shape["model_type"]
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise SystemExit(
            f"shape {name}: neither one of {', '.join(SHAPES)} nor a config.json"
        ) from error
    return shape


def make_model(folder: Path, shape: dict[str, Any], dtype: torch.dtype) -> Path:
    """Save a model of a shape, with random weights, and its tokenizer in a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    settings = {key: value for key, value in shape.items() if key != "model_type"}
    # Wide weights, so that what follows what varies; dropout plays no part in evaluation.
    settings |= {"eos_token_id": END, "pad_token_id": PAD, "bos_token_id": 0}
    settings |= {"initializer_range": 0.2 * (384 / _width(shape)) ** 0.5}
    config = AutoConfig.for_model(shape["model_type"], **settings)
    torch.manual_seed(1)
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)  # BioMedLM in float32 would take twice its memory
    try:
        network = AutoModelForCausalLM.from_config(config)
    finally:
        torch.set_default_dtype(before)
    rng = np.random.default_rng(2)
    ending = rng.choice(config.vocab_size - 3, int(ENDING * config.vocab_size), replace=False) + 3
    network.generation_config.eos_token_id = sorted({END, *map(int, ending)})
    network.save_pretrained(folder)
    words = {"<s>": 0, "<pad>": PAD, "</s>": END}
    words |= {f"w{row}": row for row in range(3, config.vocab_size)}
    tokenizer = Tokenizer(WordLevel(words, unk_token="w3"))
    tokenizer.pre_tokenizer = WhitespaceSplit()
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, bos_token="<s>", eos_token="</s>", pad_token="<pad>"
    ).save_pretrained(folder)
    return folder


def _width(shape: dict[str, Any]) -> int:
    return int(shape.get("hidden_size") or shape["n_embd"])


def make_prompts(count: int, vocabulary: int, longest: int) -> list[str]:
    """Prompts of log-normal lengths, in the mean a third of ``longest``."""
    rng = np.random.default_rng(3)
    lengths = np.clip(rng.lognormal(np.log(longest / 3.5), 0.6, count), 4, longest).astype(int)
    return [
        " ".join(f"w{word}" for word in rng.integers(3, vocabulary, length)) for length in lengths
    ]
