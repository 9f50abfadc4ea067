"""Which of eight colours a label has: the same in the terminal and on the report's page."""

from __future__ import annotations

from zlib import crc32

COLOURS = 8

_USUAL = ("Disease", "Chemical", "Gene", "Species", "Anatomy", "Cell", "Procedure", "Finding")


def colour_of(label: str) -> int:
    """The number of a label's colour, from 0; a label that is not usual shares one."""
    return _USUAL.index(label) if label in _USUAL else crc32(label.encode()) % COLOURS
