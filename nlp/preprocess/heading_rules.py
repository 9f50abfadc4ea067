"""Rules of headings: those in the box, and those of a user's file, which come first."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import product
from pathlib import Path
from typing import get_args

from nlp.preprocess.heading_file import HeadingEntry, entry_error, entry_name, read_heading_file
from nlp.preprocess.heading_rule import HeadingRule, HeadingRules, expand, normal_form
from nlp.settings import Kind

BOXED = Path(__file__).with_name("section_rules.toml")

EXAMINATION = "physical_examination"
"""The section whose parts may also be headed ``Neck exam``."""


@dataclass
class _Gathered:
    """The rules of one file, by kind and normal form of the heading."""

    forms: dict[str, dict[str, list[HeadingRule]]] = field(
        default_factory=lambda: {kind: {} for kind in get_args(Kind)}
    )
    prefixes: frozenset[str] = frozenset()
    labels: frozenset[str] = frozenset()
    inline_hosts: frozenset[str] = frozenset()


def load_heading_rules(path: Path | None = None) -> HeadingRules:
    """The rules in the box and those of a user's file, which are tried first.

    What the user's file lists as labels opens nothing, and a code it gives to a name holds for the
    headings in the box, too.

    Raises:
        PreprocessError: the file cannot be read, or an entry is no rule; the message names both.
    """
    return _boxed_rules() if path is None else _merged([_gather(path), _boxed()])


def rules_fingerprint(path: Path | None) -> str:
    """SHA-256 over the rules in the box and those of a user's file, which is checked.

    Raises:
        PreprocessError: as :func:`load_heading_rules`.
    """
    if path is not None:
        load_heading_rules(path)
    digest = hashlib.sha256()
    for content in (BOXED.read_bytes(), path.read_bytes() if path is not None else b""):
        digest.update(len(content).to_bytes(8, "big") + content)
    return digest.hexdigest()


@lru_cache(maxsize=1)
def _boxed_rules() -> HeadingRules:
    return _merged([_boxed()])


@lru_cache(maxsize=1)
def _boxed() -> _Gathered:
    return _gather(BOXED)


def _merged(files: list[_Gathered]) -> HeadingRules:
    """Rules of files, the earlier ones first."""
    first, *others = files
    codes = _codes(first)
    forms: dict[str, dict[str, tuple[HeadingRule, ...]]] = {}
    for kind in get_args(Kind):
        merged = {
            form: tuple(sorted(rules, key=_order)) for form, rules in first.forms[kind].items()
        }
        for other in others:
            for form, rules in other.forms[kind].items():
                if form not in first.labels:
                    coded = [_with_code(rule, codes) for rule in sorted(rules, key=_order)]
                    merged[form] = (*merged.get(form, ()), *coded)
        forms[kind] = merged
    return HeadingRules(
        forms,
        {kind: frozenset(map(_last_word, of_kind)) for kind, of_kind in forms.items()},
        {kind: dict(_stated(of_kind)) for kind, of_kind in forms.items()},
        frozenset().union(*(file.prefixes for file in files)),
        frozenset().union(*(file.labels for file in files)),
        frozenset().union(*(file.inline_hosts for file in files)),
    )


def _gather(path: Path) -> _Gathered:
    file = read_heading_file(path)
    gathered = _Gathered(
        prefixes=frozenset(map(normal_form, file.prefixes)),
        labels=frozenset(map(normal_form, file.labels)),
        inline_hosts=frozenset(entry.name for entry in file.section if entry.inline_parts),
    )
    for number, entry in enumerate(file.section, 1):
        _add(path, number, entry, gathered)
    _add_exams(gathered.forms["note"])
    return gathered


def _add(path: Path, number: int, entry: HeadingEntry, gathered: _Gathered) -> None:
    rule = HeadingRule(
        name=entry.name,
        loinc=entry.loinc,
        within=frozenset(entry.within),
        alone=entry.alone,
        joined=entry.joined,
        opens=entry.opens,
        capitals=entry.capitals,
        colon=entry.colon,
        followed_by=frozenset(word.lower() for word in entry.followed_by),
    )
    forms = {form for heading in entry.headings for form in expand(heading)}
    for kind, form in product(entry.kinds, forms):
        rules = gathered.forms[kind].setdefault(form, [])
        for other in rules:
            if _clashes(rule, other):
                where = entry_name(number, entry.name)
                raise entry_error(path, where, f"heading {form!r} already opens {other.name}")
        rules.append(rule)


def _clashes(rule: HeadingRule, other: HeadingRule) -> bool:
    """Whether nothing tells which of two rules of one heading holds."""
    if bool(rule.within) != bool(other.within) or rule.followed_by != other.followed_by:
        return False
    return not rule.within or bool(rule.within & other.within)


def _add_exams(forms: dict[str, list[HeadingRule]]) -> None:
    """``Neck exam`` opens the part of the examination wherever a section of its own may stand."""
    for form, rules in list(forms.items()):
        for rule in rules:
            if EXAMINATION in rule.within and rule.alone and not form.endswith("s"):
                code = rule.loinc.get(EXAMINATION)
                name = f"{EXAMINATION}.{rule.name}"
                part = HeadingRule(name, {"": code} if code else {}, opens=EXAMINATION)
                for exam in ("exam", "examination"):
                    forms.setdefault(f"{form} {exam}", [part])


def _stated(forms: Mapping[str, tuple[HeadingRule, ...]]) -> Iterator[tuple[str, HeadingRule]]:
    """The names that sources make of headings: words joined by ``_``, an ``&`` lost."""
    for form, rules in reversed(list(forms.items())):
        for rule in rules:
            if not rule.within and not rule.followed_by:
                words = re.findall(r"[a-z0-9]+", form)
                yield "_".join(word for word in words if word != "and"), rule
                yield "_".join(words), rule
                break


def _codes(file: _Gathered) -> dict[str, Mapping[str, str]]:
    return {
        rule.name: rule.loinc
        for of_kind in file.forms.values()
        for rules in of_kind.values()
        for rule in rules
        if rule.loinc
    }


def _with_code(rule: HeadingRule, codes: Mapping[str, Mapping[str, str]]) -> HeadingRule:
    return rule.with_loinc(codes[rule.name]) if rule.name in codes else rule


def _order(rule: HeadingRule) -> int:
    """Rules with a condition come before those without."""
    return 0 if rule.followed_by else 1 if rule.within else 2


def _last_word(form: str) -> str:
    return re.split(r"[ /]", form)[-1]
