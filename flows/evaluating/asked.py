"""What an evaluation of questions is asked to do, beside its files."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flows.work import file_sha256
from nlp.qa import QA_VERSION
from nlp.qa.styles import STYLES_FILE

MULTIPLE_CHOICE, YES_NO_MAYBE = "multiple_choice", "yes_no_maybe"
"""Tasks of questions."""


@dataclass(frozen=True)
class Asked:
    """How a model is asked questions.

    Attributes:
        task: ``multiple_choice`` or ``yes_no_maybe``.
        model: a folder or ``hub:owner/name@revision``.
        style: a name of ``nlp/qa/styles.toml``; None = that of the file's form.
        shots: so many questions of ``shots_from``, with their answers, stand before each.
        shots_from: a file of questions.
        first_option: what a MedMCQA file counts options from where nothing in it tells.
        harness: run lm-evaluation-harness too.
    """

    task: str
    model: str
    style: str | None = None
    shots: int = 0
    shots_from: Path | None = None
    first_option: int | None = None
    harness: bool = False

    def described(self) -> dict[str, Any]:
        """What of it decides the figures besides questions and model."""
        return {
            "version": QA_VERSION,
            "task": self.task,
            "styles": hashlib.sha256(STYLES_FILE.read_bytes()).hexdigest(),
            "style": self.style,
            "shots": self.shots,
            "shots_sha256": file_sha256(self.shots_from) if self.shots_from else None,
        }
