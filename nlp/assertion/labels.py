"""What the labels of an assertion classifier say: by the model's ``assertion.json``, or by name.

Names met: those of i2b2 2010 (Uzuner et al. 2011, doi:10.1136/amiajnl-2011-000203) and of models
trained for it, such as clinical-assertion-negation-bert (van Aken et al. 2021).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from nlp.assertion import AssessorError
from nlp.assertion.result import ATTRIBUTES, FAMILY, PATIENT, Assertion, Cue

LABELS_FILE = "assertion.json"
"""File in a model's folder that says how mentions are marked and what labels mean."""

MARKER = "[entity]"
"""What stands before and after the mention unless the file says otherwise."""


class Meaning(BaseModel):
    """What a label says of a mention; an attribute that is None is left to the other labels."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    negated: bool | None = None
    uncertain: bool | None = None
    historical: bool | None = None
    hypothetical: bool | None = None
    experiencer: Literal["patient", "family", "other"] | None = None


_BY_NAME = {
    name: meaning
    for meaning, names in (
        (Meaning(), ("present", "affirmed", "asserted", "confirmed")),
        (Meaning(negated=True), ("absent", "negated", "denied")),
        (Meaning(uncertain=True), ("possible", "uncertain", "probable", "suspected")),
        (Meaning(hypothetical=True), ("conditional", "hypothetical")),
        (Meaning(historical=True), ("historical", "history", "past")),
        # The last one is i2b2's; nearly all of its examples are relatives.
        (Meaning(experiencer=FAMILY), ("family", "family_member", "associated_with_someone_else")),
    )
    for name in names
}


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")

    version: Literal[1]
    marker: str | tuple[str, str] = Field(MARKER, min_length=1)
    labels: dict[str, Meaning] = Field(default_factory=dict)


@dataclass(frozen=True)
class Labels:
    """How a classifier's logits are read, and how mentions are marked for it.

    Attributes:
        marker: what stands before the mention, and after it.
        meanings: of each logit.
        attributes: those that any label speaks of; the others are not assessed.
    """

    marker: tuple[str, str]
    meanings: tuple[Meaning, ...]
    attributes: frozenset[str]

    def assertion(self, chosen: list[int], rule_id: str) -> Assertion:
        """What the chosen labels say together, ``rule_id`` as the cue of what is set."""
        said: dict[str, Any] = {
            name: PATIENT if name == "experiencer" else False for name in self.attributes
        }
        unmarked = dict(said)
        for label in chosen:
            said |= self.meanings[label].model_dump(exclude_none=True)
        cues = tuple(
            Cue(name, rule_id)
            for name in ATTRIBUTES
            if name in said and said[name] != unmarked[name]
        )
        return Assertion(**said, cues=cues)


def read_labels(folder: Path, id2label: Mapping[int, str], model: str) -> Labels:
    """The meanings of a model's labels: of ``assertion.json`` where it names them, else by name.

    Raises:
        AssessorError: the file is damaged or names a label that the model has not; a label's
            meaning is not known; or all labels mean the same.
    """
    given = _read_file(folder / LABELS_FILE, model)
    names = [id2label[index] for index in range(len(id2label))]
    if unknown := sorted(set(given.labels) - set(names)):
        raise AssessorError(
            f"model {model}: {LABELS_FILE} has a meaning for {unknown[0]}, which is none of the "
            f"model's labels {', '.join(names)}"
        )
    meanings = tuple(given.labels.get(name) or _by_name(name, model) for name in names)
    attributes = {key for meaning in meanings for key in meaning.model_dump(exclude_none=True)}
    if not attributes:
        raise AssessorError(
            f"model {model}: its labels {', '.join(names)} tell nothing apart; say in "
            f"{LABELS_FILE} what they mean"
        )
    marker = (given.marker, given.marker) if isinstance(given.marker, str) else given.marker
    return Labels(marker, meanings, frozenset(attributes))


def _read_file(path: Path, model: str) -> _File:
    if not path.is_file():
        return _File(version=1)
    try:
        return _File.model_validate_json(path.read_text("utf-8"))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(map(str, first["loc"])) or "the file"
        raise AssessorError(
            f"model {model}: {LABELS_FILE}, {place}: {first['msg'].lower()}; it is "
            '{"version": 1, "marker": "[entity]", "labels": {"LABEL": {"negated": true}}}'
        ) from error
    except (OSError, ValueError) as error:
        raise AssessorError(
            f"model {model}: {LABELS_FILE} cannot be read ({type(error).__name__})"
        ) from error


def _by_name(label: str, model: str) -> Meaning:
    meaning = _BY_NAME.get(re.sub(r"[\s_-]+", "_", label.strip().lower()))
    if meaning is None:
        raise AssessorError(
            f"model {model}: what its label {label} means is not known; say it in "
            f'{LABELS_FILE}: {{"version": 1, "labels": {{"{label}": {{"negated": true}}}}}}'
        )
    return meaning
