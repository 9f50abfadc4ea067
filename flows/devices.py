"""Devices that the user names."""

from __future__ import annotations


def check_device(name: str, precision: str = "auto") -> None:
    """A device that was named must be there; ``auto`` and ``cpu`` always are.

    Raises:
        ModelError: it is not.
    """
    if name not in {"auto", "cpu"}:
        from nlp.ner.device import choose_device  # takes seconds: torch

        choose_device(name, precision)
