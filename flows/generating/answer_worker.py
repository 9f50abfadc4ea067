"""Answers the questions of a shard from their passages."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from flows.errors import CharthouseError, kind_and_place
from flows.generating.answer_items import AnswerItem, read_item
from flows.generating.citations import find_citations
from flows.generating.schema import GENERATION_SOURCES, GENERATIONS
from flows.generating.task import GenerationSet, Produced
from flows.retrieval.search import FoundPassage
from nlp.errors import UNUSABLE
from nlp.generation.completion import Completion, Prompt, Sampling, TextModel
from nlp.generation.condensing import markup_room
from nlp.generation.errors import GenerationError
from nlp.generation.rendering import Template, render

QUESTION, PASSAGES = "question", "passages"
"""Inputs of a template that are filled here."""

NOTHING_FOUND = "no passage shares a word or a concept with the question: the model was not asked"
_BETWEEN = "\n\n"
_FOR_ALL = (*UNUSABLE, CharthouseError)
"""Errors that concern every item."""

Progress = Callable[[int], None]


@dataclass(frozen=True)
class _Asked:
    """A prompt, the passages that it holds, and tokens of those that did not fit."""

    row: int
    prompt: Prompt
    passages: tuple[FoundPassage, ...]
    lost: int


class AnswerWorker:
    """A model, the template, and the set that rows belong to."""

    def __init__(
        self,
        made: GenerationSet,
        template: Template,
        model: TextModel,
        sampling: Sampling,
        inputs: Mapping[str, str],
    ) -> None:
        """Take the loaded model; a bound of 0 new tokens in ``sampling`` is the template's."""
        self._set, self._template, self._model = made, template, model
        self._sampling = template.sampling(sampling, sampling.max_new_tokens)
        self._inputs = dict(inputs)
        self._with_passages = PASSAGES in {entry.name for entry in template.inputs}

    def carry_out(self, items: pl.DataFrame, progress: Progress) -> Produced:
        """Answer each item; one without passages, or that fails, is a reject.

        Raises:
            GenerationError: the template does not go with the model, or its server is gone.
            ModelError: the model fails, whatever it is given.
        """
        read = [read_item(text) for text in items["input"]]
        rejects: dict[int, str] = {}
        if self._with_passages:
            rejects = {row: NOTHING_FOUND for row, item in enumerate(read) if not item.passages}
        answered = [row for row in range(len(read)) if row not in rejects]
        asked = self._prompts(items, read, answered)
        skipped = len(rejects)
        progress(skipped)
        began = time.perf_counter()
        answers = self._complete(
            [entry.prompt for entry in asked], lambda done: progress(skipped + done)
        )
        seconds = time.perf_counter() - began
        progress(len(items))
        share = seconds / max(1, sum(_tokens(answer) for answer in answers))
        texts, sources = [], []
        for entry, answer in zip(asked, answers, strict=True):
            if isinstance(answer, str):
                rejects[entry.row] = answer
                continue
            keys = items.row(entry.row, named=True)
            question = read[entry.row].question
            row, cited = self._row(keys, question, entry, answer)
            texts.append(row | {"seconds": share * _tokens(answer)})
            sources += self._sources(keys["item_id"], entry, cited)
        frames = {
            GENERATIONS.name: pl.DataFrame(texts, schema=GENERATIONS.schema),
            GENERATION_SOURCES.name: pl.DataFrame(sources, schema=GENERATION_SOURCES.schema),
        }
        return Produced(frames, sorted(rejects.items()), seconds)

    def _prompts(
        self, items: pl.DataFrame, read: Sequence[AnswerItem], rows: Sequence[int]
    ) -> list[_Asked]:
        """The prompts, each with as many passages, from the best on, as fit."""
        room = self._room()
        blocks = {row: [_block(n, p) for n, p in enumerate(read[row].passages, 1)] for row in rows}
        sizes = iter(self._model.count_tokens([text for row in rows for text in blocks[row]]))
        bare = [self._render(items["item_id"][row], read[row].question, []) for row in rows]
        around = self._model.count_tokens([f"{prompt.system} {prompt.text}" for prompt in bare])
        asked = []
        for row, taken in zip(rows, around, strict=True):
            of_passages = [next(sizes) for _ in blocks[row]]
            kept, used = 0, taken + markup_room(self._model)
            # The first stays whatever its size: else there is nothing to answer from. The model
            # cuts what does not fit, and says so.
            while kept < len(of_passages) and (kept == 0 or used + of_passages[kept] + 1 <= room):
                used += of_passages[kept] + 1
                kept += 1
            passages = read[row].passages[:kept]
            prompt = self._render(items["item_id"][row], read[row].question, blocks[row][:kept])
            asked.append(_Asked(row, prompt, passages, sum(of_passages[kept:])))
        return asked

    def _room(self) -> int:
        """Tokens that a prompt may have."""
        room = self._model.context - self._sampling.max_new_tokens
        if room <= markup_room(self._model):
            raise GenerationError(
                f"model {self._model.name} takes {self._model.context} tokens, of which "
                f"{self._sampling.max_new_tokens} new ones leave no room for a prompt; lower "
                "generation.max_new_tokens"
            )
        return min(room, self._sampling.max_input_tokens or room)

    def _render(self, key: str, question: str, blocks: Sequence[str]) -> Prompt:
        inputs = self._inputs | {QUESTION: question}
        if self._with_passages:
            inputs[PASSAGES] = _BETWEEN.join(blocks)
        return render(self._template, inputs, key)

    def _complete(self, prompts: list[Prompt], progress: Progress) -> list[Completion | str]:
        """Complete prompts together, or one by one where that fails; a text is why one failed.

        Raises:
            Exception: what the model raised about each of several.
        """
        try:
            return self._ask(prompts, progress)
        except _FOR_ALL:
            raise
        except Exception as error:
            if len(prompts) == 1:
                return [kind_and_place(error)]
        answers: list[Completion | str] = []
        last: Exception | None = None
        for number, prompt in enumerate(prompts):
            try:
                answers += self._ask([prompt], lambda done: None)
            except _FOR_ALL:
                raise
            except Exception as error:
                last = error
                answers.append(kind_and_place(error))  # its words may quote a prompt
            progress(number + 1)
        if last is not None and all(isinstance(answer, str) for answer in answers):
            raise last
        return answers

    def _ask(self, prompts: list[Prompt], progress: Progress) -> list[Completion | str]:
        if not prompts:
            return []
        complete_each = getattr(self._model, "complete_each", None)
        if complete_each is None:
            return list(self._model.generate(prompts, self._sampling, progress))
        return [
            answer if isinstance(answer, Completion) else str(answer.reason)
            for answer in complete_each(prompts, self._sampling, progress)
        ]

    def _row(
        self, keys: Mapping[str, Any], question: str, entry: _Asked, answer: Completion
    ) -> tuple[dict[str, Any], frozenset[int]]:
        """A row of ``generations``, and the numbers that it cites."""
        citations = find_citations(answer.text, len(entry.passages))
        row = {
            "generation_id": self._set.generation_id,
            "item_id": keys["item_id"],
            "document_id": keys["document_id"],
            "person_id": keys["person_id"],
            "task": self._set.task,
            "question": question,
            "text": answer.text.strip(),
            "finish_reason": answer.finish_reason,
            "model": self._set.model,
            "prompt": self._template.name,
            "prompt_version": self._template.version,
            "parameters": self._set.parameters,
            "prompt_tokens": answer.prompt_tokens,
            "completion_tokens": answer.completion_tokens,
            "truncated_tokens": answer.truncated_tokens + entry.lost,
            "calls": 1,
            "score": answer.score,
            "unparsed": len(citations.unknown),
            "is_generated": True,
        }
        return row, citations.given

    def _sources(self, item: str, entry: _Asked, cited: frozenset[int]) -> list[dict[str, Any]]:
        """Rows of ``generation_sources``."""
        return [
            {
                "generation_id": self._set.generation_id,
                "item_id": item,
                "number": number,
                "document_id": passage.document_id,
                "start_char": passage.start_char,
                "end_char": passage.end_char,
                "score": passage.score,
                "is_cited": number in cited,
            }
            for number, passage in enumerate(entry.passages, start=1)
        ]


def _block(number: int, passage: FoundPassage) -> str:
    """A passage as a prompt shows it, white space collapsed."""
    return f"[{number}] {' '.join(passage.text.split())}"


def _tokens(answer: Completion | str) -> int:
    return 0 if isinstance(answer, str) else answer.prompt_tokens + answer.completion_tokens
