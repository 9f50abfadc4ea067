"""The annotation_id: what identifies a set of annotations."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from nlp.assertion.assessor import assessor_fingerprint
from nlp.dictionary.source import described_filters, dictionary_fingerprint, find_dictionaries
from nlp.ner import ENGINE_VERSION
from nlp.ner.source import find_model, model_fingerprint, read_model_decoder
from nlp.preprocess import NAMED, PREPROCESS_VERSION, RULES
from nlp.preprocess.sections import rules_fingerprint
from nlp.preprocess.stops import WORDS_FILE
from nlp.privacy.deidentify import privacy_fingerprint
from nlp.quantities import QUANTITIES_VERSION
from nlp.quantities.vocabulary import vocabulary_fingerprint
from nlp.settings import AnnotationSettings

ANNOTATE_VERSION = 4
"""Raised by hand when what is done with mentions after NER changes."""


@dataclass(frozen=True)
class ModelIdentity:
    """A model's public name, the SHA-256 of its files and the labels it finds.

    Or those of a dictionary: ``dictionary:RELEASE_ID``, the SHA-256 of what decides its mentions.
    """

    name: str
    fingerprint: str
    labels: tuple[str, ...]


@dataclass(frozen=True)
class AnnotationSet:
    """An annotation_id and what it stands for; ``settings`` is JSON.

    ``models`` are the models as they were named, then the dictionaries.
    """

    annotation_id: str
    models: tuple[ModelIdentity, ...]
    settings: str


def identify(settings: AnnotationSettings) -> AnnotationSet:
    """Fingerprint everything that changes annotations; device and batch sizes are not in it.

    Without a dictionary nothing about dictionaries is in it.

    Raises:
        DictionaryError: a dictionary cannot be used.
        ModelError: a model cannot be found or is no token classifier.
        PreprocessError: the pipeline is not installed, or section rules cannot be read.
        AssessorError: assertion rules or their model cannot be used.
        PrivacyError: the secret of de-identification, a list or a model cannot be used.
    """
    identities = []
    for name in settings.ner.models:
        source = find_model(name)
        decoder = read_model_decoder(source, settings.ner.label_map)
        identities.append(
            ModelIdentity(source.name, model_fingerprint(source), decoder.entity_labels)
        )
    for dictionary in find_dictionaries(settings.dictionary):
        fingerprint = dictionary_fingerprint(dictionary, settings.dictionary)
        identities.append(ModelIdentity(dictionary.name, fingerprint, dictionary.labels))
    described: dict[str, object] = {
        "annotate": ANNOTATE_VERSION,
        "engine": ENGINE_VERSION,
        "preprocess": PREPROCESS_VERSION,
        "pipeline": pipeline_fingerprint(settings.preprocess.pipeline),
        "models": [[m.name, m.fingerprint] for m in identities],
        "label_map": settings.ner.label_map,
        "sections": rules_fingerprint(settings.preprocess.section_rules),
        "assertion": [assessor_fingerprint(settings.assertion), sorted(settings.assertion.kinds)],
        "quantities": [
            QUANTITIES_VERSION,
            vocabulary_fingerprint(),
            sorted(settings.quantities.kinds),
        ],
    }
    if settings.privacy.is_on:
        described["privacy"] = [
            privacy_fingerprint(settings.privacy),
            settings.privacy.keep_document_ids,
        ]
    if settings.dictionary.stores:
        described["dictionary"] = described_filters(settings.dictionary)
    text = json.dumps(described, sort_keys=True)
    return AnnotationSet(hashlib.sha256(text.encode()).hexdigest()[:16], tuple(identities), text)


def pipeline_fingerprint(name: str) -> str:
    """What identifies a pipeline's output.

    Its name; with our own rules, the words they know; for a package or folder, its meta.
    """
    if name == RULES:
        return f"{RULES} {hashlib.sha256(WORDS_FILE.read_bytes()).hexdigest()}"
    if name in NAMED:
        return name
    from nlp.preprocess.spacy_pipeline import build_pipeline  # takes seconds: spaCy

    meta = build_pipeline(name).meta
    described = f"{meta['lang']}_{meta['name']} {meta['version']}"
    return hashlib.sha256(f"{Path(name).name} {described}".encode()).hexdigest()
