"""Texts as tokens that know which of them are mentions, and of what.

A token's type carries its mention's role beside its word's case: no marker tokens are put into the
text, so that it costs no room and offsets stay as they are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from nlp.ner.encoding import Encoder, Words
from nlp.ner.engine import cut_texts
from nlp.ner.packed import Packed, pack
from nlp.ner.windows import Window
from nlp.relations.features import pair_features
from nlp.relations.text import RelationText, by_concept

Ints = NDArray[np.int64]
Floats = NDArray[np.float32]

ROLES = 5
"""No mention, first token and further tokens of a subject, the same of an object."""


@dataclass(frozen=True, eq=False)
class Example:
    """One text, ready for the network.

    Attributes:
        tokens: its token ids, shape (tokens,), without special tokens.
        types: its token types, shape (tokens,): case + cases * role.
        windows: of the tokens, in order; their kept ranges tile them.
        spans: first token and one past the last of each mention, shape (mentions, 2).
        subjects, objects: for each concept, positions of its mentions among ``spans``.
        pairs: (subject concept, object concept), numbers into the two, shape (pairs, 2).
        features: shape (pairs, features).
        names: the ids of the pairs' concepts.
    """

    tokens: Ints
    types: Ints
    windows: tuple[Window, ...]
    spans: Ints
    subjects: tuple[tuple[int, ...], ...]
    objects: tuple[tuple[int, ...], ...]
    pairs: Ints
    features: Floats
    names: tuple[tuple[str, str], ...]


def make_examples(
    texts: Sequence[RelationText],
    encoder: Encoder,
    cases: int,
    subject_label: str,
    object_label: str,
) -> list[Example]:
    """Encode texts whole.

    Args:
        texts: with their mentions.
        encoder: the tokenizer.
        cases: token types that the encoder knows without roles.
        subject_label, object_label: what can be related.
    """
    words = encoder.encode([text.text for text in texts])
    windows: list[list[Window]] = [[] for _ in texts]
    for window in cut_texts(words, encoder):
        windows[window.sequence].append(window)
    return [
        _example(text, own, tuple(cut), cases, subject_label, object_label)
        for text, own, cut in zip(texts, words, windows, strict=True)
    ]


def _example(
    text: RelationText,
    words: Words,
    windows: tuple[Window, ...],
    cases: int,
    subject_label: str,
    object_label: str,
) -> Example:
    spans = np.array([_tokens(m.start, m.end, words) for m in text.mentions], dtype=np.int64)
    spans = spans.reshape(-1, 2)
    roles = np.zeros(len(words.token_ids), dtype=np.int64)
    for (first, end), mention in zip(spans, text.mentions, strict=True):
        if mention.label in (subject_label, object_label):
            role = 1 if mention.label == subject_label else 3
            roles[first:end] = role + 1
            roles[first : first + 1] = role
    # A mention in whose characters the tokenizer sees no word has no place to be read at.
    seen = [bool(first < end) for first, end in spans]
    groups = []
    for label in (subject_label, object_label):
        concepts = by_concept(text, label)
        groups.append({c: tuple(m for m in its if seen[m]) for c, its in concepts.items()})
    numbers = [{c: n for n, c in enumerate(c for c, its in g.items() if its)} for g in groups]
    names, features = pair_features(text, subject_label, object_label)
    kept = [n for n, (s, o) in enumerate(names) if s in numbers[0] and o in numbers[1]]
    pairs = [(numbers[0][names[n][0]], numbers[1][names[n][1]]) for n in kept]
    return Example(
        words.token_ids,
        words.token_types + cases * roles,
        windows,
        spans,
        tuple(its for its in groups[0].values() if its),
        tuple(its for its in groups[1].values() if its),
        np.array(pairs, dtype=np.int64).reshape(-1, 2),
        features[kept],
        tuple(names[n] for n in kept),
    )


def _tokens(start: int, end: int, words: Words) -> tuple[int, int]:
    """First token and one past the last of the words that share a character with a span."""
    first = int(np.searchsorted(words.ends, start, side="right"))
    last = int(np.searchsorted(words.starts, end, side="left"))
    bounds = np.append(words.label_tokens, len(words.token_ids))
    return int(bounds[first]), int(bounds[max(first, last)])


def pack_windows(
    members: Sequence[tuple[Example, Window]], encoder: Encoder
) -> tuple[Packed, torch.Tensor]:
    """Windows of examples end to end.

    Returns:
        The packed windows, and the rows among their tokens that are kept, window by window, shape
        (kept tokens,).
    """
    token_ids, token_types, rows = [], [], []
    before = len(encoder.start_tokens)
    offset = 0
    for example, window in members:
        inside = slice(window.start, window.end)
        token_ids.append(encoder.with_specials(example.tokens[inside]))
        token_types.append(encoder.with_specials(example.types[inside], fill=0))
        first = offset + before - window.start
        rows.append(np.arange(window.keep_start, window.keep_end) + first)
        offset += len(token_ids[-1])
    return pack(token_ids, token_types), torch.from_numpy(np.concatenate(rows))
