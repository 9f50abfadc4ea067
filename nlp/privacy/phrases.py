"""Phrases of a list, found by their first word."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Generic, TypeVar

from nlp.privacy.words import Words

Item = TypeVar("Item")


class PhraseIndex(Generic[Item]):
    """Phrases and what each stands for; case does not matter, nor does the kind of white space."""

    def __init__(self, phrases: Iterable[tuple[str, Item]], *, same_case: bool = False) -> None:
        """Index phrases, each beginning with a letter or digit."""
        self._by_word: dict[str, list[tuple[re.Pattern[str], Item]]] = {}
        flags = 0 if same_case else re.IGNORECASE
        for phrase, item in sorted(phrases, key=lambda p: -len(p[0])):
            words = phrase.split()
            pattern = re.escape(words[0]) + "".join(
                (r"\s+" if word[0].isalnum() else r"\s*") + re.escape(word) for word in words[1:]
            )
            last = phrase[-1]
            edge = r"(?![^\W_])" if last.isalnum() else ""
            first = re.match(r"[^\W_]+(?:['’][^\W\d_]+)*", words[0])
            assert first is not None, "a phrase begins with a letter or digit"
            key = first.group().lower().removesuffix("'s").removesuffix("’s")
            self._by_word.setdefault(key, []).append((re.compile(pattern + edge, flags), item))

    def find(self, words: Words) -> Iterator[tuple[int, int, Item]]:
        """Start, end and item of phrases in the text; of several at one word the longest."""
        by_word = self._by_word
        for index, lower in enumerate(words.lowers):
            candidates = by_word.get(lower)
            if candidates is None:
                continue
            start = words.starts[index]
            for pattern, item in candidates:
                if match := pattern.match(words.text, start):
                    yield start, match.end(), item
                    break
