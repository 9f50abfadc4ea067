"""A token classifier: found by name, loaded, checked and fingerprinted."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer
from transformers import AutoConfig, AutoModelForTokenClassification, AutoTokenizer

from nlp.ner.device import Device
from nlp.ner.errors import ModelError
from nlp.ner.tags import TagSet, read_tags

BUNDLED = "bundled"
BUNDLED_FOLDER = Path(__file__).parent / "bundled"
MAX_CONTEXT = 512
"""Longest window in tokens, special tokens included, even where a model could take more."""

_FINGERPRINTED = ("*.safetensors", "*.bin", "config.json", "tokenizer*", "vocab*", "merges.txt")


@dataclass(frozen=True)
class ModelSource:
    """Where a model's files are: its public ``name`` and a local folder."""

    name: str
    folder: Path


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


def find_model(name: str) -> ModelSource:
    """Find a model's folder: ``bundled``, a local folder, or ``hub:owner/name@revision``.

    A hub model is downloaded once into the Hugging Face cache; with ``HF_HUB_OFFLINE=1`` it must
    be there already. A revision is required, so that a run can be repeated.

    Raises:
        ModelError: no such folder, no config.json in it, no revision, or the hub has no answer.
    """
    if name == BUNDLED:
        return ModelSource(BUNDLED, _checked(BUNDLED, BUNDLED_FOLDER))
    if name.startswith("hub:"):
        return ModelSource(name, _from_hub(name.removeprefix("hub:")))
    folder = Path(name).expanduser()
    if not folder.is_dir():
        raise ModelError(
            f"model {name}: no such folder; use bundled, a folder with config.json and weights, "
            "or hub:owner/name@revision"
        )
    return ModelSource(folder.resolve().name, _checked(name, folder))


def _checked(name: str, folder: Path) -> Path:
    if not (folder / "config.json").is_file():
        raise ModelError(f"model {name}: {folder} holds no config.json")
    if not any(folder.glob("*.safetensors")) and not any(folder.glob("pytorch_model*.bin")):
        raise ModelError(f"model {name}: {folder} holds no weights (model.safetensors)")
    return folder


def _from_hub(address: str) -> Path:
    from huggingface_hub import snapshot_download

    repository, at, revision = address.partition("@")
    if not at or not revision:
        raise ModelError(
            f"model hub:{address}: give the revision too, as hub:owner/name@revision "
            "(a commit hash), so that the run can be repeated"
        )
    try:
        folder = snapshot_download(
            repository, revision=revision, ignore_patterns=["*.h5", "*.msgpack", "*.onnx", "*.ot"]
        )
    except Exception as error:  # the hub client raises many unrelated kinds
        raise ModelError(
            f"model hub:{address}: not in the local cache and the hub did not give it "
            f"({type(error).__name__}); download it where there is a network and pass its folder"
        ) from error
    return _checked(f"hub:{address}", Path(folder))


def model_fingerprint(source: ModelSource) -> str:
    """SHA-256 over the files that decide a model's output: weights, config and tokenizer."""
    digest = hashlib.sha256()
    files = {path for pattern in _FINGERPRINTED for path in source.folder.glob(pattern)}
    for path in sorted(files):
        with path.open("rb") as file:
            digest.update(
                f"{path.name}\0{hashlib.file_digest(file, 'sha256').hexdigest()}\n".encode()
            )
    return digest.hexdigest()


def read_model_tags(source: ModelSource, label_map: Mapping[str, str] | None = None) -> TagSet:
    """The model's tags, read from its config alone: a cheap check before any document.

    Raises:
        ModelError: the config is damaged, no token classifier, or its tags have no names.
    """
    try:
        raw: dict[str, Any] = json.loads((source.folder / "config.json").read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(f"model {source.name}: config.json cannot be read") from error
    architectures = raw.get("architectures") or []
    if architectures and not any("TokenClassification" in name for name in architectures):
        raise ModelError(
            f"model {source.name}: {architectures[0]} is no token classifier; "
            "fine-tune it for token classification first"
        )
    config = AutoConfig.from_pretrained(source.folder, local_files_only=True)
    return read_tags(config.id2label, label_map, model=source.name)


def load_model(
    source: ModelSource, device: Device, label_map: Mapping[str, str] | None = None
) -> LoadedModel:
    """Load weights and tokenizer onto the device.

    Raises:
        ModelError: the files cannot be loaded, the tokenizer has no fast form (offsets would be
            missing), or the tags cannot be read.
    """
    tags = read_model_tags(source, label_map)
    try:
        tokenizer = AutoTokenizer.from_pretrained(source.folder, local_files_only=True)
        network = AutoModelForTokenClassification.from_pretrained(
            source.folder, local_files_only=True, dtype=device.dtype
        )
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        raise ModelError(
            f"model {source.name}: its files cannot be loaded ({type(error).__name__})"
        ) from error
    if not getattr(tokenizer, "is_fast", False):
        raise ModelError(
            f"model {source.name}: its tokenizer has no fast form, so character offsets are "
            "missing; save it with a tokenizer.json"
        )
    backend = tokenizer.backend_tokenizer
    backend.no_truncation()
    backend.no_padding()
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
