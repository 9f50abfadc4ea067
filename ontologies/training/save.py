"""A trained encoder's folder, in the form that sentence-transformers reads too."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from transformers import PreTrainedModel

from ontologies.encoder import load_tokenizer
from ontologies.encoder_source import POOLING_FILE, EncoderSource

_MODULES = (
    ("", "sentence_transformers.models.Transformer"),
    ("1_Pooling", "sentence_transformers.models.Pooling"),
    ("2_Normalize", "sentence_transformers.models.Normalize"),
)


def save_encoder(network: PreTrainedModel, base: EncoderSource, out: Path) -> None:
    """Write config, fp16 weights, tokenizer and pooling to ``out``."""
    out.mkdir(parents=True, exist_ok=True)
    weights = {
        name: value.to(torch.float16)
        for name, value in network.state_dict().items()
        if not name.startswith("pooler.")  # not trained, and random where the base has none
    }
    network.save_pretrained(out, state_dict=weights)
    config = json.loads((out / "config.json").read_text("utf-8"))
    _write_json(out / "config.json", {**config, "dtype": "float16"})
    tokenizer = load_tokenizer(base)
    tokenizer.backend_tokenizer.no_truncation()
    tokenizer.backend_tokenizer.no_padding()
    tokenizer.save_pretrained(out)
    pooling = {
        "word_embedding_dimension": network.config.hidden_size,
        "pooling_mode_cls_token": base.pooling == "cls",
        "pooling_mode_mean_tokens": base.pooling == "mean",
    }
    (out / POOLING_FILE).parent.mkdir(exist_ok=True)
    _write_json(out / POOLING_FILE, pooling)
    modules = [
        {"idx": number, "name": str(number), "path": path, "type": kind}
        for number, (path, kind) in enumerate(_MODULES)
    ]
    _write_json(out / "modules.json", modules)


def describe_encoder(
    out: Path, name: str, base: EncoderSource, described: Mapping[str, Any], notice: str
) -> None:
    """Write training.json and README.md to ``out``.

    Args:
        out: the encoder's folder.
        name: the encoder's.
        base: what it was made from.
        described: recipe and outcome, for training.json.
        notice: Markdown: sources of the names and their terms.
    """
    _write_json(out / "training.json", described)
    outcome = described["outcome"]
    lines = [
        f"# {name}",
        "",
        f"A name encoder made by `charthouse train encoder` from {base.name} "
        f"({base.pooling} pooling), by SapBERT's recipe (Liu et al. 2021, "
        "https://aclanthology.org/2021.naacl-main.334/): names of the same concept lie close "
        "together.",
        "",
        f"Learnt from {outcome['pairs']:,} pairs among {outcome['names']:,} names of "
        f"{outcome['concepts']:,} concepts. Of {outcome['held_out']:,} names held back, "
        f"{outcome['after']:.1%} find their concept by their nearest name "
        f"({outcome['before']:.1%} with the base).",
        "",
        "## Sources and terms",
        "",
        notice.strip() or "Not stated.",
        "",
        "The terms of the base apply as well.",
        "",
    ]
    (out / "README.md").write_text("\n".join(lines), encoding="utf-8")


def _write_json(file: Path, content: Any) -> None:
    file.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
