"""The names of a store as a model's tokens: made once, and kept beside the store."""

from __future__ import annotations

import json
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ontologies.arrays import array_path, load_array
from ontologies.replacing import replacing
from ontologies.store import ConceptStore
from ontologies.writing.source import WriterSource, tokenizer_fingerprint
from ontologies.writing.trie import NamedTrie, NameTrie, ended_rows, make_trie

TRIES_FOLDER = "tries"
TRIES_VERSION = 1
"""Raised when names become other tokens, or lie in another order; part of the folder's name."""

_MANIFEST = "trie.json"
_ARRAYS = ("token", "start", "length", "shared")
_CHUNK = 20_000

Tokens = Callable[[list[str]], list[list[int]]]


def named_trie(
    store: ConceptStore, source: WriterSource, template: str, longest: int, end: int, tokens: Tokens
) -> NamedTrie:
    """The trie of a store's names: that which lies beside the store, or one made now.

    It is kept where the store's folder can be written. Kept ones are mapped, not read.

    Args:
        store: an open store.
        source: whose tokenizer it is.
        template: whose last word stands before the names.
        longest: tokens of a name at most, its end included; longer names are left out.
        end: the token that ends names.
        tokens: makes names into tokens, as they stand after the template.
    """
    said = repr((TRIES_VERSION, tokenizer_fingerprint(source), template.split()[-1], longest, end))
    folder = store.path / TRIES_FOLDER / sha256(said.encode()).hexdigest()[:16]
    kept = _load(folder, store)
    if kept is not None:
        return kept
    made = _make(store, longest, end, tokens)
    try:
        with replacing(folder) as beside:
            _save(made, beside, store)
    except OSError:  # read-only, or another process was quicker
        return made
    return _load(folder, store) or made


def _make(store: ConceptStore, longest: int, end: int, tokens: Tokens) -> NamedTrie:
    count = len(store.names.concept)
    flat, lengths, names = list[Any](), list[Any](), list[Any]()
    for low in range(0, count, _CHUNK):
        rows = np.arange(low, min(low + _CHUNK, count))
        token, start, row = ended_rows(tokens(store.name_texts(rows)), end, longest)
        flat.append(token)
        lengths.append(np.diff(start))
        names.append(rows[row])
    length = np.concatenate([np.zeros(1, dtype=np.int64), *lengths])
    token = np.concatenate([np.empty(0, dtype=np.int32), *flat])
    name = np.concatenate([np.empty(0, dtype=np.int64), *names]).astype(np.int32)
    return make_trie(token, np.cumsum(length), name, end)


def _save(made: NamedTrie, folder: Path, store: ConceptStore) -> None:
    for field in _ARRAYS:
        np.save(array_path(folder, "trie", field), getattr(made.trie, field), allow_pickle=False)
    np.save(array_path(folder, "name", "start"), made.name_start, allow_pickle=False)
    np.save(array_path(folder, "name", "name"), made.name, allow_pickle=False)
    content = {"release_id": store.release.release_id, "end": made.trie.end}
    (folder / _MANIFEST).write_text(json.dumps(content) + "\n", encoding="utf-8")


def _load(folder: Path, store: ConceptStore) -> NamedTrie | None:
    """A kept trie; None where there is none, or one that is damaged or of another release."""
    try:
        manifest = json.loads((folder / _MANIFEST).read_bytes())
        arrays: dict[str, npt.NDArray[Any]] = {
            field: load_array(array_path(folder, "trie", field)) for field in _ARRAYS
        }
        sequences = np.arange(len(arrays["start"]))
        end = int(manifest["end"])
        trie = NameTrie(**arrays, sequence=sequences, end=end)  # type: ignore[arg-type]
        start = load_array(array_path(folder, "name", "start"))
        name = load_array(array_path(folder, "name", "name"))
        same = manifest["release_id"] == store.release.release_id
        kept = NamedTrie(trie, start, name)
        return kept if same and _fits(kept, len(store.names.concept)) else None
    except (OSError, ValueError, TypeError, KeyError, IndexError):
        return None


def _fits(named: NamedTrie, names: int) -> bool:
    """Whether the arrays of a kept trie point at each other, and at names of the store."""
    trie, count = named.trie, len(named.trie)
    if not len(trie.length) == len(trie.shared) == count == len(named.name_start) - 1:
        return False
    if not count:
        return not len(named.name)
    last = int((trie.start + trie.length).max())
    # Tokens of names that others have too stand in the file as well.
    inside = int(trie.start.min()) >= 0 and last <= len(trie.token)
    its = int(named.name_start[0]), int(named.name_start[-1]), len(named.name)
    return (
        inside
        and its[0] == 0
        and its[1] == its[2] <= names
        and int(named.name.min()) >= 0
        and int(named.name.max()) < names
    )
