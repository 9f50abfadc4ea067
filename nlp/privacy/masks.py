"""Masks: what says that something was here, and nothing of what it was."""

from __future__ import annotations

import re

_LABELS = {"other": "ID"}
_VISIBLE = re.compile(r"[^\n\r]")


def label_mask(kind: str, value: str) -> str:
    """``[NAME]``, ``[DATE]``, ``[HEALTH_PLAN]``, ... whatever the value was."""
    return f"[{_LABELS.get(kind, kind.upper())}]"


def same_length_mask(kind: str, value: str) -> str:
    """As many ``*`` as the value has characters; line ends stay, so that lines do."""
    return _VISIBLE.sub("*", value)
