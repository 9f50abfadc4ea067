"""What finds relations, by the settings: a classifier, or a causal model that writes sentences."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flows.errors import CharthouseError
from flows.generating.chosen import named_template
from flows.generating.identity import described_sampling, sampling_of
from flows.generating.models import ENDPOINT, identify_model, open_text_model, takes_chat
from flows.settings import Settings
from nlp.generation.errors import GenerationError
from nlp.ner.errors import ModelError
from nlp.ner.source import BUNDLED
from nlp.relations.patterns import DEFAULT, Patterns, load_patterns
from nlp.relations.source import (
    RelationModel,
    classifier_fingerprint,
    find_classifier,
    is_classifier,
    relation_folder,
)

if TYPE_CHECKING:
    from nlp.generation.rendering import Template
    from nlp.relations.classifier import RelationClassifier
    from nlp.relations.writer import RelationWriter


@dataclass(frozen=True)
class Classified:
    """A classifier is to find relations."""

    name: str
    fingerprint: str
    model: RelationModel
    threshold: float | None
    template: None = None

    @property
    def parameters(self) -> dict[str, Any]:
        """What of the settings decides the relations."""
        return {"threshold": self.threshold}


@dataclass(frozen=True)
class Stated:
    """A causal model is to write them as sentences; ``settings`` name it under generation.model."""

    name: str
    fingerprint: str
    settings: Settings
    template: Template
    patterns: Patterns

    @property
    def parameters(self) -> dict[str, Any]:
        """What of the settings decides the relations."""
        return {
            **described_sampling(self.settings.generation),
            "threshold": self.settings.relations.threshold,
            "statements": self.patterns.name,
            "statements_version": self.patterns.version,
            "statements_sha256": self.patterns.sha256,
        }


def choose_relation_model(settings: Settings) -> Classified | Stated:
    """Check what ``relations.model`` names, and identify it, without its weights.

    Raises:
        CharthouseError: there is no such model, it cannot be used, or its prompt or patterns
            cannot; a threshold is set for an endpoint, which tells no score.
    """
    name = settings.relations.model or BUNDLED
    if name.startswith(ENDPOINT) and settings.relations.threshold is not None:
        raise CharthouseError(
            f"{name} tells no score, so a threshold would leave out every relation",
            "Leave relations.threshold (--threshold) out",
        )
    try:
        if not name.startswith(ENDPOINT) and (
            name == BUNDLED or is_classifier(relation_folder(name))
        ):
            model = find_classifier(name)
            threshold = settings.relations.threshold
            return Classified(model.name, classifier_fingerprint(model), model, threshold)
        patterns = load_patterns(settings.relations.statements or DEFAULT)
    except (ModelError, GenerationError) as error:
        raise CharthouseError(str(error)) from None
    generation = settings.generation.model_copy(update={"model": name})
    writing = settings.model_copy(update={"generation": generation})
    form = "relation-instruction" if takes_chat(writing) else "relation-sentences"
    template = named_template(settings.generation.prompt or form, ("relations",))
    return Stated(*identify_model(writing), writing, template, patterns)


def load_relation_classifier(chosen: Classified, settings: Settings) -> RelationClassifier:
    """Load a classifier onto the device of ``generation.device``.

    Raises:
        ModelError: its files cannot be loaded, or the device is not there.
    """
    from nlp.ner.device import choose_device
    from nlp.relations.classifier import load_classifier

    where = choose_device(settings.generation.device, settings.generation.precision)
    return load_classifier(chosen.model, where)


def load_relation_writer(chosen: Stated) -> RelationWriter:
    """Load a causal model onto its device, or connect to its server.

    Raises:
        CharthouseError: it cannot be found or asked.
        ModelError: its files cannot be loaded.
    """
    from nlp.relations.writer import RelationWriter

    sampling = sampling_of(chosen.settings.generation)
    return RelationWriter(
        open_text_model(chosen.settings),
        chosen.template,
        chosen.patterns,
        chosen.template.sampling(sampling, sampling.max_new_tokens),
    )
