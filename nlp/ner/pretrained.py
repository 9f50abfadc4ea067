"""A model's files read into memory by transformers, from its folder alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from transformers import AutoTokenizer
from transformers.utils import logging

from nlp.ner.errors import ModelError
from nlp.ner.source import ModelSource

logging.disable_progress_bar()  # type: ignore[no-untyped-call]


def load_pretrained(
    kind: Any, source: ModelSource, dtype: torch.dtype, advice: str, folder: Path | None = None
) -> Any:
    """A network with all its weights, on the CPU.

    Args:
        kind: the class that loads it, such as ``AutoModelForTokenClassification``.
        source: the model.
        dtype: number format of the weights.
        advice: ends the error of missing weights.
        folder: where the weights are, if not in the source's folder.

    Raises:
        ModelError: the files cannot be loaded, or weights are missing from them.
    """
    try:
        network, loading = kind.from_pretrained(
            folder or source.folder, local_files_only=True, dtype=dtype, output_loading_info=True
        )
    except Exception as error:  # damaged files raise many unrelated kinds
        raise unreadable(source, error) from error
    if missing := sorted(loading["missing_keys"]):
        raise ModelError(
            f"model {source.name}: its weights lack {missing[0]} ({len(missing)} missing), which "
            f"would be random numbers; {advice}"
        )
    return network


def pretrained_tokenizer(source: ModelSource, folder: Path | None = None) -> Any:
    """The tokenizer as transformers loads it from the source's folder, or from another.

    Raises:
        ModelError: its files cannot be loaded.
    """
    try:
        return AutoTokenizer.from_pretrained(folder or source.folder, local_files_only=True)
    except Exception as error:
        raise unreadable(source, error) from error


def unreadable(source: ModelSource, error: Exception) -> ModelError:
    """Says of a model that transformers could not load it; the kind of error alone is named."""
    return ModelError(f"model {source.name}: its files cannot be loaded ({type(error).__name__})")
