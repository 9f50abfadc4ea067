"""Errors of models and of the devices they run on."""

from __future__ import annotations


class ModelError(ValueError):
    """A model is missing, damaged or no token classifier; the message says what to do."""


class DeviceError(RuntimeError):
    """The forward pass failed: out of memory or a broken device, never a document's fault."""


class TrainingError(ValueError):
    """A model cannot be trained from what was given; the message says what to do."""
