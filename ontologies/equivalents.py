"""Other names of a thing, by whole names: ``5-FU`` for fluorouracil, or Wilson disease for
hepatolenticular degeneration.

For names that no index level finds: symbols, codes, abbreviations, trade names, eponyms and lay
words that a thin ontology lacks. The classes stand in ``equivalents.tsv``, whose head says its
rules. ``ontologies/words.py`` is the same for single words.

Names are compared by ``compact_form`` of their ``normal_form``, which drop case, hyphens and
plurals. That alone would make ``no`` nitric oxide and ``DHEAS`` a plural of DHEA. So case tells:

- A *case-bound* name (up to three letters and no digit, or an abbreviation that is also an English
  word) matches only as the file writes it, but for punctuation and a plural ``s``. One in small
  letters may begin with a capital.
- A capital S at the end of an abbreviation is not its plural.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

from ontologies.normalise import compact_form, normal_form

KINDS = ("anatomy", "chemical", "disease", "gene", "species")

RULES_VERSION = 1
"""Raised when the same file gives other equivalents."""

_FILE = "equivalents.tsv"
_MOST_LETTERS = 3
_WORDS = frozenset({"AIDS", "CAPS", "GIST", "IRIS", "MODS", "POTS", "SNAP"})
_PLURAL = re.compile(r"(?<=[A-Z0-9])s$")
# Longer words in capitals are rather headings, where an S may well be a plural.
_ABBREVIATION_IN_S = re.compile(r"[A-Z]{3,5}S")


@dataclass(frozen=True, slots=True)
class EquivalenceClass:
    """Names that mean the same; the preferred one first."""

    kind: str
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Lexicon:
    # For each class its normal forms, each with its key; for each key the classes and names.
    forms: tuple[tuple[tuple[str, str], ...], ...]
    entries: dict[str, tuple[tuple[int, str], ...]]


def equivalents(name: str) -> tuple[str, ...]:
    """Normal forms of the other names of all classes that hold a name, of whatever kind.

    Takes the name as written, since case tells (see the head of the module). In the file's order,
    the preferred name of a class first; no form twice, and never one that is the name itself but
    for hyphens, spaces and plurals. A form that case alone tells apart from that of another class
    of the kind (*CO* and *Co*) is not given: who looks it up would find both.
    """
    lexicon = _lexicon()
    key = _key(name)
    found: dict[str, None] = {}
    for number, written in lexicon.entries.get(key, ()):
        if not is_case_bound(written) or _as_written(name, written):
            found |= {form: None for form, other in lexicon.forms[number] if other != key}
    return tuple(found)


@lru_cache(maxsize=1)
def equivalence_classes() -> tuple[EquivalenceClass, ...]:
    """The classes of the file, in its order."""
    text = files("ontologies").joinpath(_FILE).read_text(encoding="utf-8")
    rows = (line.split("\t") for line in text.splitlines() if not line.startswith("#"))
    return tuple(EquivalenceClass(kind, tuple(names)) for kind, *names in rows)


@lru_cache(maxsize=1)
def equivalents_version() -> str:
    """What a linkset's fingerprint has to hold: it changes with the classes and with the rules."""
    digest = hashlib.sha256(str(RULES_VERSION).encode())
    for row in equivalence_classes():
        digest.update("\t".join(("\n" + row.kind, *row.names)).encode())
    return digest.hexdigest()[:12]


def is_case_bound(name: str) -> bool:
    """Whether a name of the file matches only in the file's case."""
    symbol = _symbol(name)
    return symbol in _WORDS or (len(symbol) <= _MOST_LETTERS and symbol.isalpha())


def written_key(name: str) -> str:
    """What two names of the file share if a text could mean either by the same writing."""
    return _symbol(name) if is_case_bound(name) else _key(name)


@lru_cache(maxsize=1)
def _lexicon() -> _Lexicon:
    classes = equivalence_classes()
    entries: dict[str, list[tuple[int, str]]] = {}
    owners: dict[tuple[str, str], set[int]] = {}
    for number, row in enumerate(classes):
        for name in row.names:
            entries.setdefault(_key(name), []).append((number, name))
            owners.setdefault((row.kind, compact_form(normal_form(name))), set()).add(number)
    return _Lexicon(
        forms=tuple(
            tuple(
                (normal_form(name), _key(name))
                for name in row.names
                if len(owners[row.kind, compact_form(normal_form(name))]) == 1
            )
            for row in classes
        ),
        entries={key: tuple(found) for key, found in entries.items()},
    )


def _key(name: str) -> str:
    form = normal_form(name)
    if _ABBREVIATION_IN_S.fullmatch(_symbol(name)):
        return form.replace(" ", "")
    return compact_form(form)


def _as_written(name: str, written: str) -> bool:
    given, wanted = _symbol(name), _symbol(written)
    return given == wanted or (wanted.islower() and given == wanted.capitalize())


def _symbol(name: str) -> str:
    """Letters and digits in their case, without the ``s`` of a plural abbreviation."""
    symbol = "".join(c for c in unicodedata.normalize("NFKC", name) if c.isalnum())
    return _PLURAL.sub("", symbol)
