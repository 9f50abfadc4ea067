"""A dictionary's store, checked, and what identifies its mentions."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from nlp.dictionary import DICTIONARY_VERSION, DictionaryError
from nlp.dictionary.labels import LABEL_ORDER, NO_LABEL, concept_labels
from nlp.dictionary.stop_words import stop_forms
from nlp.settings import DictionarySettings
from ontologies.errors import OntologyError
from ontologies.store import ConceptStore, open_store


@dataclass(frozen=True)
class DictionarySource:
    """An open store with the name of its dictionary and the labels it finds."""

    name: str
    store: ConceptStore
    labels: tuple[str, ...]


def find_dictionaries(settings: DictionarySettings) -> list[DictionarySource]:
    """Open the stores of the settings, in their order; arrays are memory-mapped.

    Raises:
        DictionaryError: a store is missing, damaged or given twice, a label does not exist, or none
            of a store's names is wanted.
    """
    if unknown := sorted(set(settings.labels) - set(LABEL_ORDER)):
        raise DictionaryError(
            f"dictionary.labels: no dictionary finds {', '.join(unknown)}; labels are "
            f"{', '.join(LABEL_ORDER)}"
        )
    sources = [_find(name, settings) for name in settings.stores]
    if len({source.name for source in sources}) < len(sources):
        raise DictionaryError("one dictionary is given twice; name each --dictionary once")
    return sources


def _find(name: str, settings: DictionarySettings) -> DictionarySource:
    try:
        store = open_store(Path(name).expanduser())
    except OntologyError as error:
        raise DictionaryError(f"dictionary {error}") from error
    found = np.unique(concept_labels(store, settings.labels, settings.types))
    labels = tuple(LABEL_ORDER[number] for number in found.tolist() if number != NO_LABEL)
    if not labels or not len(store.phrases.key):
        raise DictionaryError(
            f"dictionary {name}: no concept of the store has a type and a label that are wanted; "
            "see dictionary.types and dictionary.labels"
        )
    return DictionarySource(f"dictionary:{store.release.release_id}", store, labels)


def dictionary_fingerprint(source: DictionarySource, settings: DictionarySettings) -> str:
    """SHA-256 of what decides a dictionary's mentions: release, version, filters and stop words.

    Raises:
        DictionaryError: the file of stop words cannot be read.
    """
    described = {"release": source.store.release.release_id, **described_filters(settings)}
    return hashlib.sha256(json.dumps(described, sort_keys=True).encode()).hexdigest()


def described_filters(settings: DictionarySettings) -> dict[str, object]:
    """What decides the mentions of dictionaries besides their stores.

    Raises:
        DictionaryError: the file of stop words cannot be read.
    """
    words = "\n".join(sorted(stop_forms(settings.stop_words)))
    return {
        "version": DICTIONARY_VERSION,
        "labels": sorted(set(settings.labels)),
        "types": sorted(set(settings.types)),
        "min_characters": settings.min_characters,
        "same_case": settings.same_case,
        "stop_words": hashlib.sha256(words.encode("utf-8", "surrogatepass")).hexdigest(),
    }
