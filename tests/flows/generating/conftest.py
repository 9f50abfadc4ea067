"""Fixtures of tests about generation."""

from __future__ import annotations

from tests.flows.generating.sampled import sampled

__all__ = ["sampled"]
