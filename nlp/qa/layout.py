"""How a question and an option become a row of tokens for a head, and the file that says so.

``qa.json`` beside a trained model: ``{"version": 1, "layout": "pair", "max_tokens": 512}``.

- ``pair``, for encoders: context and ``question option`` as the two texts of a pair; without a
  context, question and option. So are BERT's heads for RACE and MedQA trained.
- ``text``, for causal models: context, ``Question: ...``, ``Answer: option``, a line each.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from nlp.ner.errors import ModelError
from nlp.ner.source import ModelSource, model_fingerprint, read_config

QA_FILE = "qa.json"
VERSION = 1
PAIR, TEXT = "pair", "text"

_CAUSAL_TYPES = ("gpt2", "biogpt", "gpt_neo", "gpt_neox", "gptj", "opt", "llama", "mistral")
_MOST_TOKENS = 512
_POSITIONS = ("n_positions", "max_position_embeddings")


@dataclass(frozen=True)
class Layout:
    """The form of a row, and how many tokens it has at most, special ones included."""

    layout: str
    max_tokens: int
    version: int = VERSION


def default_layout(config: dict[str, Any]) -> Layout:
    """The layout for a base model: ``text`` for causal models, ``pair`` for encoders.

    ``max_tokens`` is what its positions allow, at most 512 for encoders.

    Args:
        config: the model's config.json.
    """
    kind = str(config.get("model_type"))
    named = [str(name) for name in config.get("architectures") or []]
    causal = kind in _CAUSAL_TYPES or any(
        name.endswith(("ForCausalLM", "LMHeadModel")) and not config.get("is_encoder_decoder")
        for name in named
    )
    positions = next((int(config[name]) for name in _POSITIONS if config.get(name)), _MOST_TOKENS)
    if causal:
        return Layout(TEXT, positions)
    if kind in {"roberta", "xlm-roberta", "camembert"}:  # two positions stand for padding
        positions -= 2
    return Layout(PAIR, min(positions, _MOST_TOKENS))


def read_layout(source: ModelSource) -> Layout:
    """What the folder's qa.json says; without one, the default.

    Raises:
        ModelError: qa.json or config.json is damaged, or made by a later version.
    """
    path = source.folder / QA_FILE
    if not path.is_file():
        return default_layout(read_config(source))
    try:
        found = json.loads(path.read_text("utf-8"))
        layout = Layout(str(found["layout"]), int(found["max_tokens"]), int(found["version"]))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(
            f"model {source.name}: {QA_FILE} cannot be read ({type(error).__name__})"
        ) from error
    if layout.version != VERSION or layout.layout not in {PAIR, TEXT} or layout.max_tokens < 1:
        raise ModelError(
            f"model {source.name}: {QA_FILE} asks for what is not known here; was it made by "
            "another version?"
        )
    return layout


def write_layout(folder: Path, layout: Layout) -> None:
    """Write qa.json into a model's folder."""
    (folder / QA_FILE).write_text(json.dumps(asdict(layout)) + "\n", encoding="utf-8")


def head_fingerprint(source: ModelSource) -> str:
    """SHA-256 over weights, config, tokenizer and qa.json."""
    digest = hashlib.sha256(model_fingerprint(source).encode())
    path = source.folder / QA_FILE
    digest.update(path.read_bytes() if path.is_file() else b"")
    return digest.hexdigest()
