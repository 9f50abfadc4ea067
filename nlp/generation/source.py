"""Where a causal language model's files are, checked and fingerprinted without loading them.

Nothing heavy is imported here: a run checks its models before it starts any work.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
from dataclasses import dataclass
from pathlib import Path

from nlp.ner.errors import ModelError
from nlp.ner.source import ADAPTER_FILE, ModelSource, find_model, model_fingerprint, read_config

_CAUSAL = ("ForCausalLM", "LMHeadModel")
_ALSO_FINGERPRINTED = ("generation_config.json", "chat_template.jinja", ADAPTER_FILE)


@dataclass(frozen=True)
class CausalSource:
    """Files of a causal model: those of its ``base``, and of a LoRA ``adapter`` where it has one.

    ``tokenizer`` is the folder of the tokenizer: the adapter's own where it has one.
    """

    base: ModelSource
    adapter: Path | None
    tokenizer: Path


def find_text_model(name: str) -> ModelSource:
    """Find a causal model: a folder, ``hub:owner/name@revision``, or a folder of a LoRA adapter.

    Raises:
        ModelError: no such folder, files are missing, no revision, or the hub has no answer.
    """
    return find_model(name, adapters=True)


def check_causal(source: ModelSource) -> CausalSource:
    """Check without its weights that a model can write text, and find its parts.

    Raises:
        ModelError: it is no causal language model, a package it needs is not installed, or the
            base model of an adapter cannot be found.
    """
    if (source.folder / ADAPTER_FILE).is_file():
        return _check_adapter(source)
    config = read_config(source)
    architectures = [str(name) for name in config.get("architectures") or []]
    if config.get("is_encoder_decoder") or (
        architectures and not any(name.endswith(_CAUSAL) for name in architectures)
    ):
        what = architectures[0] if architectures else config["model_type"]
        raise ModelError(
            f"model {source.name}: {what} is no causal language model and writes no text; use one "
            "such as BioGptForCausalLM or GPT2LMHeadModel"
        )
    own_tokenizer = (source.folder / "tokenizer.json").is_file()
    if config["model_type"] == "biogpt" and not own_tokenizer and not _installed("sacremoses"):
        raise ModelError(
            f"model {source.name}: BioGPT's tokenizer needs sacremoses; pip install sacremoses"
        )
    return CausalSource(source, None, source.folder)


def text_model_fingerprint(source: ModelSource) -> str:
    """SHA-256 over the files that decide what a causal model writes; an adapter's base counts too.

    Raises:
        ModelError: the base model of an adapter cannot be found.
    """
    parts = check_causal(source)
    digest = hashlib.sha256()
    folders = [parts.base.folder, *([parts.adapter] if parts.adapter else [])]
    for folder in folders:
        digest.update(f"{model_fingerprint(ModelSource('', folder))}\n".encode())
        for file in _ALSO_FINGERPRINTED:
            path = folder / file
            if path.is_file():
                digest.update(f"{file}\0{hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return digest.hexdigest()


def _check_adapter(source: ModelSource) -> CausalSource:
    if not _installed("peft"):
        raise ModelError(
            f"model {source.name}: a LoRA adapter needs peft; pip install 'charthouse[train]'"
        )
    try:
        config = json.loads((source.folder / ADAPTER_FILE).read_text("utf-8"))
        base_name = str(config["base_model_name_or_path"] or "")
        revision = str(config.get("revision") or "")
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise ModelError(
            f"model {source.name}: {ADAPTER_FILE} cannot be read ({type(error).__name__})"
        ) from error
    base = check_causal(_find_base(source, base_name, revision)).base
    own = any((source.folder / file).is_file() for file in ("tokenizer.json", "vocab.json"))
    return CausalSource(base, source.folder, source.folder if own else base.folder)


def _find_base(source: ModelSource, name: str, revision: str) -> ModelSource:
    """The model that an adapter was trained on: a folder, or one of the hub."""
    for folder in (source.folder / name, Path(name).expanduser()):
        if name and (folder / "config.json").is_file():
            return find_model(str(folder))
    address = name.removeprefix("hub:")
    if "@" not in address and revision:
        address = f"{address}@{revision}"
    if "@" not in address or address.startswith((".", "/", "~")):
        raise ModelError(
            f"model {source.name}: the base model of {ADAPTER_FILE} is no folder here; give its "
            "folder, or owner/name@revision, as base_model_name_or_path"
        )
    return find_model(f"hub:{address}")


def _installed(package: str) -> bool:
    return importlib.util.find_spec(package) is not None
