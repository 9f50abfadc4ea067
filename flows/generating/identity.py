"""The generation_id: what identifies a set of generated texts."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from flows.generating.schema import SET_PREFIX
from flows.generating.task import GenerationSet, described
from nlp.generation import GENERATION_VERSION
from nlp.generation.completion import Sampling
from nlp.generation.rendering import Template
from nlp.language_settings import GenerationSettings


def identify_set(
    task: str,
    model: tuple[str, str],
    template: Template | None,
    parameters: Mapping[str, Any],
    prompt_sha256: str | None = None,
) -> GenerationSet:
    """Fingerprint a task, a model, a prompt and all else that decides the text.

    Neither device nor batch size is in it, nor what the model is called.

    Args:
        task: its name.
        model: name and fingerprint.
        template: the prompt template, where there is one.
        parameters: everything else.
        prompt_sha256: of several templates, where there is not one.
    """
    sha256 = template.sha256 if template else prompt_sha256
    text = json.dumps(
        [GENERATION_VERSION, task, model[1], sha256, described(parameters)], sort_keys=True
    )
    return GenerationSet(
        generation_id=SET_PREFIX + hashlib.sha256(text.encode()).hexdigest()[:16],
        task=task,
        model=model[0],
        model_fingerprint=model[1],
        prompt=template.name if template else None,
        prompt_version=template.version if template else None,
        prompt_sha256=sha256,
        parameters=described(parameters),
    )


def sampling_of(settings: GenerationSettings) -> Sampling:
    """How tokens are chosen; a bound of 0 new tokens stands for the template's."""
    return Sampling(
        max_new_tokens=settings.max_new_tokens,
        temperature=settings.temperature,
        top_p=settings.top_p,
        top_k=settings.top_k,
        repetition_penalty=settings.repetition_penalty,
        seed=settings.seed,
        max_input_tokens=settings.max_input_tokens,
    )


def described_sampling(settings: GenerationSettings) -> dict[str, Any]:
    """What of the settings decides the text. Without draws, nothing about draws is in it."""
    found: dict[str, Any] = {
        "max_new_tokens": settings.max_new_tokens,
        "max_input_tokens": settings.max_input_tokens,
        "temperature": settings.temperature,
        "repetition_penalty": settings.repetition_penalty,
        "precision": settings.precision,
    }
    if settings.temperature:
        found |= {"top_p": settings.top_p, "top_k": settings.top_k, "seed": settings.seed}
    return found
