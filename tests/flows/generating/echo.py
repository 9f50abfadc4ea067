"""A task without a model: it writes the first word of each document, and one passage of it.

``deadly`` documents end their process, ``bad`` ones are rejects.
"""

from __future__ import annotations

import hashlib
import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import polars as pl

from flows.generating.schema import GENERATION_SOURCES, GENERATIONS, ITEM_SCHEMA
from flows.generating.task import GenerationRequest, GenerationSet, Produced, described
from flows.warehouse.connection import Connection

BATCH = 3
DEADLY, BAD, SLOW = "deadly", "bad", "slow"
REASON = "the model has no answer to it"


@dataclass(frozen=True)
class EchoWorker:
    """Echo with its model loaded, so to speak."""

    made: GenerationSet

    def carry_out(self, items: pl.DataFrame, progress: Callable[[int], None]) -> Produced:
        """Echo items in small batches."""
        texts, sources, rejects = [], [], []
        for row, item in enumerate(items.iter_rows(named=True)):
            text = json.loads(item["input"])["text"]
            if DEADLY in text:
                os.kill(os.getpid(), signal.SIGKILL)
            if SLOW in text:
                time.sleep(0.2)
            if BAD in text:
                rejects.append((row, REASON))
                continue
            word = text.split()[0]
            keys = {"generation_id": self.made.generation_id, "item_id": item["item_id"]}
            texts.append(
                keys
                | {name: item[name] for name in ("document_id", "person_id")}
                | {
                    "task": self.made.task,
                    "text": word,
                    "finish_reason": "length" if len(word) > 5 else "stop",
                    "model": self.made.model,
                    "parameters": self.made.parameters,
                    "prompt_tokens": len(text),
                    "completion_tokens": len(word),
                    "truncated_tokens": max(0, len(text) - 40),
                    "calls": 1,
                    "seconds": 0.0,
                    "is_generated": True,
                }
            )
            sources.append(
                keys
                | {"number": 1, "document_id": item["document_id"], "start_char": 0}
                | {"end_char": len(word), "score": 1.0, "is_cited": True}
            )
            if (row + 1) % BATCH == 0:
                progress(row + 1)
        progress(len(items))
        frames = {
            GENERATIONS.name: pl.DataFrame(texts, GENERATIONS.schema),
            GENERATION_SOURCES.name: pl.DataFrame(sources, GENERATION_SOURCES.schema),
        }
        return Produced(frames, rejects, 0.5)


@dataclass(frozen=True)
class Echo:
    """The task; ``version`` stands for its model."""

    name: str = "text"
    version: str = "1"

    def identify(self, request: GenerationRequest) -> GenerationSet:
        """A set by version and inputs."""
        parameters = described({"inputs": dict(request.inputs), "version": self.version})
        digest = hashlib.sha256(parameters.encode()).hexdigest()[:16]
        return GenerationSet(
            f"gen-{digest}", self.name, f"echo-{self.version}", digest, None, None, None, parameters
        )

    def items(self, connection: Connection, request: GenerationRequest) -> Iterator[pl.DataFrame]:
        """An item a document, in small frames, streamed."""
        reader = connection.execute(
            "SELECT document_id, person_id, text FROM documents WHERE NOT is_deleted "
            f"AND text IS NOT NULL AND ({request.where}) ORDER BY document_id"
        )
        while rows := reader.fetchmany(4):
            yield pl.DataFrame(
                [
                    {
                        "item_id": document_id,
                        "document_id": document_id,
                        "person_id": person_id,
                        "source_hash": hashlib.sha256(text.encode()).hexdigest(),
                        "characters": len(text),
                        "input": json.dumps({"text": text}),
                    }
                    for document_id, person_id, text in rows
                ],
                ITEM_SCHEMA,
            )

    def load(self, request: GenerationRequest) -> EchoWorker:
        """Nothing to load."""
        return EchoWorker(self.identify(request))
