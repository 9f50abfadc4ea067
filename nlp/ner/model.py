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

_WEIGHTS = ("*.safetensors", "pytorch_model*.bin")
_TOKENIZER = ("tokenizer.json", "vocab.*", "*.model")
_FINGERPRINTED = (
    *_WEIGHTS,
    *_TOKENIZER,
    "config.json",
    "tokenizer_config.json",
    "added_tokens.json",
    "special_tokens_map.json",
    "merges.txt",
)


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
        ModelError: no such folder, its config.json, weights or tokenizer are missing, no revision,
            or the hub has no answer.
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
    if not _files(folder, _WEIGHTS):
        raise ModelError(f"model {name}: {folder} holds no weights (model.safetensors)")
    if not _files(folder, _TOKENIZER):  # transformers would make up a tokenizer that knows no word
        raise ModelError(f"model {name}: {folder} holds no tokenizer (tokenizer.json)")
    return folder


def _files(folder: Path, patterns: tuple[str, ...]) -> list[Path]:
    """The folder's files that match any of the patterns, by name."""
    found = {path for pattern in patterns for path in folder.glob(pattern) if path.is_file()}
    return sorted(found)


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
    for path in _files(source.folder, _FINGERPRINTED):
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
        architectures = raw.get("architectures") or []
        id2label = AutoConfig.from_pretrained(source.folder, local_files_only=True).id2label
    except Exception as error:  # transformers raises many kinds on a config it does not know
        raise ModelError(
            f"model {source.name}: config.json cannot be read ({type(error).__name__}); it must "
            "be that of a transformers model"
        ) from error
    if architectures and not any("TokenClassification" in name for name in architectures):
        raise ModelError(
            f"model {source.name}: {architectures[0]} is no token classifier; "
            "fine-tune it for token classification first"
        )
    return read_tags(id2label, label_map, model=source.name)


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
