"""A model's files read into memory by transformers, from its folder alone.

Imports torch and transformers; import it where it is used, not where a store is opened.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from transformers import AutoTokenizer
from transformers.utils import logging

from ontologies.errors import OntologyError

logging.disable_progress_bar()  # type: ignore[no-untyped-call]


@dataclass(frozen=True)
class Pretrained:
    """A model's folder, and what messages call it: its ``kind`` and its public ``name``."""

    kind: str
    name: str
    folder: Path

    def network(self, loader: Any, dtype: torch.dtype, expected: str, *, unused: str = "") -> Any:
        """The network, on the CPU.

        Args:
            loader: the class that loads it, such as ``AutoModel``.
            dtype: number format of the weights.
            expected: what the folder is to hold, for the error of missing weights.
            unused: begins the names of weights that may be missing; empty where none may.

        Raises:
            OntologyError: the files cannot be loaded, or lack weights.
        """
        try:
            network, loading = loader.from_pretrained(
                self.folder, local_files_only=True, dtype=dtype, output_loading_info=True
            )
        except Exception as error:  # damaged files raise many unrelated kinds
            raise self._unreadable(error) from error
        missing = sorted(
            name for name in loading["missing_keys"] if not unused or not name.startswith(unused)
        )
        if missing:
            raise OntologyError(
                f"{self.kind} {self.name}: its weights lack {missing[0]} ({len(missing)} missing), "
                f"which would be random numbers; is it {expected}?"
            )
        return network

    def tokenizer(self) -> Any:
        """The tokenizer.

        Raises:
            OntologyError: its files cannot be loaded.
        """
        try:
            return AutoTokenizer.from_pretrained(self.folder, local_files_only=True)
        except Exception as error:
            raise self._unreadable(error) from error

    def _unreadable(self, error: Exception) -> OntologyError:
        return OntologyError(
            f"{self.kind} {self.name}: its files cannot be loaded ({type(error).__name__})"
        )
