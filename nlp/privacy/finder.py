"""Identifiers of texts, by all rules, lists and models; no secret is needed to find them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import TYPE_CHECKING

from nlp.privacy.ages import find_ages
from nlp.privacy.dates import DateFinder
from nlp.privacy.finding import Finding
from nlp.privacy.labelled import NumberFinder
from nlp.privacy.listed import ListedNames
from nlp.privacy.literals import Literals
from nlp.privacy.merge import merge_findings
from nlp.privacy.models import ModelFinder, load_models
from nlp.privacy.names import NameFinder
from nlp.privacy.places import PlaceFinder
from nlp.privacy.presidio import PresidioFinder
from nlp.privacy.words import Words, cut_words
from nlp.settings import PrivacySettings

if TYPE_CHECKING:
    from nlp.ner.device import Device


class Finder:
    """All that finds identifiers, loaded once per process."""

    def __init__(self, settings: PrivacySettings, device: Device | None) -> None:
        """Load rules, the user's list and models.

        Args:
            settings: which list and models.
            device: where models run; not needed where there are none.

        Raises:
            PrivacyError: the list or a model cannot be used.
            ModelError: a model cannot be loaded.
        """
        self._numbers = NumberFinder()
        self._dates = DateFinder()
        self._names = NameFinder()
        self._places = PlaceFinder()
        self._presidio = PresidioFinder()
        self._listed = ListedNames(settings.names)
        self._models: Sequence[ModelFinder] = load_models(settings.models, device)

    def find(self, texts: Sequence[str]) -> list[list[Finding]]:
        """Each text's identifiers: disjoint, in text order; each text is a document by itself.

        Raises:
            DeviceError: a model's forward pass failed.
        """
        modelled = self.find_by_models(texts)
        return [
            self.find_in_document([text], further=[found])[0]
            for text, found in zip(texts, modelled, strict=True)
        ]

    def find_by_models(self, texts: Sequence[str]) -> list[list[Finding]]:
        """What the models find in each text.

        Raises:
            DeviceError: the forward pass failed.
        """
        found: list[list[Finding]] = [[] for _ in texts]
        for model in self._models:
            for index, findings in enumerate(model.find(texts)):
                found[index] += findings
        return found

    def find_in_document(
        self,
        texts: Sequence[str],
        *,
        further: Sequence[Iterable[Finding]] | None = None,
        known_names: Iterable[str] = (),
        literals: Collection[tuple[str, str]] = (),
    ) -> list[list[Finding]]:
        """The identifiers of a document's texts; names that one of them gives count in all.

        Args:
            texts: the document's text, its title and the like.
            further: for each text what models have found in it.
            known_names: names that are known to be of persons of this document.
            literals: kinds and values, in lower case, that are known to be its identifiers.
        """
        cut = [cut_words(text) for text in texts]
        found = [self._by_rules(words) for words in cut]
        for findings, more in zip(found, further or [], strict=bool(further)):
            findings += more
        parts = self._name_parts(zip(cut, found, strict=True), known_names)
        values = Literals(literals)
        for words, findings in zip(cut, found, strict=True):
            findings += values.find(words.text)
            findings += self._names.recurring(words, parts)
        return [merge_findings(w.text, f) for w, f in zip(cut, found, strict=True)]

    def _by_rules(self, words: Words) -> list[Finding]:
        return [
            *self._numbers.find(words),
            *self._dates.find(words),
            *find_ages(words),
            *self._names.find(words),
            *self._places.find(words),
            *self._presidio.find(words.text),
            *self._listed.find(words),
        ]

    def _name_parts(
        self, found: Iterable[tuple[Words, Sequence[Finding]]], known: Iterable[str]
    ) -> Collection[str]:
        parts: set[str] = set()
        for words, findings in found:
            parts |= self._names.parts(words, [f for f in findings if f.kind == "name"])
        for name in known:
            words = cut_words(name)
            whole = Finding(0, len(name), "name", "name:known", 1.0)
            parts |= self._names.parts(words, [whole])
        return parts
