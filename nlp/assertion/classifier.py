"""A sequence classifier from transformers as the assessor: found, checked and identified.

Nothing heavy is imported here: a run checks its models before it starts any work.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

from nlp.assertion import AssessorError
from nlp.assertion.labels import LABELS_FILE, Labels, read_labels
from nlp.assertion.result import Assessor
from nlp.ner.errors import ModelError
from nlp.ner.source import ModelSource, find_model, model_fingerprint, read_config
from nlp.settings import AssertionSettings

if TYPE_CHECKING:
    from nlp.ner.device import Device

CLASSIFIER_VERSION = 1
"""Raised by hand when the same model would say something else of a mention."""

_ARCHITECTURE = "SequenceClassification"


def load_classifier(settings: AssertionSettings, device: Device) -> Assessor:
    """Load the model that ``settings.method`` names, onto the device.

    Raises:
        AssessorError: the model cannot be found or loaded, is no sequence classifier, or the
            meaning of its labels is not known.
    """
    source, labels = _find(settings.method)
    from nlp.assertion.network import load_network

    return load_network(source, labels, device)


def classifier_fingerprint(settings: AssertionSettings) -> str:
    """What identifies a classifier's output: version, name, and the SHA-256 of its files.

    Raises:
        AssessorError: as :func:`load_classifier`, but weights are not loaded.
    """
    source, _ = _find(settings.method)
    digest = hashlib.sha256(model_fingerprint(source).encode())
    file = source.folder / LABELS_FILE
    digest.update(file.read_bytes() if file.is_file() else b"")
    return f"classifier {CLASSIFIER_VERSION} {source.name} {digest.hexdigest()}"


def _find(method: str) -> tuple[ModelSource, Labels]:
    if not method.startswith("hub:") and not Path(method).expanduser().is_dir():
        raise AssessorError(
            f"assertion.method {method}: no such folder; use rules, off, a folder with config.json "
            "and weights, or hub:owner/name@revision"
        )
    try:
        source = find_model(method)
        config = read_config(source)
    except ModelError as error:
        raise AssessorError(str(error)) from error
    architectures = config.get("architectures") or []
    if architectures and not any(_ARCHITECTURE in str(name) for name in architectures):
        raise AssessorError(
            f"model {source.name}: {architectures[0]} is no sequence classifier; fine-tune it for "
            "assertion first"
        )
    try:
        id2label = {int(index): str(name) for index, name in (config.get("id2label") or {}).items()}
        complete = sorted(id2label) == list(range(len(id2label))) and len(id2label) > 1
    except (ValueError, TypeError, AttributeError):
        complete = False
    if not complete:
        raise AssessorError(f"model {source.name}: config.json has no names of labels (id2label)")
    return source, read_labels(source.folder, id2label, source.name)
