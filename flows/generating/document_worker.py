"""Writes one text about each document of a shard."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any

import polars as pl

from flows.errors import CharthouseError, kind_and_place
from flows.generating.chosen import Chosen
from flows.generating.document_items import DocumentItem, read_item
from flows.generating.schema import GENERATIONS
from flows.generating.task import GenerationSet, Produced
from nlp.errors import UNUSABLE
from nlp.generation.completion import Sampling, TextModel
from nlp.generation.condensing import Source, Written, write_about
from nlp.generation.rendering import Template

EMPTY = "its text is empty"

_FOR_ALL = (*UNUSABLE, CharthouseError)
"""Errors that concern every document."""

Progress = Callable[[int], None]
Outcome = Written | Exception


class DocumentWorker:
    """A model, the templates, and the set that rows belong to."""

    def __init__(
        self,
        made: GenerationSet,
        chosen: Chosen,
        model: TextModel,
        sampling: Sampling = Sampling(max_new_tokens=0),  # noqa: B008 - frozen
    ) -> None:
        """Take the loaded model; a bound of 0 new tokens stands for the template's."""
        self._set, self._chosen, self._model, self._sampling = made, chosen, model, sampling

    def carry_out(self, items: pl.DataFrame, progress: Progress) -> Produced:
        """Write about each item; one that fails is a reject.

        Raises:
            GenerationError: the template does not go with the model.
            ModelError: the model fails, whatever it is given.
        """
        read = [read_item(text) for text in items["input"]]
        rejects = {row: EMPTY for row, item in enumerate(read) if item.is_empty}
        rows: dict[int, dict[str, Any]] = {}
        seconds = 0.0
        done = len(rejects)
        groups: dict[Template, list[int]] = {}
        for row, item in enumerate(read):
            if row not in rejects:
                groups.setdefault(self._chosen.by_kind[item.kind], []).append(row)
        for template, places in groups.items():
            began = time.perf_counter()
            sources = [_source(template, items["item_id"][row], read[row]) for row in places]
            outcomes = self._write(template, sources, lambda n, done=done: progress(done + n))  # type: ignore[misc]
            took = time.perf_counter() - began
            seconds += took
            done += len(places)
            progress(done)
            share = took / max(1, sum(_tokens(outcome) for outcome in outcomes))
            for row, outcome in zip(places, outcomes, strict=True):
                if isinstance(outcome, Written):
                    rows[row] = self._row(template, outcome) | {"seconds": share * _tokens(outcome)}
                else:
                    rejects[row] = _reason(outcome)
        written = sorted(rows)
        frame = items.select("item_id", "document_id", "person_id")[written].hstack(
            pl.DataFrame([rows[row] for row in written], schema=_OWN)
        )
        frames = {GENERATIONS.name: GENERATIONS.conform(frame)}
        return Produced(frames, sorted(rejects.items()), seconds)

    def _write(
        self, template: Template, sources: Sequence[Source], progress: Progress
    ) -> list[Outcome]:
        """Write about documents together, or one by one where that fails.

        Raises:
            Exception: what the model raised about each of them, and of several.
        """
        sampling = template.sampling(self._sampling, self._sampling.max_new_tokens)
        try:
            return list(write_about(self._model, template, sources, sampling, progress))
        except _FOR_ALL:
            raise
        except Exception as error:
            if len(sources) == 1:
                return [error]
        outcomes: list[Outcome] = []
        for number, source in enumerate(sources):
            try:
                outcomes += write_about(self._model, template, [source], sampling)
            except _FOR_ALL:
                raise
            except Exception as error:
                outcomes.append(error)
            progress(number + 1)
        failed = [outcome for outcome in outcomes if not isinstance(outcome, Written)]
        if len(failed) == len(outcomes):
            raise failed[0]
        return outcomes

    def _row(self, template: Template, written: Written) -> dict[str, Any]:
        return {
            **asdict(written),
            "generation_id": self._set.generation_id,
            "task": self._set.task,
            "question": None,
            "model": self._set.model,
            "prompt": template.name,
            "prompt_version": template.version,
            "parameters": self._set.parameters,
            "unparsed": None,
            "is_generated": True,
        }


_OWN = {
    name: kind
    for name, kind in GENERATIONS.schema.items()
    if name not in ("item_id", "document_id", "person_id")
}


def _source(template: Template, key: str, item: DocumentItem) -> Source:
    names = tuple(entry.name for entry in template.inputs)
    return item.source(key, names, template.long_input)


def _tokens(outcome: Outcome) -> int:
    if not isinstance(outcome, Written):
        return 0
    return outcome.prompt_tokens + outcome.completion_tokens


def _reason(error: Exception) -> str:
    """Why an item failed. Words of our own errors hold no text; those of others may."""
    return str(error) if isinstance(error, UNUSABLE) else kind_and_place(error)
