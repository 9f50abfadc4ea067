"""Rules as data: the file in the box, and a user's that extends it."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nlp.assertion import ASSERTION_VERSION, AssessorError
from nlp.assertion.rule import (
    CATEGORIES,
    DIRECTIONS,
    PSEUDO,
    TERMINATE,
    PatternError,
    Rule,
    parse_pattern,
)

BOXED = Path(__file__).with_name("rules.toml")

SECTION_RULE = "section:"
"""What the rule id of a section's default begins with."""

_FIELDS = {"id", "sets", "ends", "words", "direction", "max_tokens"}
_HELP = "docs/assertion.md has the form"


@dataclass(frozen=True)
class RuleSet:
    """Rules by id, and by section name the categories its mentions have where no cue speaks."""

    rules: Mapping[str, Rule]
    sections: Mapping[str, tuple[str, ...]]


def load_rules(path: Path | None = None) -> RuleSet:
    """The rules in the box and those of a file, of which one of the same id takes the place.

    Raises:
        AssessorError: the file cannot be read, or says something that is no rule.
    """
    sets = [_read(BOXED), *([_read(path)] if path is not None else [])]
    rules = {rule_id: rule for its in sets for rule_id, rule in its.rules.items()}
    sections = {name: categories for its in sets for name, categories in its.sections.items()}
    return RuleSet(
        {rule_id: rule for rule_id, rule in rules.items() if rule.patterns},
        {name: categories for name, categories in sections.items() if categories},
    )


def rules_fingerprint(path: Path | None = None) -> str:
    """SHA-256 over the version of the code, the rules in the box and those of a file.

    Raises:
        AssessorError: the file cannot be read, or says something that is no rule.
    """
    load_rules(path)  # a file that cannot be used is told of before anything is read
    digest = hashlib.sha256(str(ASSERTION_VERSION).encode())
    for file in (BOXED, *([path] if path is not None else [])):
        digest.update(hashlib.sha256(_bytes(file)).digest())
    return digest.hexdigest()


def _bytes(path: Path) -> bytes:
    try:
        return path.expanduser().read_bytes()
    except OSError as error:
        raise AssessorError(
            f"assertion.rules: {path} cannot be read ({error.strerror}); name a TOML file of rules"
        ) from None


def _read(path: Path) -> RuleSet:
    try:
        content = tomllib.loads(_bytes(path).decode("utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise AssessorError(f"assertion.rules: {path} is no TOML: {error}") from None
    if unknown := set(content) - {"rule", "sections"}:
        raise _error(path, f"{_named(unknown)} is neither [[rule]] nor [sections]")
    tables, defaults = content.get("rule", []), content.get("sections", {})
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        raise _error(path, "rules are written as [[rule]]")
    if not isinstance(defaults, dict):
        raise _error(path, "sections are written as [sections]")
    rules: dict[str, Rule] = {}
    for number, table in enumerate(tables, start=1):
        rule = _rule(path, number, table)
        if rule.id in rules:
            raise _error(path, f"rule {rule.id!r} stands twice")
        rules[rule.id] = rule
    sections = {
        name: _categories(path, f"section {name!r}", value) for name, value in defaults.items()
    }
    return RuleSet(rules, sections)


def _rule(path: Path, number: int, table: Mapping[str, Any]) -> Rule:
    rule_id = table.get("id")
    if not isinstance(rule_id, str) or not rule_id or rule_id.startswith(SECTION_RULE):
        raise _error(path, f"rule {number} has no id, or one that begins with {SECTION_RULE!r}")
    where = f"rule {rule_id!r}"
    if unknown := set(table) - _FIELDS:
        raise _error(path, f"{where} has no field {_named(unknown)}")
    if set(table) == {"id", "words"} and table["words"] == []:
        return Rule(rule_id, (), PSEUDO, (), None)
    direction = table.get("direction")
    if direction not in DIRECTIONS:
        raise _error(path, f"{where}: direction is one of {', '.join(DIRECTIONS)}")
    words = table.get("words")
    if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
        raise _error(path, f"{where}: words is a list of strings; an empty one puts it out of use")
    for word in words:
        try:
            parse_pattern(word)
        except PatternError as error:
            raise _error(path, f"{where}: {word!r} is no pattern: {error}") from None
    most = table.get("max_tokens")
    if most is not None and (type(most) is not int or most < 1):
        raise _error(path, f"{where}: max_tokens is a whole number of at least 1")
    if most is not None and direction in (PSEUDO, TERMINATE):
        raise _error(path, f"{where}: a rule of direction {direction} has no max_tokens")
    return Rule(rule_id, tuple(words), direction, _what(path, where, direction, table), most)


def _what(path: Path, where: str, direction: str, table: Mapping[str, Any]) -> tuple[str, ...]:
    """What a rule sets, or whose scopes it ends: of a terminator all, if it does not say."""
    fields = {TERMINATE: "ends", PSEUDO: None}
    field = fields.get(direction, "sets")
    if other := {"sets", "ends"} & set(table) - {field}:
        raise _error(path, f"{where}: a rule of direction {direction} has no {_named(other)}")
    if field is None:
        return ()
    if direction == TERMINATE and field not in table:
        return tuple(CATEGORIES)
    categories = _categories(path, where, table.get(field), twice=direction == TERMINATE)
    if not categories:
        raise _error(path, f"{where}: {field} is one or more of {', '.join(CATEGORIES)}")
    return categories


def _categories(path: Path, where: str, value: object, *, twice: bool = False) -> tuple[str, ...]:
    given = [value] if isinstance(value, str) else value
    if not isinstance(given, list) or not all(category in CATEGORIES for category in given):
        raise _error(path, f"{where} names one or more of {', '.join(CATEGORIES)}")
    attributes = [CATEGORIES[category][0] for category in given]
    if not twice and len(set(attributes)) < len(attributes):
        raise _error(path, f"{where} gives one attribute two values")
    return tuple(given)


def _named(names: Iterable[str]) -> str:
    return ", ".join(repr(name) for name in sorted(names))


def _error(path: Path, problem: str) -> AssessorError:
    return AssessorError(f"assertion.rules: {path}: {problem}; {_HELP}")
