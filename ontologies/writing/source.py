"""Where a causal language model's files are, checked and fingerprinted without loading them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from ontologies.errors import OntologyError
from ontologies.model_folder import TOKENIZING, WEIGHTS, folder_fingerprint, model_folder

_FINGERPRINTED = (*WEIGHTS, *TOKENIZING, "config.json")


@dataclass(frozen=True)
class WriterSource:
    """A language model's public ``name`` and its local folder."""

    name: str
    folder: Path


def find_writer(name: str) -> WriterSource:
    """Find a causal language model: a folder, or ``hub:owner/name@revision``.

    Raises:
        OntologyError: there is no such folder, files are missing in it, the hub has no answer, or
            the model is of a kind that writes nothing.
    """
    public, folder = model_folder("language model", name)
    try:
        config = json.loads((folder / "config.json").read_text("utf-8"))
        architectures = [str(kind) for kind in config.get("architectures") or []]
    except (OSError, ValueError, AttributeError, TypeError) as error:
        raise OntologyError(f"language model {name}: its config.json cannot be read") from error
    if architectures and not any(
        kind.endswith(("CausalLM", "LMHeadModel")) for kind in architectures
    ):
        raise OntologyError(
            f"language model {name}: {architectures[0]} is no causal language model; give one such"
            " as BioGPT or GPT-2, in a whole folder"
        )
    return WriterSource(public, folder)


def writer_fingerprint(source: WriterSource) -> str:
    """SHA-256 over what decides what a model writes: weights, config, tokenizer."""
    return folder_fingerprint(source.folder, _FINGERPRINTED)


def tokenizer_fingerprint(source: WriterSource) -> str:
    """SHA-256 over what decides a model's tokens."""
    return folder_fingerprint(source.folder, TOKENIZING)


@lru_cache(maxsize=8)
def fingerprint_of(writer: str) -> str:
    """Fingerprint of a model by its name.

    Raises:
        OntologyError: there is no such model.
    """
    return writer_fingerprint(find_writer(writer))
