"""Where a relation classifier's files are, checked and fingerprinted without loading them.

A classifier is a folder with ``relations.json`` and ``relations.safetensors``. One that was made
from the NER model in the box holds only what it changes of that model's encoder; one from another
base has that encoder's files beside it. Nothing heavy is imported here.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from nlp.ner.errors import ModelError
from nlp.ner.source import BUNDLED, ModelSource, find_model, hub_folder, model_fingerprint
from nlp.relations import RELATIONS_VERSION
from nlp.relations.features import FEATURES

DESCRIPTION_FILE = "relations.json"
WEIGHTS_FILE = "relations.safetensors"
BUNDLED_FOLDER = Path(__file__).parent / "bundled"

OWN = "own"
"""Says in relations.json that the encoder's files lie in the folder itself."""


@dataclass(frozen=True)
class RelationForm:
    """What a classifier relates, and how its files are read.

    Attributes:
        relation: the type it finds, for example ``chemical_induces_disease``.
        subject_label, object_label: mentions that it relates.
        threshold: least probability of a relation, unless the settings say another.
        base: :data:`nlp.ner.source.BUNDLED` or :data:`OWN`: where its encoder is.
        base_fingerprint: of that encoder.
        word_case: whether token types tell a word's case, as in the NER model.
        rank: of the changes to the encoder.
        head: sizes of the head.
        features: names of what it is told of a pair.
    """

    relation: str
    subject_label: str
    object_label: str
    threshold: float
    base: str
    base_fingerprint: str
    word_case: bool
    rank: int
    head: dict[str, int] = field(default_factory=dict)
    features: tuple[str, ...] = FEATURES


@dataclass(frozen=True)
class RelationModel:
    """A classifier's public name, its folder, its form, and its encoder."""

    name: str
    folder: Path
    form: RelationForm
    base: ModelSource


def is_classifier(folder: Path) -> bool:
    """Whether a folder holds a relation classifier, rather than a language model."""
    return (folder / DESCRIPTION_FILE).is_file()


def relation_folder(name: str) -> Path:
    """The folder of ``bundled``, a local folder or ``hub:owner/name@revision``.

    Raises:
        ModelError: there is no such folder, or the hub has no answer.
    """
    if name == BUNDLED:
        if not is_classifier(BUNDLED_FOLDER):
            raise ModelError("no relation classifier comes in this box; name a model")
        return BUNDLED_FOLDER
    if name.startswith("hub:"):
        return hub_folder(name.removeprefix("hub:"))
    folder = Path(name).expanduser()
    if not folder.is_dir():
        raise ModelError(
            f"relation model {name}: no such folder; use bundled, a folder made by `charthouse "
            "train relations` or of a causal model, or hub:owner/name@revision"
        )
    return folder


def find_classifier(name: str) -> RelationModel:
    """Find a relation classifier and check that its encoder is the one it was trained with.

    Raises:
        ModelError: there is none, its files are damaged or of another version, or the encoder in
            the box is another one.
    """
    folder = relation_folder(name)
    public = name if name == BUNDLED or name.startswith("hub:") else folder.resolve().name
    form = read_form(folder, public)
    if not (folder / WEIGHTS_FILE).is_file():
        raise ModelError(f"relation model {public}: {folder} holds no {WEIGHTS_FILE}")
    base = find_model(BUNDLED if form.base == BUNDLED else str(folder))
    if model_fingerprint(base) != form.base_fingerprint:
        raise ModelError(
            f"relation model {public}: its encoder is not the one it was trained with; train it "
            "anew with `charthouse train relations`, or use the version it came with"
        )
    return RelationModel(public, folder, form, base)


def read_form(folder: Path, name: str) -> RelationForm:
    """Read relations.json.

    Raises:
        ModelError: it is missing or damaged, or knows features that this version does not.
    """
    try:
        raw: dict[str, Any] = json.loads((folder / DESCRIPTION_FILE).read_text("utf-8"))
        form = RelationForm(**{**raw, "features": tuple(raw["features"])})
    except FileNotFoundError:
        raise ModelError(
            f"relation model {name}: {folder} holds no {DESCRIPTION_FILE}; make a classifier with "
            "`charthouse train relations`"
        ) from None
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise ModelError(
            f"relation model {name}: {DESCRIPTION_FILE} cannot be read ({type(error).__name__})"
        ) from error
    if form.features != FEATURES:
        raise ModelError(
            f"relation model {name}: it was trained with other features of pairs than this "
            "version has; train it anew"
        )
    return form


def write_form(folder: Path, form: RelationForm) -> None:
    """Write relations.json."""
    content = json.dumps(asdict(form), indent=1) + "\n"
    (folder / DESCRIPTION_FILE).write_text(content, encoding="utf-8")


def classifier_fingerprint(model: RelationModel) -> str:
    """SHA-256 of all that decides what it finds: version, its own files, its encoder's."""
    digest = hashlib.sha256(f"{RELATIONS_VERSION} {model.form.base_fingerprint}".encode())
    for name in (DESCRIPTION_FILE, WEIGHTS_FILE):
        with (model.folder / name).open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()
