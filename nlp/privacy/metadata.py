"""A document's metadata: JSON whose strings are searched, and whose telling keys are replaced."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from nlp.privacy.finding import Finding
from nlp.privacy.replace import replace_findings
from nlp.privacy.rules import read_rules

_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")


@dataclass
class MetadataText:
    """What of a document's metadata is to be searched.

    Attributes:
        value: the parsed JSON.
        strings: the strings under keys that say nothing, in order of writing.
        names: strings under keys of names: they tell names that stand in the text, too.
    """

    value: Any
    strings: list[str] = field(default_factory=list)
    names: list[str] = field(default_factory=list)


def read_metadata(metadata: str | None) -> MetadataText:
    """Parse metadata and collect its strings.

    Raises:
        ValueError: it is no JSON.
    """
    read = MetadataText(json.loads(metadata) if metadata else {})
    for kind, value in _leaves(read.value, None):
        if kind is None:
            read.strings.append(_written(value))
        elif kind == "name":
            read.names.append(_written(value))
    return read


def rewrite_metadata(
    read: MetadataText, found: list[list[Finding]], substitute: Callable[[str, str], str]
) -> tuple[str, list[Finding]]:
    """JSON with replacements, and where they stand in it, escapes counted.

    Args:
        read: what was read.
        found: the findings in each of its strings.
        substitute: given a kind and the old characters, the new ones.
    """
    pieces: list[str] = []
    spans: list[Finding] = []
    strings = iter(found)
    length = 0

    def write(piece: str) -> None:
        nonlocal length
        pieces.append(piece)
        length += len(piece)

    def leaf(kind: str | None, value: Any) -> None:
        text = _written(value)
        if kind is not None:
            findings = [Finding(0, len(text), kind, f"{kind}:metadata_key", 1.0)] if text else []
        else:
            findings = next(strings)
        if not findings:
            write(_dump(value))
            return
        new = replace_findings(text, findings, substitute)
        for span in new.spans:
            start = length + len(_dump(new.text[: span.start])) - 1
            end = length + len(_dump(new.text[: span.end])) - 1
            spans.append(Finding(start, end, span.kind, span.rule_id, span.score))
        write(_dump(new.text))

    def walk(value: Any, kind: str | None) -> None:
        if isinstance(value, dict):
            write("{")
            for number, (key, inner) in enumerate(value.items()):
                write((", " if number else "") + _dump(key) + ": ")
                walk(inner, kind or kind_of_key(key))
            write("}")
        elif isinstance(value, list):
            write("[")
            for number, inner in enumerate(value):
                write(", " if number else "")
                walk(inner, kind)
            write("]")
        elif _is_leaf(value):
            leaf(kind, value)
        else:
            write(_dump(value))

    walk(read.value, None)
    return "".join(pieces), spans


@lru_cache(maxsize=10_000)
def kind_of_key(key: str) -> str | None:
    """The kind of identifier that a key names: patientName, DOB, home_phone; else None."""
    words = [word.lower() for word in _WORDS.findall(key)]
    joined = f" {' '.join(words)} "
    best: tuple[int, str] | None = None
    keys: dict[str, list[str]] = read_rules()["metadata"]
    for kind, phrases in keys.items():
        for phrase in phrases:
            if f" {phrase} " in joined or phrase.replace(" ", "") == "".join(words):
                best = max(best or (0, ""), (len(phrase), kind))
    return best[1] if best else None


def _leaves(value: Any, kind: str | None) -> Iterator[tuple[str | None, Any]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _leaves(inner, kind or kind_of_key(key))
    elif isinstance(value, list):
        for inner in value:
            yield from _leaves(inner, kind)
    elif _is_leaf(value):
        yield kind, value


def _is_leaf(value: Any) -> bool:
    return isinstance(value, str | int | float) and not isinstance(value, bool)


def _written(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _dump(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
