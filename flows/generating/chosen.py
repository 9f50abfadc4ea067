"""Which prompt template a document is written about with."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flows.errors import CharthouseError, UsageError
from flows.generating.models import takes_chat
from flows.settings import Settings
from nlp.generation.errors import GenerationError
from nlp.generation.rendering import Template
from nlp.generation.template import load_template

KINDS = ("abstract", "article", "note")


@dataclass(frozen=True)
class Chosen:
    """A template by kind of document; often the same for all."""

    by_kind: Mapping[str, Template]

    @property
    def only(self) -> Template | None:
        """The template, where all kinds have the same."""
        templates = set(self.by_kind.values())
        return templates.pop() if len(templates) == 1 else None

    @property
    def sha256(self) -> str:
        """Of the template, or of those of all kinds together."""
        if self.only:
            return self.only.sha256
        lines = (f"{kind} {self.by_kind[kind].sha256}\n" for kind in sorted(self.by_kind))
        return hashlib.sha256("".join(lines).encode()).hexdigest()

    @property
    def described(self) -> dict[str, Any]:
        """For ``generation_sets.parameters``; nothing where the set has one template."""
        if self.only:
            return {}
        return {
            "prompts": {
                kind: {"name": t.name, "version": t.version, "sha256": t.sha256}
                for kind, t in self.by_kind.items()
            }
        }


def named_template(name: str, tasks: tuple[str, ...]) -> Template:
    """The template of a name or path.

    Raises:
        CharthouseError: it cannot be used, or is for another task.
    """
    try:
        template = load_template(name)
    except GenerationError as error:
        raise CharthouseError(str(error)) from None
    if template.task not in tasks:
        raise UsageError(
            f"prompt {template.name} is for the task {template.task}",
            f"Choose one for {' or '.join(tasks)}; charthouse prompts lists them",
        )
    return template


def for_all(template: Template) -> Chosen:
    """One template for documents of every kind."""
    return Chosen(dict.fromkeys(KINDS, template))


def choose_summaries(settings: Settings) -> Chosen:
    """Templates of summaries: the named one, or one for each kind of document.

    A model without chat template goes on with a text; it follows no instructions.

    Raises:
        CharthouseError: the named template or the model cannot be used.
    """
    if settings.generation.prompt:
        return for_all(named_template(settings.generation.prompt, ("summarize",)))
    form = "summary" if takes_chat(settings) else "continuation"
    return Chosen({kind: load_template(f"{kind}-{form}") for kind in KINDS})
