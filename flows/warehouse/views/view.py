"""How a view is declared."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, field


@dataclass(frozen=True)
class View:
    """A view: what it shows and the query that makes it.

    ``columns`` has the meanings of those columns that are not simply one of a table's.
    """

    name: str
    meaning: str
    query: str
    columns: dict[str, str] = field(default_factory=dict)

    def reads(self, tables: Collection[str]) -> bool:
        """Whether the query names one of these tables."""
        return not set(re.findall(r"\w+", self.query)).isdisjoint(tables)
