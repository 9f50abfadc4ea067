"""A token classifier, loaded onto its device."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from tokenizers import Tokenizer
from transformers import AutoModelForTokenClassification, AutoTokenizer

from nlp.ner.device import Device
from nlp.ner.errors import ModelError
from nlp.ner.source import ModelSource, read_model_tags
from nlp.ner.tags import TagSet

MAX_CONTEXT = 512
"""Longest window in tokens, special tokens included, even where a model could take more."""


@dataclass(frozen=True)
class LoadedModel:
    """A token classifier on its device, ready for batches."""

    name: str
    network: torch.nn.Module
    tokenizer: Tokenizer
    tags: TagSet
    start_tokens: tuple[int, ...]
    end_tokens: tuple[int, ...]
    pad_token: int
    context: int
    device: Device


def load_model(
    source: ModelSource, device: Device, label_map: Mapping[str, str] | None = None
) -> LoadedModel:
    """Load weights and tokenizer onto the device.

    Raises:
        ModelError: the files cannot be loaded, weights are missing from them, the tokenizer has no
            fast form (offsets would be missing), or the tags cannot be read.
    """
    tags = read_model_tags(source, label_map)
    try:
        tokenizer = AutoTokenizer.from_pretrained(source.folder, local_files_only=True)
        network, loading = AutoModelForTokenClassification.from_pretrained(
            source.folder, local_files_only=True, dtype=device.dtype, output_loading_info=True
        )
    except Exception as error:  # damaged files raise many unrelated kinds
        raise ModelError(
            f"model {source.name}: its files cannot be loaded ({type(error).__name__})"
        ) from error
    if missing := sorted(loading["missing_keys"]):
        raise ModelError(
            f"model {source.name}: its weights lack {missing[0]} ({len(missing)} missing), which "
            "would be random numbers; is it a fine-tuned token classifier?"
        )
    if not getattr(tokenizer, "is_fast", False):
        raise ModelError(
            f"model {source.name}: its tokenizer has no fast form, so character offsets are "
            "missing; save it with a tokenizer.json"
        )
    backend = tokenizer.backend_tokenizer
    backend.no_truncation()
    backend.no_padding()
    backend.encode_special_tokens = True  # a text that says [SEP] means those letters
    start_tokens, end_tokens = special_tokens(backend)
    positions = getattr(network.config, "max_position_embeddings", MAX_CONTEXT)
    # RoBERTa counts its padding index into the positions: two of them cannot be used.
    usable = positions - 2 if network.config.model_type in {"roberta", "xlm-roberta"} else positions
    return LoadedModel(
        name=source.name,
        network=network.eval().to(device.name),
        tokenizer=backend,
        tags=tags,
        start_tokens=start_tokens,
        end_tokens=end_tokens,
        pad_token=tokenizer.pad_token_id or 0,
        context=min(usable, MAX_CONTEXT),
        device=device,
    )


def special_tokens(tokenizer: Tokenizer) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Ids that the tokenizer puts before and after a sequence, read off an encoded letter."""
    probe = tokenizer.encode("a", add_special_tokens=True)
    body = [index for index, special in enumerate(probe.special_tokens_mask) if not special]
    return tuple(probe.ids[: body[0]]), tuple(probe.ids[body[-1] + 1 :])
