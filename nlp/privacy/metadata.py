"""A document's metadata: JSON whose strings are searched, and whose telling keys are replaced."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from nlp.privacy import date_forms
from nlp.privacy.finding import Finding
from nlp.privacy.literals import literals_of
from nlp.privacy.metadata_keys import is_coded, is_general, kind_of_key
from nlp.privacy.replace import replace_findings

_OLDEST_TOLD = 89
_CODED = ""
_DATE = re.compile(date_forms.STATED)


@dataclass
class MetadataText:
    """What of a document's metadata is to be searched.

    Attributes:
        value: the parsed JSON.
        strings: the strings under keys that say nothing, in order of writing.
        names: strings under keys of names: they tell names that stand in the text, too.
        literals: kind and value of other identifiers that are looked for in the text as they are.
    """

    value: Any
    strings: list[str] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    literals: list[tuple[str, str]] = field(default_factory=list)


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
        else:
            read.literals += literals_of(kind, _written(value))
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
        kind = _kind_of_value(kind, value)
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
                walk(inner, _kind_within(value, key, kind))
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


def _leaves(value: Any, kind: str | None) -> Iterator[tuple[str | None, Any]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _leaves(inner, _kind_within(value, key, kind))
    elif isinstance(value, list):
        for inner in value:
            yield from _leaves(inner, kind)
    elif _is_leaf(value):
        yield _kind_of_value(kind, value), value


def _kind_within(holder: dict[str, Any], key: str, outer: str | None) -> str | None:
    """The kind of what stands under a key of an object that itself stands under a kind's key.

    The inner key says more, unless it is a general one. Of a term of a code system (kind
    ``_CODED``), name and display are no identifiers.
    """
    inner = holder[key]
    if is_coded(key) and isinstance(inner, dict | list):
        return _CODED
    if is_general(key):
        if outer is not None:
            return outer
        if key.lower() == "display" and ("code" in holder or "system" in holder):
            return None
    return kind_of_key(key) or outer


def _kind_of_value(kind: str | None, value: Any) -> str | None:
    """The kind; None of a coded term and of an age that tells nothing: one up to 89.

    A string that as a whole is a date is one, whatever the key: a column mapped as the date has any
    name, and what it states is kept here.
    """
    if kind == "age":
        ages = map(int, re.findall(r"\d{1,9}", _written(value)))
        return kind if any(age > _OLDEST_TOLD for age in ages) else None
    if not kind and isinstance(value, str) and _DATE.fullmatch(value.strip()):
        return "date"
    return kind or None


def _is_leaf(value: Any) -> bool:
    return isinstance(value, str | int | float) and not isinstance(value, bool)


def _written(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _dump(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
