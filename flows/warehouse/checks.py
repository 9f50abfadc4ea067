"""What a check of the warehouse is."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Check:
    """Something that always holds in a sound warehouse.

    ``query`` gives one row a breach, with the id of what breaches it in the column ``subject``.
    ``settled_only`` marks what holds only once the latest run has come to its end.
    """

    name: str
    meaning: str
    query: str
    settled_only: bool = False
