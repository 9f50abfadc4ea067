"""The language model that settings name: files here, or a server."""

from __future__ import annotations

import sys
from dataclasses import dataclass

from flows.errors import CharthouseError
from flows.settings import Settings
from nlp.errors import UNUSABLE
from nlp.generation.completion import Completion, Progress, Prompt, Sampling, TextModel

ENDPOINT = "endpoint:"


@dataclass(frozen=True)
class ModelIdentity:
    """What tables say of a model."""

    name: str
    fingerprint: str


def identify_model(settings: Settings) -> ModelIdentity:
    """See at the door that the model of ``generation.model`` can be used, without its weights.

    An endpoint is asked whether it is there. What should be known before texts are sent to it goes
    to standard error.

    Raises:
        CharthouseError: there is none, its files cannot be used, or the endpoint may not or does
            not answer.
    """
    name = _name(settings)
    if name.startswith(ENDPOINT):
        from flows.generating.endpoint import check_endpoint, endpoint_fingerprint

        for warning in check_endpoint(name, settings.endpoint):
            print(f"Warning: {warning}", file=sys.stderr, flush=True)
        return ModelIdentity(name, endpoint_fingerprint(name, settings.endpoint))
    from nlp.generation.source import find_text_model, text_model_fingerprint

    try:
        source = find_text_model(name)
        return ModelIdentity(source.name, text_model_fingerprint(source))
    except UNUSABLE as error:
        raise CharthouseError(str(error)) from None


def open_model(settings: Settings) -> TextModel:
    """Load the model of ``generation.model``, or prepare to ask its endpoint.

    Raises:
        CharthouseError: there is none, or the endpoint is not allowed.
        ModelError: its files cannot be used.
        DeviceError: the device is not there.
    """
    name = _name(settings)
    if name.startswith(ENDPOINT):
        from flows.generating.endpoint import open_endpoint

        return open_endpoint(name, settings.endpoint)
    from nlp.generation.model import load_text_model
    from nlp.generation.source import find_text_model
    from nlp.ner.device import choose_device

    generation = settings.generation
    device = choose_device(generation.device, generation.precision)
    return load_text_model(find_text_model(name), device, batch_tokens=generation.batch_tokens)


def complete_each(
    model: TextModel,
    prompts: list[Prompt],
    sampling: Sampling,
    progress: Progress | None = None,
) -> list[Completion | str]:
    """Complete each prompt, in input order; one that fails alone gives the reason, without text.

    Raises:
        GenerationError: nothing can be made with these settings, or the endpoint cannot be used.
        DeviceError: the forward pass failed.
    """
    from flows.generating.endpoint import EndpointModel
    from flows.generating.endpoint_requests import Failure

    if not isinstance(model, EndpointModel):
        return list(model.generate(prompts, sampling, progress))
    results = model.complete_each(prompts, sampling, progress)
    return [result.reason if isinstance(result, Failure) else result for result in results]


def _name(settings: Settings) -> str:
    if not settings.generation.model:
        raise CharthouseError(
            "setting generation.model is missing",
            "Give --model a folder, hub:owner/name@revision or endpoint:NAME",
        )
    return settings.generation.model
