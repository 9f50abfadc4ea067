"""How a classifier's logits are read as tags: linear chains with transition scores.

A chain is some of the logits, decoded together as one tag sequence by the scores of its moves. A
flat classifier is one chain; a classifier that gives each label its own O, B and I is one chain a
label, so that mentions of different labels may overlap and a corpus that says nothing about a label
leaves its chain alone. What cannot be read off config.json stands in decoder.json beside it, which
any model may have; a model without one gets one chain whose only scores forbid impossible moves.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from nlp.ner.errors import ModelError
from nlp.ner.tags import TagSet, read_tags

DECODER_FILE = "decoder.json"
DECODER_VERSION = 1

LabelOn = Literal["first", "last"]
"""Which of a word's tokens carries its tag."""

Floats = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Chain:
    """Tags decoded together, and what their moves score.

    Shapes: ``columns`` (tags,) names their logits; ``start`` (tags,) and ``transitions``
    (tags, tags), rows from, columns to, are log scores, impossible moves forbidden.
    """

    columns: tuple[int, ...]
    tags: TagSet
    start: Floats
    transitions: Floats


@dataclass(frozen=True)
class Calibration:
    """Platt's sigmoid (Platt 1999) from a span's log odds to its calibrated probability."""

    slope: float = 1.0
    intercept: float = 0.0


@dataclass(frozen=True, eq=False)
class Decoder:
    """All that turns logits into mentions.

    ``word_case``: tokens carry their word's case class as token type (:mod:`nlp.ner.features`).
    ``label_on``: which of a word's tokens its tag is read from; causal models see a word's
    later tokens only in the last. ``calibration`` is by the model's own label.
    """

    chains: tuple[Chain, ...]
    word_case: bool = False
    label_on: LabelOn = "first"
    calibration: Mapping[str, Calibration] = field(default_factory=dict)

    @property
    def entity_labels(self) -> tuple[str, ...]:
        """The distinct labels of all chains, sorted."""
        return tuple(sorted({x for chain in self.chains for x in chain.tags.entity_labels}))


def read_decoder(
    folder: Path,
    id2label: Mapping[int, str],
    label_map: Mapping[str, str] | None = None,
    *,
    model: str = "",
) -> Decoder:
    """Read a model's decoder from its tag names and, where there is one, its decoder.json.

    Args:
        folder: the model's folder.
        id2label: logit index to tag name, from config.json.
        label_map: model label to our label; the empty string drops a label.
        model: the model's name, for error messages.

    Raises:
        ModelError: decoder.json is broken or does not fit the model, or the tags cannot be read.
    """
    path = folder / DECODER_FILE
    if not path.is_file():
        tags = read_tags(id2label, label_map, model=model)
        return Decoder((constrained(tuple(range(len(tags))), tags),))
    try:
        stored = json.loads(path.read_text("utf-8"))
        version = stored["version"]
        decoder = _decoder(stored, label_map) if version == DECODER_VERSION else None
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ModelError(
            f"model {model}: its {DECODER_FILE} is broken ({type(error).__name__})"
        ) from error
    if decoder is None:
        raise ModelError(
            f"model {model}: its {DECODER_FILE} has version {version}; this charthouse reads "
            f"version {DECODER_VERSION}"
        )
    columns = [column for chain in decoder.chains for column in chain.columns]
    if not columns or min(columns) < 0 or max(columns) >= len(id2label):
        raise ModelError(f"model {model}: its {DECODER_FILE} names logits the model lacks")
    kept = tuple(chain for chain in decoder.chains if chain.tags.entity_labels)
    if not kept:
        raise ModelError(f"model {model}: no tag names an entity label; check the label map")
    return replace(decoder, chains=kept)


def _decoder(stored: Mapping[str, Any], label_map: Mapping[str, str] | None) -> Decoder:
    chains = []
    for chain in stored["chains"]:
        tags = read_tags(dict(enumerate(chain["tags"])), label_map, require_label=False)
        size = len(tags)
        columns = tuple(int(column) for column in chain["columns"])
        start = np.asarray(chain["start"], dtype=np.float32)
        transitions = np.asarray(chain["transitions"], dtype=np.float32)
        if len(columns) != size or start.shape != (size,) or transitions.shape != (size, size):
            raise ValueError("shapes")
        free = constrained(columns, tags)
        chains.append(Chain(columns, tags, free.start + start, free.transitions + transitions))
    calibration = {
        (label_map or {}).get(label, label): Calibration(float(c["slope"]), float(c["intercept"]))
        for label, c in stored.get("calibration", {}).items()
    }
    label_on = stored.get("label_on", "first")
    if label_on not in {"first", "last"}:
        raise ValueError("label_on")
    return Decoder(tuple(chains), bool(stored.get("word_case", False)), label_on, calibration)


def constrained(columns: tuple[int, ...], tags: TagSet) -> Chain:
    """A chain whose moves score nothing but that impossible ones are forbidden."""
    return Chain(columns, tags, tags.start_scores(), tags.transition_scores())


def write_decoder(folder: Path, decoder: Decoder) -> None:
    """Write decoder.json, with what was learnt alone: what is forbidden follows from the tags."""
    chains = []
    for chain in decoder.chains:
        free = constrained(chain.columns, chain.tags)
        start, transitions = chain.start - free.start, chain.transitions - free.transitions
        chains.append(
            {
                "tags": list(chain.tags.names),
                "columns": list(chain.columns),
                "start": np.round(start.astype(float), 4).tolist(),
                "transitions": np.round(transitions.astype(float), 4).tolist(),
            }
        )
    stored = {
        "version": DECODER_VERSION,
        "word_case": decoder.word_case,
        "label_on": decoder.label_on,
        "chains": chains,
        "calibration": {
            label: {"slope": round(c.slope, 4), "intercept": round(c.intercept, 4)}
            for label, c in decoder.calibration.items()
        },
    }
    (folder / DECODER_FILE).write_text(json.dumps(stored, indent=1) + "\n", encoding="utf-8")
