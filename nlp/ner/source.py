"""Where a token classifier's files are, checked and fingerprinted without loading them.

Nothing heavy is imported here: a run checks its models before it starts any work.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nlp.ner.chain import DECODER_FILE, Decoder, read_decoder
from nlp.ner.errors import ModelError

BUNDLED = "bundled"
ADAPTER_FILE = "adapter_config.json"
"""Marks a folder of low-rank changes (LoRA) to another model, as peft writes it."""
BUNDLED_FOLDER = Path(__file__).parent / "bundled"
_WEIGHTS = ("*.safetensors", "pytorch_model*.bin")
_TOKENIZER = ("tokenizer.json", "vocab.*", "*.model")
_FINGERPRINTED = (
    *_WEIGHTS,
    *_TOKENIZER,
    "config.json",
    DECODER_FILE,
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


def find_model(name: str, *, adapters: bool = False) -> ModelSource:
    """Find a model's folder: ``bundled``, a local folder, or ``hub:owner/name@revision``.

    With ``adapters`` it may also be that of a LoRA adapter, which has no config and tokenizer.

    A hub model is downloaded once into the Hugging Face cache; with ``HF_HUB_OFFLINE=1`` it must
    be there already. A revision is required, so that a run can be repeated.

    Raises:
        ModelError: no such folder, its config.json, weights or tokenizer are missing, no revision,
            or the hub has no answer.
    """
    if name == BUNDLED:
        return ModelSource(BUNDLED, _checked(BUNDLED, BUNDLED_FOLDER))
    if name.startswith("hub:"):
        return ModelSource(name, _checked(name, hub_folder(name.removeprefix("hub:")), adapters))
    folder = Path(name).expanduser()
    if not folder.is_dir():
        box = "" if adapters else "bundled, "  # nothing in the box writes text
        raise ModelError(
            f"model {name}: no such folder; use {box}a folder with config.json and weights, "
            "or hub:owner/name@revision"
        )
    return ModelSource(folder.resolve().name, _checked(name, folder, adapters))


def _checked(name: str, folder: Path, adapters: bool = False) -> Path:
    if adapters and (folder / ADAPTER_FILE).is_file():
        if not _files(folder, _WEIGHTS):
            raise ModelError(f"model {name}: {folder} holds no adapter_model.safetensors")
        return folder
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


def hub_folder(address: str) -> Path:
    """The local folder of ``owner/name@revision``, downloaded once.

    Raises:
        ModelError: no revision, or the hub has no answer.
    """
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
    return Path(folder)


def model_fingerprint(source: ModelSource) -> str:
    """SHA-256 over the files that decide a model's output: weights, config and tokenizer."""
    digest = hashlib.sha256()
    for path in model_files(source):
        with path.open("rb") as file:
            digest.update(
                f"{path.name}\0{hashlib.file_digest(file, 'sha256').hexdigest()}\n".encode()
            )
    return digest.hexdigest()


def model_files(source: ModelSource) -> list[Path]:
    """The files that decide a model's output, by name."""
    return _files(source.folder, _FINGERPRINTED)


def tells_case(source: ModelSource) -> bool:
    """Whether the model reads the case of words from token types, as its decoder.json says.

    Raises:
        ModelError: decoder.json or the config is damaged.
    """
    if not (source.folder / DECODER_FILE).is_file():
        return False
    return read_model_decoder(source).word_case


def read_model_decoder(source: ModelSource, label_map: Mapping[str, str] | None = None) -> Decoder:
    """How the model's logits are read, without its weights: a cheap check before any document.

    Raises:
        ModelError: the config or decoder.json is damaged, the model is no token classifier, or its
            tags have no names.
    """
    raw = read_config(source)
    try:
        architectures = list(raw.get("architectures") or [])
        id2label = {int(tag): str(name) for tag, name in (raw.get("id2label") or {}).items()}
    except (ValueError, TypeError, AttributeError) as error:
        raise _unreadable(source, error) from error
    if architectures and not any("TokenClassification" in name for name in architectures):
        raise ModelError(
            f"model {source.name}: {architectures[0]} is no token classifier; "
            "fine-tune it for token classification first"
        )
    return read_decoder(source.folder, id2label, label_map, model=source.name)


def read_config(source: ModelSource) -> dict[str, Any]:
    """The model's config.json.

    Raises:
        ModelError: it is damaged or none of a transformers model.
    """
    try:
        raw: dict[str, Any] = json.loads((source.folder / "config.json").read_text("utf-8"))
        raw["model_type"]  # every transformers model says what it is
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise _unreadable(source, error) from error
    return raw


def _unreadable(source: ModelSource, error: Exception) -> ModelError:
    return ModelError(
        f"model {source.name}: config.json cannot be read ({type(error).__name__}); it must "
        "be that of a transformers model"
    )
