"""Folders of models: found by name, checked for what they must hold, fingerprinted unloaded.

Nothing heavy is imported here: a run checks its models before it starts any work.
"""

from __future__ import annotations

from hashlib import file_digest, sha256
from pathlib import Path

from ontologies.errors import OntologyError

HUB = "hub:"
WEIGHTS = ("*.safetensors", "pytorch_model*.bin")
TOKENIZER = ("tokenizer.json", "vocab.*", "*.model")
TOKENIZING = (
    *TOKENIZER,
    "tokenizer_config.json",
    "added_tokens.json",
    "special_tokens_map.json",
    "merges.txt",
)
"""Files that decide how a text becomes tokens."""


def model_folder(kind: str, name: str, known: str = "") -> tuple[str, Path]:
    """A model's public name and its folder, with config, weights and tokenizer in it.

    Args:
        kind: what the model is, for messages.
        name: a folder, or ``hub:owner/name@revision``. A hub model is downloaded once into the
            Hugging Face cache; with ``HF_HUB_OFFLINE=1`` it must be there already.
        known: names that are no folders, for the message, with a comma after each.

    Raises:
        OntologyError: there is no such folder, files are missing in it, the hub address has no
            revision, or the hub has no answer.
    """
    if name.startswith(HUB):
        folder, public = _from_hub(kind, name.removeprefix(HUB)), name
    else:
        folder = Path(name).expanduser()
        if not folder.is_dir():
            raise OntologyError(
                f"{kind} {name}: no such folder; use {known}a folder with config.json and "
                "weights, or hub:owner/name@revision"
            )
        public = folder.resolve().name
    check_folder(kind, name, folder)
    return public, folder


def check_folder(kind: str, name: str, folder: Path) -> None:
    """Refuse a folder that lacks config, weights or tokenizer.

    Raises:
        OntologyError: it does.
    """
    for patterns, what in (
        (("config.json",), "config.json"),
        (WEIGHTS, "weights (model.safetensors)"),
        (TOKENIZER, "tokenizer (tokenizer.json)"),
    ):
        if not _files(folder, patterns):
            raise OntologyError(f"{kind} {name}: {folder} holds no {what}")


def folder_fingerprint(folder: Path, patterns: tuple[str, ...], begin: str = "") -> str:
    """SHA-256 over ``begin`` and the names and contents of the files that match the patterns."""
    digest = sha256(begin.encode())
    for path in _files(folder, patterns):
        with path.open("rb") as file:
            digest.update(f"{path.name}\0{file_digest(file, 'sha256').hexdigest()}\n".encode())
    return digest.hexdigest()


def _files(folder: Path, patterns: tuple[str, ...]) -> list[Path]:
    """The folder's files that match any of the patterns, by name."""
    found = {path for pattern in patterns for path in folder.glob(pattern) if path.is_file()}
    return sorted(found)


def _from_hub(kind: str, address: str) -> Path:
    from huggingface_hub import snapshot_download

    repository, at, revision = address.partition("@")
    if not at or not revision:
        raise OntologyError(
            f"{kind} hub:{address}: give the revision too, as hub:owner/name@revision (a commit "
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
            f"{kind} hub:{address}: not in the local cache and the hub did not give it "
            f"({type(error).__name__}); download it where there is a network and pass its folder"
        ) from error
    return Path(folder)
