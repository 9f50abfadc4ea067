"""Tables of what models write: sets, ledger, texts and the passages they rest on."""

from __future__ import annotations

import polars as pl

from ontologies.table import Column, Table

SET_PREFIX = "gen-"
"""Begins every generation_id, and so tells runs and rejects of generation apart."""

_GENERATION = Column(
    "generation_id", pl.String, "fingerprint of task, model, prompt and all that decides the text"
)
_ITEM = Column(
    "item_id",
    pl.String,
    "what was asked for: a document_id; of answers the id of question and scope",
)

GENERATION_SETS = Table(
    name="generation_sets",
    meaning="What a generation_id stands for.",
    key=("generation_id",),
    columns=(
        Column("generation_id", pl.String, "fingerprint of what follows"),
        Column("task", pl.String, "summarize, answer, relations or text"),
        Column("model", pl.String, "the model's name"),
        Column(
            "model_fingerprint",
            pl.String,
            "SHA-256 of its files; of an endpoint, whose files are unseen, of the model's name "
            "there and `endpoint.revision`",
        ),
        Column("prompt", pl.String, "name of the prompt template", nullable=True),
        Column("prompt_version", pl.Int32, "its version", nullable=True),
        Column("prompt_sha256", pl.String, "of the template file", nullable=True),
        Column("parameters", pl.String, "all other settings that decide the text, as JSON"),
        Column("created_at", pl.Datetime("us"), "UTC"),
    ),
)

GENERATION_ITEMS = Table(
    name="generation_items",
    meaning="The ledger of generation: what was asked for which input, and is done.",
    key=("item_id", "generation_id"),
    columns=(
        _ITEM,
        _GENERATION,
        Column("document_id", pl.String, "the document, where it is about one", nullable=True),
        Column("person_id", pl.String, "the person, where it is about one", nullable=True),
        Column(
            "source_hash",
            pl.String,
            "SHA-256 of all that was put into the prompt: another one is generated anew",
        ),
        Column("run_id", pl.String, "the run that wrote the row"),
        Column("shard_id", pl.String, "the shard it was part of"),
        Column("status", pl.String, "done or rejected"),
    ),
)

GENERATIONS = Table(
    name="generations",
    meaning="Text written by a language model. Never a fact of the record: it may be wrong.",
    key=("generation_id", "item_id"),
    columns=(
        _GENERATION,
        _ITEM,
        Column("document_id", pl.String, "the document, where it is about one", nullable=True),
        Column("person_id", pl.String, "the person, where it is about one", nullable=True),
        Column("task", pl.String, "summarize, answer, relations or text"),
        Column("question", pl.String, "of answers: what was asked", nullable=True),
        Column("text", pl.String, "what the model wrote"),
        Column("finish_reason", pl.String, "stop (the model ended) or length (it was cut off)"),
        Column("model", pl.String, "the model's name"),
        Column("prompt", pl.String, "name of the prompt template", nullable=True),
        Column("prompt_version", pl.Int32, "its version", nullable=True),
        Column("parameters", pl.String, "as in generation_sets, JSON"),
        Column("prompt_tokens", pl.Int32, "tokens the model was given, over all of its calls"),
        Column("completion_tokens", pl.Int32, "tokens it made, over all of its calls"),
        Column("truncated_tokens", pl.Int32, "tokens of the input left out: 0 = it saw all"),
        Column("calls", pl.Int32, "times the model was asked: parts of a long text, and merging"),
        Column("seconds", pl.Float64, "its share of the model's time"),
        Column("score", pl.Float64, "mean log-probability of the made tokens, nats", True),
        Column(
            "unparsed",
            pl.Int32,
            "statements in it that could not be turned into relations; of answers numbers that it "
            "cites and no passage has; null of other tasks",
            nullable=True,
        ),
        Column("is_generated", pl.Boolean, "always true: for rows joined to texts of the record"),
    ),
)

GENERATION_SOURCES = Table(
    name="generation_sources",
    meaning="Passages that an answer was given to read, and whether it cites them.",
    key=("generation_id", "item_id", "number"),
    columns=(
        _GENERATION,
        _ITEM,
        Column("number", pl.Int32, "the number in square brackets in prompt and answer, from 1"),
        Column("document_id", pl.String, "the document the passage is from"),
        Column("start_char", pl.Int32, "first character of the passage in documents.text"),
        Column("end_char", pl.Int32, "one past its last character"),
        Column("score", pl.Float64, "how well it fits the question: BM25 plus shared concepts"),
        Column("is_cited", pl.Boolean, "whether the answer names its number"),
    ),
)

ITEM_SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    "item_id": pl.String,
    "document_id": pl.String,
    "person_id": pl.String,
    "source_hash": pl.String,
    "characters": pl.Int64,
    "input": pl.String,
}
"""A row of a shard file: keys as in ``generation_items``, the length of the input, and the input
itself as JSON, which the task that planned it understands. It may hold clinical text."""
