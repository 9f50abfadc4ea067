"""A language model that writes relations as sentences, and the reading of them."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from nlp.generation.completion import LENGTH, Sampling, TextModel
from nlp.generation.template import Template, render
from nlp.generation.written import Written
from nlp.relations.patterns import Patterns
from nlp.relations.statements import read_statements
from nlp.relations.text import Relation, RelationText

TEXT = "text"
"""The input of a relation prompt."""


@dataclass(frozen=True)
class WrittenRelations:
    """What a model wrote of a document, what it states, and statements that nobody can place."""

    written: Written
    relations: tuple[Relation, ...]
    unparsed: int


@dataclass(frozen=True)
class RelationWriter:
    """A model with its prompt and the patterns of its sentences."""

    model: TextModel
    template: Template
    patterns: Patterns
    sampling: Sampling

    def find(
        self, texts: Sequence[RelationText], threshold: float | None = None
    ) -> list[list[Relation]]:
        """As of a classifier: only what was stated with the threshold's score at least."""
        return [
            [r for r in said.relations if threshold is None or r.score >= threshold]
            for said in self.write(texts)
        ]

    def write(
        self,
        texts: Sequence[RelationText],
        keys: Sequence[str] | None = None,
        progress: Callable[[int], None] | None = None,
    ) -> list[WrittenRelations]:
        """Let the model write about each text, and read it.

        Args:
            texts: with mentions and concepts.
            keys: of each, for drawn tokens.
            progress: is told how many are written.

        Raises:
            DeviceError: the device failed.
            GenerationError: a prompt does not fit, or the endpoint does not answer.
        """
        named = keys if keys is not None else [str(number) for number in range(len(texts))]
        prompts = [
            render(self.template, {TEXT: text.text}, key)
            for text, key in zip(texts, named, strict=True)
        ]
        completions = self.model.generate(prompts, self.sampling, progress)
        found = []
        for text, completion in zip(texts, completions, strict=True):
            score = math.exp(completion.score) if completion.score is not None else math.nan
            read = read_statements(completion.text, text, self.patterns, score)
            unparsed = read.unparsed
            # A sentence that was cut off in the middle of a name may name another thing.
            relations = read.relations
            if completion.finish_reason == LENGTH:
                whole = read_statements(_ended(completion.text, self.patterns), text, self.patterns)
                lost = len(relations) - len(whole.relations)
                kept = {(r.subject, r.relation, r.object) for r in whole.relations}
                relations = tuple(r for r in relations if (r.subject, r.relation, r.object) in kept)
                unparsed += max(lost, 0)
            found.append(
                WrittenRelations(
                    Written(
                        completion.text,
                        completion.finish_reason,
                        completion.prompt_tokens,
                        completion.completion_tokens,
                        completion.truncated_tokens,
                        1,
                        completion.score,
                    ),
                    relations,
                    unparsed,
                )
            )
        return found


def _ended(written: str, patterns: Patterns) -> str:
    """A text up to the last mark between its statements."""
    return written[: max((written.rfind(mark) for mark in patterns.split), default=-1) + 1]
