"""The lists that the rules go by, read once from ``rules.toml`` and the word lists beside it."""

from __future__ import annotations

import hashlib
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent
_FILES = ("rules.toml", "names.toml", "common_words.txt")


@cache
def read_rules() -> dict[str, Any]:
    """``rules.toml`` as it stands."""
    return tomllib.loads((FOLDER / "rules.toml").read_text("utf-8"))


@cache
def read_name_lists() -> dict[str, list[str]]:
    """``names.toml``: lists of given names, surnames, towns and streets."""
    return {
        key: value.split()
        for key, value in tomllib.loads((FOLDER / "names.toml").read_text("utf-8")).items()
    }


@cache
def given_names() -> frozenset[str]:
    """Given names, lower case."""
    return frozenset(name.lower() for name in read_name_lists()["given"])


@cache
def word_set(section: str, key: str) -> frozenset[str]:
    """Words of a white-space-separated entry of ``rules.toml``."""
    return frozenset(read_rules()[section][key].split())


@cache
def common_words() -> frozenset[str]:
    """Words that clinical English writes in lower case: no name where nothing says so."""
    lines = (FOLDER / "common_words.txt").read_text("utf-8").splitlines()
    return frozenset(lines) | word_set("names", "never")


@cache
def rules_hash() -> str:
    """SHA-256 over all lists."""
    digest = hashlib.sha256()
    for name in _FILES:
        digest.update((FOLDER / name).read_bytes())
    return digest.hexdigest()
