"""A trained network as a folder that the engine loads like any other model."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from transformers import AutoTokenizer

from nlp.ner.biogpt.tokenizer import BioGptTokenizer
from nlp.ner.chain import Chain, Decoder, write_decoder
from nlp.ner.encoding import Encoder
from nlp.ner.tags import bio_tags, read_tags
from nlp.ner.training.gold import TAGS
from nlp.ner.training.network import Trainee
from nlp.ner.training.recipe import Recipe

_OWN_TOKENIZER_FILES = (
    "tokenizer_config.json",
    "special_tokens_map.json",
    "vocab.json",
    "merges.txt",
)
"""Of BioGPT, whose tokenizer is ours and is not saved by transformers."""


def decoder_of(trainee: Trainee, labels: tuple[str, ...], encoder: Encoder) -> Decoder:
    """The decoder that the trainee has learnt so far."""
    start, transitions = (scores.detach().cpu().numpy() for scores in trainee.moves.scores())
    return Decoder(
        tuple(
            Chain(
                tuple(range(index * TAGS, (index + 1) * TAGS)),
                read_tags(dict(enumerate(bio_tags([label])))),
                start[index],
                transitions[index],
            )
            for index, label in enumerate(labels)
        ),
        encoder.word_case,
        encoder.label_on,
    )


def save_model(
    trainee: Trainee,
    base: Path,
    out: Path,
    labels: tuple[str, ...],
    encoder: Encoder,
    recipe: Recipe,
    describe: Mapping[str, Any],
) -> None:
    """Write config, fp16 weights, tokenizer, decoder.json and training.json to ``out``."""
    out.mkdir(parents=True, exist_ok=True)
    network: Any = trainee.network
    if hasattr(network, "merge_and_unload"):  # adapters become part of the weights
        network = network.merge_and_unload()
        trainee.network = network
    weights = {name: value.to(torch.float16) for name, value in network.state_dict().items()}
    network.save_pretrained(out, state_dict=weights)
    config = json.loads((out / "config.json").read_text("utf-8"))
    config["dtype"] = "float16"
    (out / "config.json").write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
    _save_tokenizer(base, out, encoder)
    write_decoder(out, decoder_of(trainee, labels, encoder))
    described = {"recipe": asdict(recipe), "labels": list(labels), **describe}
    (out / "training.json").write_text(json.dumps(described, indent=1) + "\n", encoding="utf-8")


def _save_tokenizer(base: Path, out: Path, encoder: Encoder) -> None:
    if isinstance(encoder.tokenizer, BioGptTokenizer):
        for name in _OWN_TOKENIZER_FILES:
            if (base / name).is_file():
                shutil.copyfile(base / name, out / name)
        return
    tokenizer = AutoTokenizer.from_pretrained(base, local_files_only=True)
    tokenizer.model_max_length = encoder.context
    if tokenizer.is_fast:  # what the base cut and filled up to was for another task
        tokenizer.backend_tokenizer.no_truncation()
        tokenizer.backend_tokenizer.no_padding()
    tokenizer.save_pretrained(out)  # as tokenizer.json, whatever form the base had
