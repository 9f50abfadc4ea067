"""The language model of the settings: checked and named without its weights, then loaded.

A folder, ``hub:owner/name@revision``, or ``endpoint:NAME``.
"""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

from flows.errors import CharthouseError, UsageError

if TYPE_CHECKING:
    from flows.settings import Settings
    from nlp.generation.completion import TextModel
    from nlp.ner.source import ModelSource

ENDPOINT = "endpoint:"
"""Begins the names of models behind ``endpoint.url``."""

_CHAT_FILES = ("chat_template.jinja", "chat_template.json")


def model_name(settings: Settings) -> str:
    """The model as it was asked for.

    Raises:
        UsageError: none was.
    """
    if not settings.generation.model:
        raise UsageError(
            "no language model is named",
            "Give --model: a folder, hub:owner/name@revision, or endpoint:NAME",
        )
    return settings.generation.model


def is_endpoint(settings: Settings) -> bool:
    """Whether a server writes."""
    return model_name(settings).startswith(ENDPOINT)


def identify_model(settings: Settings) -> tuple[str, str]:
    """Name and fingerprint of the model, checked at the door.

    Raises:
        CharthouseError: it cannot be found, is no causal language model, or its server may not or
            cannot be asked.
    """
    name = model_name(settings)
    if is_endpoint(settings):
        from flows.generating.endpoint import check_endpoint, endpoint_fingerprint

        for warning in check_endpoint(name, settings.endpoint):
            print(f"Warning: {warning}", file=sys.stderr, flush=True)
        return name, endpoint_fingerprint(name, settings.endpoint)
    from nlp.generation.source import text_model_fingerprint
    from nlp.ner.errors import ModelError

    try:
        source = _source(settings)
        return source.name, text_model_fingerprint(source)
    except ModelError as error:
        raise CharthouseError(str(error)) from None


def takes_chat(settings: Settings) -> bool:
    """Whether the model has a chat template, and so was taught to follow instructions.

    Raises:
        CharthouseError: the model cannot be found.
    """
    if is_endpoint(settings):
        return settings.endpoint.chat
    from nlp.generation.source import check_causal
    from nlp.ner.errors import ModelError

    try:
        folder = check_causal(_source(settings)).tokenizer
        if any((folder / name).is_file() for name in _CHAT_FILES):
            return True
        config = folder / "tokenizer_config.json"
        return config.is_file() and bool(json.loads(config.read_text("utf-8")).get("chat_template"))
    except ModelError as error:
        raise CharthouseError(str(error)) from None
    except (OSError, ValueError, AttributeError):
        raise CharthouseError(
            f"model {model_name(settings)}: its tokenizer_config.json cannot be read"
        ) from None


def open_text_model(settings: Settings) -> TextModel:
    """Load the model onto its device, or connect to its server.

    Raises:
        CharthouseError: it cannot be found or asked.
        ModelError: its files cannot be loaded.
    """
    if is_endpoint(settings):
        from flows.generating.endpoint import open_endpoint

        return open_endpoint(model_name(settings), settings.endpoint)
    from nlp.generation.device import choose_text_device
    from nlp.generation.model import load_text_model

    chosen = settings.generation
    device = choose_text_device(chosen.device, chosen.precision)
    return load_text_model(_source(settings), device, batch_tokens=chosen.batch_tokens)


def _source(settings: Settings) -> ModelSource:
    from nlp.generation.source import find_text_model

    return find_text_model(model_name(settings))
