"""Token classifiers that were trained to find identifiers."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from nlp.privacy import PrivacyError
from nlp.privacy.ages import is_identifying
from nlp.privacy.finding import Finding
from nlp.privacy.rules import read_rules

if TYPE_CHECKING:
    from nlp.ner.decode import Span
    from nlp.ner.device import Device
    from nlp.ner.engine import NerEngine

_YEAR = re.compile(r"\W*(?:19|20)\d\d\W*")


class ModelFinder:
    """A loaded classifier and what its labels are here."""

    def __init__(self, name: str, engine: NerEngine, labels: Sequence[str]) -> None:
        """Look at the labels.

        Raises:
            PrivacyError: none of the labels is one of identifiers.
        """
        self._rule_id = f"model:{name}"
        self._engine = engine
        self._kinds = {label: kind_of_label(label) for label in labels}
        if not any(kind and kind != "other" for kind in self._kinds.values()):
            raise PrivacyError(
                f"privacy.models {name}: none of its labels is known to be of identifiers "
                f"({', '.join(sorted(labels)[:5])}); use a model trained for de-identification"
            )

    def find(self, texts: Sequence[str]) -> Iterator[list[Finding]]:
        """The identifiers of each text.

        Raises:
            DeviceError: the forward pass failed.
        """
        for text, spans in zip(texts, self._engine.find(texts), strict=True):
            yield [finding for span in spans if (finding := self._finding(text, span))]

    def _finding(self, text: str, span: Span) -> Finding | None:
        kind = self._kinds.get(span.label)
        value = text[span.start : span.end]
        if kind is None or (kind == "age" and not is_identifying(value)):
            return None
        if kind == "date" and _YEAR.fullmatch(value):
            return None  # a year alone is none
        return Finding(span.start, span.end, kind, self._rule_id, span.score)


def kind_of_label(label: str) -> str | None:
    """Our kind of a model's label; None for labels of no identifier, ``other`` for unknown ones."""
    name = re.sub(r"[^A-Z]", "", label.upper())
    labels: dict[str, str] = read_rules()["model_labels"]
    for kind, names in labels.items():
        if name in names.split():
            return None if kind == "none" else kind
    return "other"


def load_models(names: Sequence[str], device: Device | None) -> list[ModelFinder]:
    """Load classifiers by their names.

    Raises:
        ModelError: a model cannot be found or loaded.
        PrivacyError: it finds no identifiers.
    """
    if not names:
        return []
    from nlp.ner.engine import NerEngine  # takes seconds: transformers
    from nlp.ner.model import load_model
    from nlp.ner.source import find_model

    assert device is not None, "models need a device"
    finders = []
    for name in names:
        model = load_model(find_model(name), device)
        finders.append(ModelFinder(model.name, NerEngine(model), model.decoder.entity_labels))
    return finders
