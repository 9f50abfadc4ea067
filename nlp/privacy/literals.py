"""Values that a document's metadata states as identifiers, looked for in its texts."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from nlp.privacy.finding import Finding

FEWEST_CHARACTERS = 4
_NOT_SOUGHT = frozenset({"name", "date", "age"})
"""Names and dates have rules of their own."""

_YEAR = re.compile(r"(?:19|20)\d\d")


def literals_of(kind: str, value: str) -> Iterator[tuple[str, str]]:
    """What of a value of metadata is worth to be looked for: kind and value, in lower case.

    It has a digit and four characters or more, and is no year. Of a reference (``Patient/4471``)
    what follows the last stroke counts by itself.
    """
    if kind in _NOT_SOUGHT:
        return
    whole = value.strip()
    for part in {whole, whole.rpartition("/")[2]}:
        if (
            len(part) >= FEWEST_CHARACTERS
            and any(letter.isdigit() for letter in part)
            and _YEAR.fullmatch(part) is None
        ):
            yield kind, part.lower()


class Literals:
    """Values of one document."""

    def __init__(self, literals: Collection[tuple[str, str]]) -> None:
        """Index kinds and values in lower case; of a value with two kinds the last counts."""
        self._kinds = {value: kind for kind, value in literals}
        either = "|".join(map(re.escape, sorted(self._kinds, key=lambda v: (-len(v), v))))
        self._pattern = (
            re.compile(rf"(?<![^\W_])(?<!\d[.,])(?:{either})(?![^\W_]|[.,]\d)", re.IGNORECASE)
            if either
            else None
        )

    def find(self, text: str) -> Iterator[Finding]:
        """Where they stand as words, in any case."""
        for match in self._pattern.finditer(text) if self._pattern else ():
            kind = self._kinds.get(match.group().lower())
            if kind is not None:
                yield Finding(*match.span(), kind, f"{kind}:metadata_value", 0.95)
