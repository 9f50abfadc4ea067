"""A rule of headings, and how the words of headings are written and compared."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import product

_GROUP = re.compile(r"\[([^\[\]]*)\]")
_SPACED = str.maketrans({"&": " and ", "-": " ", "’": "'", "\u2010": " ", "\u2011": " "})


@dataclass(frozen=True, slots=True)
class HeadingRule:
    """What a heading opens, and where it is one.

    Attributes:
        name: normalised name; of a part, without its section's.
        loinc: LOINC code by the section a part belongs to, ``""`` for any other.
        within: sections that this one may be a part of; empty = a section of its own.
        alone: the section a part belongs to where none of ``within`` is open.
        joined: a part's name is ``section.part``; else ``part``.
        opens: the section that parts which follow belong to, if not this one.
        capitals: counts only in capitals.
        colon: counts only with a colon.
        followed_by: words of which one must stand among the next few.
    """

    name: str
    loinc: Mapping[str, str]
    within: frozenset[str] = frozenset()
    alone: str | None = None
    joined: bool = True
    opens: str | None = None
    capitals: bool = False
    colon: bool = False
    followed_by: frozenset[str] = frozenset()

    def with_loinc(self, loinc: Mapping[str, str]) -> HeadingRule:
        """The same rule with other codes."""
        return replace(self, loinc=loinc)


@dataclass(frozen=True)
class HeadingRules:
    """All rules, ready to be looked up.

    Attributes:
        forms: by kind of document and normal form of a heading, the rules in the order of trial.
        last_words: by kind, the last word of every form.
        stated: by kind, and by the name a source may state, the rule of a section of its own.
        prefixes: words that may stand before any form.
        labels: words before a colon that open nothing.
        inline_hosts: sections whose parts may stand in the middle of a line.
    """

    forms: Mapping[str, Mapping[str, tuple[HeadingRule, ...]]]
    last_words: Mapping[str, frozenset[str]]
    stated: Mapping[str, Mapping[str, HeadingRule]]
    prefixes: frozenset[str]
    labels: frozenset[str]
    inline_hosts: frozenset[str]


def normal_form(words: str) -> str:
    """A heading as it is compared: small letters, single spaces, ``and`` for ``&``, no hyphens.

    Empty where letters other than ASCII remain: they only look like known words.
    """
    form = " ".join(words.translate(_SPACED).lower().split())
    if "/" in form:
        form = form.replace(" /", "/").replace("/ ", "/")
    return form.strip(" .*_#=") if form.isascii() else ""


def expand(heading: str) -> Iterator[str]:
    """The normal forms of a heading with groups: ``[a|b] c`` is ``a c`` and ``b c``."""
    pieces = _GROUP.split(heading)
    choices = [[p] if i % 2 == 0 else p.split("|") for i, p in enumerate(pieces)]
    for chosen in product(*choices):
        yield normal_form("".join(chosen))
