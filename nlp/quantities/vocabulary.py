"""The words of quantities: units, names of what is measured, phrases of frequency.

They lie beside this file as TOML, read once per process.
"""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

_FOLDER = Path(__file__).parent
_FILES = ("units.toml", "names.toml", "frequencies.toml", "context.toml")


@dataclass(frozen=True, slots=True)
class Unit:
    """A simple unit: its UCUM code, its dimension and its expression in pint, if it has one."""

    code: str
    dimension: str
    pint: str | None = None


@dataclass(frozen=True, slots=True)
class Units:
    """Units by spelling: whole ones, and those that only stand before or after a slash.

    ``base`` gives the base unit of a signature such as ``mass/volume``, by kind or ``default``;
    ``base_below`` that of a dimension below a slash, where ``base`` has no such signature.
    """

    whole: Mapping[str, Unit]
    before_slash: Mapping[str, Unit]
    after_slash: Mapping[str, Unit]
    by_code: Mapping[str, Unit]
    base: Mapping[str, Mapping[str, str]]
    base_below: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Name:
    """What a value is of.

    Attributes:
        name: as in the column ``name``.
        kind: the quantity's kind.
        signatures: those that a written unit may have.
        unit: the one in use where none is written, as a UCUM code.
        choices: units to choose from by the value where none is written: code, lowest, highest.
        low: smallest value without a written unit.
        high: the largest one.
        bare: whether a value may have no unit at all.
        after: whether it may stand behind its value, too: 8% bands.
    """

    name: str
    kind: str
    signatures: frozenset[str]
    unit: str | None = None
    choices: tuple[tuple[str, float, float], ...] = ()
    low: float = 0.0
    high: float = 1e9
    bare: bool = True
    after: bool = False


@dataclass(frozen=True, slots=True)
class Names:
    """Names by spelling, pairs of names by spelling, and the words that may stand behind one."""

    by_spelling: Mapping[str, Name]
    pairs: Mapping[str, tuple[Name, Name]]
    between: frozenset[str]
    changes: frozenset[str]
    signs: frozenset[str]


@dataclass(frozen=True, slots=True)
class Frequency:
    """A phrase's meaning: ``value`` times per ``unit``, or a name where there is no number.

    A ``weak`` one counts only behind a drug or an amount, a ``direct`` one right behind an amount.
    """

    value: float | None
    unit: str | None
    name: str | None
    weak: bool
    direct: bool


@cache
def read_units() -> Units:
    """The units of ``units.toml``."""
    data = _read("units.toml")
    spelt: dict[str, dict[str, Unit]] = {"spellings": {}, "before_slash": {}, "after_slash": {}}
    by_code = {}
    for row in data["unit"]:
        unit = Unit(row["code"], row["dimension"], row.get("pint"))
        by_code[unit.code] = unit
        for where, units in spelt.items():
            units |= dict.fromkeys(row.get(where, ()), unit)
    base = {
        signature: {"default": codes} if isinstance(codes, str) else codes
        for signature, codes in data["base"].items()
    }
    whole = spelt["spellings"]
    return Units(
        whole,
        whole | spelt["before_slash"],
        whole | spelt["after_slash"],
        by_code,
        base,
        data["denominator_base"],
    )


@cache
def read_names() -> Names:
    """The names of ``names.toml``."""
    data = _read("names.toml")
    spelt: dict[str, Name] = {}
    names: dict[str, Name] = {}
    for row in data["name"]:
        low, high = row.get("range", (0.0, 1e9))
        name = Name(
            name=row["name"],
            kind=row["kind"],
            signatures=frozenset(row["dimensions"]),
            unit=row.get("unit"),
            choices=tuple((code, low, high) for code, low, high in row.get("choices", ())),
            low=low,
            high=high,
            bare=row.get("bare", True),
        )
        names[name.name] = name
        spelt |= dict.fromkeys(row["spellings"], name)
    for lab, spellings in data["laboratory"].items():
        more = data["laboratory_dimensions"].get(lab, ())
        name = Name(
            name=lab,
            kind="lab_value",
            signatures=frozenset({*data["laboratory_units"], *more}),
            after=lab in data["laboratory_after"],
        )
        names[lab] = name
        spelt |= dict.fromkeys(spellings, name)
    return Names(
        by_spelling=spelt,
        pairs={s: (names[first], names[second]) for s, (first, second) in data["pairs"].items()},
        between=frozenset(data["between"].split()),
        changes=frozenset(data["changes"].split()),
        signs=frozenset(data["signs"].split()),
    )


@cache
def read_frequencies() -> tuple[dict[str, Frequency], dict[str, Frequency]]:
    """The phrases of ``frequencies.toml``, and those whose letters may have dots."""
    data = _read("frequencies.toml")
    phrases: dict[str, Frequency] = {}
    dotted: dict[str, Frequency] = {}
    for group in ("frequency", "weak", "direct"):
        for row in data[group]:
            meaning = Frequency(
                row.get("value"),
                row.get("unit"),
                row.get("name"),
                group == "weak",
                group == "direct",
            )
            phrases |= dict.fromkeys(row["phrases"], meaning)
            dotted |= dict.fromkeys(row.get("dotted", ()), meaning)
    return phrases, dotted


@dataclass(frozen=True, slots=True)
class Context:
    """What words around a quantity say, see ``context.toml``; comparators by spelling."""

    drug_labels: frozenset[str]
    finding_labels: frozenset[str]
    drug_words: frozenset[str]
    salts: frozenset[str]
    parting: frozenset[str]
    comparators: Mapping[str, str]


@cache
def read_context() -> Context:
    """The words of ``context.toml``."""
    data = _read("context.toml")
    return Context(
        frozenset(data["drug_labels"]),
        frozenset(data["finding_labels"]),
        frozenset(data["drug_words"].split()),
        frozenset(data["salts"].split()),
        frozenset(data["parting"].split()),
        {word: sign for sign, words in data["comparators"].items() for word in words},
    )


@cache
def vocabulary_fingerprint() -> str:
    """SHA-256 of the files of the vocabulary."""
    digest = hashlib.sha256()
    for name in _FILES:
        digest.update((_FOLDER / name).read_bytes())
    return digest.hexdigest()


def _read(name: str) -> dict[str, Any]:
    return tomllib.loads((_FOLDER / name).read_text("utf-8"))
