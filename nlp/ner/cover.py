"""Which characters of a text are taken."""

from __future__ import annotations


class Cover:
    """Characters that spans have taken; a byte each, so that a span costs its own length."""

    def __init__(self) -> None:
        """None is taken yet."""
        self._taken = bytearray()

    def take(self, start: int, end: int) -> bool:
        """Take a span unless a character of it is taken already; says whether it was."""
        if self._taken.find(1, start, end) >= 0:
            return False
        if end > len(self._taken):
            self._taken.extend(bytes(max(end, 2 * len(self._taken)) - len(self._taken)))
        self._taken[start:end] = b"\1" * (end - start)
        return True
