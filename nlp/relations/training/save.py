"""A trained network as a folder that holds a classifier."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from transformers import BertModel

from nlp.ner.source import (
    BUNDLED,
    BUNDLED_FOLDER,
    ModelSource,
    model_files,
    model_fingerprint,
    tells_case,
)
from nlp.relations.adapters import adapter_weights
from nlp.relations.classifier import ENCODER, HEAD, head_form
from nlp.relations.head import PairHead
from nlp.relations.source import OWN, WEIGHTS_FILE, RelationForm, write_form
from nlp.relations.training.recipe import RelationRecipe


def save_classifier(
    body: BertModel,
    head: PairHead,
    base: ModelSource,
    out: Path,
    threshold: float,
    recipe: RelationRecipe,
    describe: Mapping[str, Any],
) -> None:
    """Write relations.json, relations.safetensors (fp16), training.json and the base to ``out``.

    Of a base in the box nothing is copied: relations.json names it.
    """
    out.mkdir(parents=True, exist_ok=True)
    weights = {
        **{f"{ENCODER}{name}": value for name, value in adapter_weights(body).items()},
        **{f"{HEAD}{name}": value for name, value in head.state_dict().items()},
    }
    in_box = base.folder == BUNDLED_FOLDER  # any folder may have the name
    if not in_box:
        for path in model_files(base):
            shutil.copyfile(path, out / path.name)
    # Last: a base that is itself a classifier's folder has a file of this name too.
    halved = {n: w.detach().to("cpu", torch.float16).contiguous() for n, w in weights.items()}
    save_file(halved, out / WEIGHTS_FILE)
    write_form(
        out,
        RelationForm(
            recipe.relation,
            recipe.subject_label,
            recipe.object_label,
            threshold,
            BUNDLED if in_box else OWN,
            model_fingerprint(base if in_box else ModelSource(out.name, out)),
            tells_case(base),
            recipe.rank,
            head_form(head.shape),
        ),
    )
    described = {"recipe": asdict(recipe), **describe}
    (out / "training.json").write_text(json.dumps(described, indent=1) + "\n", "utf-8")
