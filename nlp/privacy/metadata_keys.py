"""What the keys of metadata say about their values: patientName, DOB, home_phone."""

from __future__ import annotations

import re
from functools import cache, lru_cache

from nlp.privacy.rules import read_rules, word_set

_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_ENDINGS = {"name": "name", "phone": "phone", "address": "location"}
_FEWEST_BEFORE_ENDING = 4


@lru_cache(maxsize=10_000)
def kind_of_key(key: str) -> str | None:
    """The kind of identifier that a key names: patientName, DOB, home_phone; else None.

    Of several kinds that its words name, a person is the weakest (patient_dob is a date) unless
    it ends in *by*; else the longest phrase wins.
    """
    words = _words_of(key)
    if not words:
        return None
    if words[-1] == "by":
        return "name"
    singular = [_singular(word) for word in words]
    best: tuple[bool, int, str] | None = None
    for kind, phrase, whole in _phrases():
        if _says(phrase, words, singular, whole=whole) and not _names_a_thing(kind, phrase, words):
            best = max(best or (False, 0, ""), (kind != "name", len(phrase), kind))
    if best:
        return best[2]
    return _kind_of_ending(singular[-1])


@lru_cache(maxsize=10_000)
def is_general(key: str) -> bool:
    """Whether a key says less than the one around it: the name or display of a hospital."""
    return key.lower() in word_set("metadata_keys", "general")


@lru_cache(maxsize=10_000)
def is_coded(key: str) -> bool:
    """Whether terms of a code system stand under a key, whatever stands around it."""
    return key.lower() in word_set("metadata_keys", "coded")


def _words_of(key: str) -> list[str]:
    return [word.lower() for word in _WORDS.findall(key)]


@cache
def _phrases() -> tuple[tuple[str, str, bool], ...]:
    """Kind, phrase, and whether it must be all of the key."""
    keys: dict[str, list[str]] = read_rules()["metadata"]
    return tuple(
        (kind, phrase.removeprefix("="), phrase.startswith("="))
        for kind, phrases in keys.items()
        for phrase in phrases
    )


def _says(phrase: str, words: list[str], singular: list[str], *, whole: bool) -> bool:
    joined = phrase.replace(" ", "")
    for form in (words, singular):
        if joined == "".join(form) or (not whole and f" {phrase} " in f" {' '.join(form)} "):
            return True
    return False


def _names_a_thing(kind: str, phrase: str, words: list[str]) -> bool:
    """Whether a name or an id is that of no person, place or record: drug_name, concept_id."""
    if kind == "name" and phrase == "name":
        return not word_set("metadata_keys", "things").isdisjoint(words)
    return phrase == "id" and not word_set("metadata_keys", "codes").isdisjoint(words)


def _kind_of_ending(word: str) -> str | None:
    """The kind of a last word in which others are joined: patientname, homephone."""
    for ending, kind in _ENDINGS.items():
        before = word.removesuffix(ending)
        if before != word and len(before) >= _FEWEST_BEFORE_ENDING:
            return None if before in word_set("metadata_keys", "things") else kind
    return None


def _singular(word: str) -> str:
    return word[:-1] if len(word) > 2 and word.endswith("s") and not word.endswith("ss") else word
