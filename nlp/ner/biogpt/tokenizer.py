"""BioGPT's tokenizer, read from a model's folder."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nlp.ner.biogpt.merges import merge_word
from nlp.ner.biogpt.moses import cut_words, spell
from nlp.ner.errors import ModelError

_CACHED_WORDS = 100_000
_CACHED_LENGTH = 50

Piece = tuple[int, int, int]
"""A token id, and the range of the word's characters that it came from."""


@dataclass(frozen=True, slots=True)
class BioGptEncoding:
    """A text's tokens; every list has one entry a token.

    ``word_ids`` counts the text's Moses words, ``offsets`` are in characters of the text. Special
    tokens have no word, offsets (0, 0) and a 1 in ``special_tokens_mask``.
    """

    ids: list[int]
    word_ids: list[int | None]
    offsets: list[tuple[int, int]]
    special_tokens_mask: list[int]


class BioGptTokenizer:
    """Moses words, byte-pair merges, and the characters that each token came from.

    The ids are those of transformers' ``BioGptTokenizer`` over SacreMoses 0.2, with
    ``split_special_tokens=True``: a text that says ``</s>`` means those letters. (Without that
    setting transformers would read them as its special token, and this is the only difference.)

    ``text[start:end]`` of a token's offsets is what it came from. A word's tokens tile the word,
    with two exceptions: tokens that share one rewritten character (``&apos;`` for an apostrophe,
    ``@-@`` for a dash) have the same offsets there, and control characters inside a word, which
    Moses removes, may lie between two tokens.
    """

    def __init__(
        self,
        vocabulary: Mapping[str, int],
        ranks: Mapping[tuple[str, str], int],
        *,
        unknown: int,
        start_token: int,
        pad_token: int,
    ) -> None:
        """Hold a vocabulary, ranks of merges, and the ids of the tokens that stand for no text."""
        self.start_token = start_token
        self.pad_token = pad_token
        self._vocabulary = vocabulary
        self._ranks = ranks
        self._unknown = unknown
        self._cache: dict[str, list[Piece]] = {}

    def encode(self, sequence: str, add_special_tokens: bool = True) -> BioGptEncoding:
        """Tokenise one text of any length; ``</s>`` is put before it as a special token."""
        words, places = cut_words(sequence)
        count = int(add_special_tokens)
        ids = [self.start_token] * count
        word_ids: list[int | None] = [None] * count
        offsets = [(0, 0)] * count
        first = 0
        for number, word in enumerate(words):
            for token, start, end in self._pieces(word):
                ids.append(token)
                word_ids.append(number)
                offsets.append((places[first + start], places[first + end - 1] + 1))
            first += len(word)
        return BioGptEncoding(ids, word_ids, offsets, [1] * count + [0] * (len(ids) - count))

    def encode_batch(
        self, input: Sequence[str], add_special_tokens: bool = True
    ) -> list[BioGptEncoding]:
        """Tokenise many texts, each by itself."""
        return [self.encode(text, add_special_tokens) for text in input]

    def no_truncation(self) -> None:
        """Do nothing: texts are always encoded whole."""

    def no_padding(self) -> None:
        """Do nothing: texts are never padded."""

    def _pieces(self, word: str) -> list[Piece]:
        pieces = self._cache.get(word)
        if pieces is None:
            pieces = self._merge(word)
            if len(word) <= _CACHED_LENGTH:
                if len(self._cache) >= _CACHED_WORDS:
                    self._cache.clear()
                self._cache[word] = pieces
        return pieces

    def _merge(self, word: str) -> list[Piece]:
        spelling, starts, ends = spell(word)
        merged = merge_word(spelling, self._ranks)
        following = [*(place for _, place in merged[1:]), len(spelling)]
        return [
            (self._vocabulary.get(piece, self._unknown), starts[place], ends[last - 1])
            for (piece, place), last in zip(merged, following, strict=True)
        ]


def biogpt_tokenizer(folder: Path) -> BioGptTokenizer:
    """Read BioGPT's tokenizer from ``vocab.json`` and ``merges.txt`` of a model's folder.

    Raises:
        ModelError: one of them is missing or damaged, the vocabulary lacks a special token, or
            the folder adds tokens of its own that are cut out of the text before Moses' rules.
    """
    names = _special_names(folder)
    vocabulary = _read_json(folder, "vocab.json")
    lacking = [token for token in names.values() if not isinstance(vocabulary.get(token), int)]
    if lacking:
        raise ModelError(f"model {folder.name}: vocab.json lacks the token {lacking[0]}")
    return BioGptTokenizer(
        vocabulary,
        _read_ranks(folder),
        unknown=vocabulary[names["unk_token"]],
        start_token=vocabulary[names["sep_token"]],
        pad_token=vocabulary[names["pad_token"]],
    )


def _read_ranks(folder: Path) -> dict[tuple[str, str], int]:
    """Pairs of ``merges.txt`` and their lines' numbers; what follows a pair is its count.

    A first line that is a comment is a pair that no word holds. Of a pair that stands twice the
    later line counts, and a last line without an end does not: so does transformers read them.
    """
    try:
        lines = (folder / "merges.txt").read_text("utf-8").split("\n")[:-1]
    except (OSError, ValueError) as error:
        raise ModelError(
            f"model {folder.name}: merges.txt cannot be read ({type(error).__name__})"
        ) from error
    columns = ((number, line.split()) for number, line in enumerate(lines))
    return {(pair[0], pair[1]): number for number, pair in columns if len(pair) > 1}


def _special_names(folder: Path) -> dict[str, str]:
    """How the folder calls its special tokens, from what transformers saves beside a model."""
    names = {"unk_token": "<unk>", "sep_token": "</s>", "pad_token": "<pad>"}
    settings = _read_settings(folder)
    for kind in names:
        value = settings.get(kind)
        if isinstance(value, dict):
            value = value.get("content")
        if value:
            names[kind] = str(value)
    return names


def _read_settings(folder: Path) -> dict[str, Any]:
    """The tokenizer's settings, of which those of ``tokenizer_config.json`` count first."""
    settings: dict[str, Any] = {}
    for file in ("special_tokens_map.json", "tokenizer_config.json"):
        if (folder / file).is_file():
            settings |= _read_json(folder, file)
    added = settings.get("added_tokens_decoder") or {}
    if not all(token.get("special") for token in added.values()):
        raise ModelError(
            f"model {folder.name}: its tokenizer adds tokens of its own to BioGPT's, which is not "
            "supported"
        )
    return settings


def _read_json(folder: Path, file: str) -> dict[str, Any]:
    try:
        content = json.loads((folder / file).read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(
            f"model {folder.name}: {file} cannot be read ({type(error).__name__})"
        ) from error
    if not isinstance(content, dict):
        raise ModelError(f"model {folder.name}: {file} holds no JSON object")
    return content
