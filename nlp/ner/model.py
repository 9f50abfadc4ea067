"""A token classifier, loaded onto its device."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from transformers import AutoModelForTokenClassification, PretrainedConfig

from nlp.ner.biogpt.tokenizer import biogpt_tokenizer
from nlp.ner.chain import Decoder, LabelOn
from nlp.ner.device import Device
from nlp.ner.encoding import Encoder, FastTokenizer
from nlp.ner.errors import ModelError
from nlp.ner.pretrained import load_pretrained, pretrained_tokenizer
from nlp.ner.source import ModelSource, read_config, read_model_decoder

MAX_CONTEXT = 512
"""Longest window in tokens, special tokens included, even where a model could take more."""


@dataclass(frozen=True)
class LoadedModel:
    """A token classifier on its device, ready for batches."""

    name: str
    network: torch.nn.Module
    encoder: Encoder
    decoder: Decoder
    pad_token: int
    device: Device


def load_model(
    source: ModelSource, device: Device, label_map: Mapping[str, str] | None = None
) -> LoadedModel:
    """Load weights and tokenizer onto the device.

    Raises:
        ModelError: the files cannot be loaded, weights are missing from them, the tokenizer has no
            fast form (offsets would be missing), or the tags cannot be read.
    """
    decoder = read_model_decoder(source, label_map)
    tokenizer, pad_token = load_tokenizer(source)
    network = load_pretrained(
        AutoModelForTokenClassification,
        source,
        device.dtype,
        "is it a fine-tuned token classifier?",
    )
    network.config.use_cache = False  # causal models would keep every layer's keys and values
    return LoadedModel(
        name=source.name,
        network=network.eval().to(device.name),
        encoder=make_encoder(tokenizer, network.config, decoder.word_case, decoder.label_on),
        decoder=decoder,
        pad_token=pad_token,
        device=device,
    )


def load_tokenizer(source: ModelSource) -> tuple[FastTokenizer, int]:
    """A model's tokenizer, set to encode texts whole, and its padding token.

    BioGPT's, which transformers has without offsets, is our own (:mod:`nlp.ner.biogpt`).

    Raises:
        ModelError: its files cannot be read, or it has no fast form.
    """
    if (
        read_config(source).get("model_type") == "biogpt"
        and not (source.folder / "tokenizer.json").is_file()
    ):
        own = biogpt_tokenizer(source.folder)
        return own, own.pad_token
    tokenizer = pretrained_tokenizer(source)
    if not getattr(tokenizer, "is_fast", False):
        raise ModelError(
            f"model {source.name}: its tokenizer has no fast form, so character offsets are "
            "missing; save it with a tokenizer.json"
        )
    backend = tokenizer.backend_tokenizer
    backend.no_truncation()
    backend.no_padding()
    backend.encode_special_tokens = True  # a text that says [SEP] means those letters
    return backend, tokenizer.pad_token_id or 0


def make_encoder(
    tokenizer: FastTokenizer, config: PretrainedConfig, word_case: bool, label_on: LabelOn
) -> Encoder:
    """The tokenizer with the special tokens and context of a model."""
    start_tokens, end_tokens = special_tokens(tokenizer)
    positions = getattr(config, "max_position_embeddings", MAX_CONTEXT)
    # RoBERTa counts its padding index into the positions: two of them cannot be used.
    usable = positions - 2 if config.model_type in {"roberta", "xlm-roberta"} else positions
    return Encoder(
        tokenizer,
        start_tokens,
        end_tokens,
        min(usable, MAX_CONTEXT),
        word_case,
        label_on,
    )


def special_tokens(tokenizer: FastTokenizer) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Ids that the tokenizer puts before and after a sequence, read off an encoded letter."""
    probe = tokenizer.encode("a", add_special_tokens=True)
    body = [index for index, special in enumerate(probe.special_tokens_mask) if not special]
    return tuple(probe.ids[: body[0]]), tuple(probe.ids[body[-1] + 1 :])


def folder_source(folder: Path) -> ModelSource:
    """A folder that is known to hold a model, such as one just trained."""
    return ModelSource(folder.name, folder)
