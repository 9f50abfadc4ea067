"""How short forms are written."""

from __future__ import annotations

LONGEST_SHORT_FORM = 8
"""Characters; what is longer is looked up as it stands."""


def is_short_form(name: str) -> bool:
    """Whether a name is written like a short form: one word of capitals, perhaps with digits."""
    if not 2 <= len(name) <= LONGEST_SHORT_FORM or any(c.isspace() for c in name):
        return False
    capitals = sum(character.isupper() for character in name)
    return capitals >= 2 or (capitals == 1 and (len(name) <= 3 or any(map(str.isdigit, name))))
