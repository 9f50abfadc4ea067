"""Relations between mentions: classified, or read from sentences that a model wrote."""

RELATIONS_VERSION = 1
"""Raised by hand when the same model and mentions give other relations."""
