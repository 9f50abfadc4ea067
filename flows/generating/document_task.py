"""What the tasks have in common that write one text about each document."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

import polars as pl

from flows.errors import UsageError
from flows.generating.chosen import Chosen
from flows.generating.document_items import document_items
from flows.generating.document_worker import DocumentWorker
from flows.generating.documents import is_of_documents
from flows.generating.identity import described_sampling, identify_set, sampling_of
from flows.generating.models import identify_model, is_endpoint, open_text_model
from flows.generating.task import GenerationRequest, GenerationSet
from flows.warehouse.connection import Connection


class DocumentTask:
    """A task with a template for each kind of document; items are documents."""

    name: ClassVar[str]

    def choose(self, request: GenerationRequest) -> Chosen:
        """The templates.

        Raises:
            CharthouseError: none is named, or it cannot be used.
        """
        raise NotImplementedError

    def identify(self, request: GenerationRequest) -> GenerationSet:
        """Check model, prompt and inputs, and fingerprint all that decides the texts.

        Raises:
            CharthouseError: one of them cannot be used.
        """
        chosen = self.choose(request)
        _check_inputs(chosen, request)
        parameters = described_sampling(request.settings.generation) | chosen.described
        if is_endpoint(request.settings):
            endpoint = request.settings.endpoint
            parameters["endpoint"] = {"chat": endpoint.chat, "context": endpoint.context}
        if request.inputs:
            parameters["inputs"] = dict(request.inputs)
        model = identify_model(request.settings)
        return identify_set(self.name, model, chosen.only, parameters, chosen.sha256)

    def items(self, connection: Connection, request: GenerationRequest) -> Iterator[pl.DataFrame]:
        """The chosen documents that have a text; of those without characters, rejects are made."""
        chosen = self.choose(request)
        return document_items(connection, request.where, chosen, request.inputs)

    def load(self, request: GenerationRequest) -> DocumentWorker:
        """Load the model."""
        sampling = sampling_of(request.settings.generation)
        return DocumentWorker(
            self.identify(request),
            self.choose(request),
            open_text_model(request.settings),
            sampling,
        )


def _check_inputs(chosen: Chosen, request: GenerationRequest) -> None:
    for template in set(chosen.by_kind.values()):
        known = [entry.name for entry in template.inputs]
        if unknown := sorted(set(request.inputs) - set(known)):
            raise UsageError(
                f"prompt {template.name} has no input {', '.join(unknown)}",
                f"Its inputs: {', '.join(known)}",
            )
        missing = [
            entry.name
            for entry in template.inputs
            if entry.default is None
            and entry.name not in request.inputs
            and not is_of_documents(entry.name)
        ]
        if missing:
            raise UsageError(
                f"prompt {template.name} needs the input {', '.join(missing)}",
                f"Give it as --input {missing[0]}=VALUE",
            )
