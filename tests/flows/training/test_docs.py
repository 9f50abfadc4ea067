"""docs/training.md says what the recipe says."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

from flows.labels import CORPUS_LABELS
from nlp.ner.training import Recipe

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "training.md").read_text("utf-8")


def test_every_field_of_the_recipe_is_listed_with_its_default() -> None:
    listed = dict(re.findall(r"^\| `(\w+)` \| ([^|]+?) \|", PAGE, re.MULTILINE))
    recipe = {f.name: str(f.default).lower() for f in fields(Recipe) if f.name != "labels"}
    assert listed == recipe


def test_labels_of_known_corpora_are_named() -> None:
    known = {*CORPUS_LABELS} - {"SpecificDisease", "DiseaseClass", "Modifier", "CompositeMention"}
    assert all(f"`{label}`" in PAGE for label in {*known, *CORPUS_LABELS.values()})
