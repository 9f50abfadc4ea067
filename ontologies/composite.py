"""Names of several things at once: *breast and ovarian cancer*.

A mention has one concept, and a coordination names two or more. Where no name says them together
the first of them is what the mention is linked to. The reading is that of Wei et al. 2015
(SimConcept, doi:10.1109/JBHI.2015.2422651) cut down to its commonest form: modifiers joined before
one head, or whole names joined.
"""

from __future__ import annotations

import re

_JOINED = re.compile(r"\s+(?:and/or|and|or|as well as)\s+|\s*[,/]\s*")
_MODIFIERS = re.compile(
    r"(?P<first>[^\s,/]+)(?:\s+(?:and/or|and|or)\s+|\s*/\s*)(?P<second>[^\s,/]+)\s+(?P<head>\S.*)"
)

MOST_PARTS = 4
"""Names joined by more are lists, whose first part says little of the whole."""


def parts(name: str) -> tuple[str, ...]:
    """The names that a coordinated name joins, first things first; none where it joins none.

    *breast and ovarian cancer* gives *breast cancer* and *ovarian cancer*; *fever, chills and
    rash* gives the three. Case and spelling stay as they are.
    """
    match = _MODIFIERS.fullmatch(name.strip())
    if match and not _JOINED.search(head := match["head"]):
        return f"{match['first']} {head}", f"{match['second']} {head}"
    whole = [part for part in _JOINED.split(name) if part]
    # A comma alone is an inverted name more often than a list: "Emerin, deficiency".
    listed = 1 < len(whole) <= MOST_PARTS and len(whole) > name.count(",") + 1
    return tuple(dict.fromkeys(whole)) if listed else ()
