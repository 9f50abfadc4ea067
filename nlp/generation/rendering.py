"""A prompt template: words with named gaps, and what belongs into each gap."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, replace

from nlp.generation.completion import Prompt, Sampling
from nlp.generation.errors import GenerationError

PARTS = "parts"
"""The gap of a ``merge`` prompt that holds the texts made of the parts."""

INSTRUCTION, CONTINUATION = "instruction", "continuation"
"""Styles: a request to a model that follows instructions; a text for a bare model to go on with."""


@dataclass(frozen=True)
class Words:
    """Words of a prompt as (literal text, name of the gap after it or None)."""

    pieces: tuple[tuple[str, str | None], ...]

    @property
    def gaps(self) -> frozenset[str]:
        """Names of the gaps."""
        return frozenset(name for _, name in self.pieces if name is not None)

    def fill(self, values: Mapping[str, str]) -> str:
        """Put values into the gaps; braces in a value are only braces."""
        filled = (text + ("" if name is None else values[name]) for text, name in self.pieces)
        return "".join(filled).strip()


@dataclass(frozen=True)
class Input:
    """A named input: what it means, and its value where none is given (None: it is required)."""

    name: str
    meaning: str
    default: str | None = None


@dataclass(frozen=True)
class Template:
    """A prompt template, as read from its file.

    Attributes:
        name: how it is asked for, and what ``generations.prompt`` says.
        version: raised by hand when its words change.
        task: the task of ``charthouse generate`` that it is for.
        meaning: one line on what it asks for.
        style: :data:`INSTRUCTION` or :data:`CONTINUATION`.
        inputs: its inputs, in the order of the file.
        system: put first; see :class:`Prompt`.
        prompt: the request itself.
        merge: the request that makes one text of the texts of parts; None where there is none,
            and a long document is cut short.
        long_input: the input that is cut into parts; none without ``merge``.
        stop: the completion ends before any of these strings.
        max_new_tokens: bound on the completion where the settings name none.
        sha256: fingerprint of all of the above but comments and layout of the file.
    """

    name: str
    version: int
    task: str
    meaning: str
    style: str
    inputs: tuple[Input, ...]
    system: Words
    prompt: Words
    merge: Words | None = None
    long_input: str | None = None
    stop: tuple[str, ...] = ()
    max_new_tokens: int = 128
    sha256: str = ""

    def fingerprinted(self) -> Template:
        """The same with its ``sha256``."""
        content = asdict(self)
        del content["sha256"]
        text = json.dumps(content, sort_keys=True, ensure_ascii=False)
        return replace(self, sha256=hashlib.sha256(text.encode()).hexdigest())

    def check_inputs(self, given: Collection[str]) -> None:
        """See that the named inputs are known, and all required ones among them.

        Raises:
            GenerationError: they are not; names the inputs, never their values.
        """
        known = {entry.name for entry in self.inputs}
        listed = ", ".join(entry.name for entry in self.inputs)
        unknown = sorted(set(given) - known)
        if unknown:
            raise GenerationError(
                f"prompt {self.name}: it has no input {', '.join(unknown)}; its inputs: {listed}"
            )
        required = [entry.name for entry in self.inputs if entry.default is None]
        missing = [name for name in required if name not in given]
        if missing:
            raise GenerationError(
                f"prompt {self.name}: input {', '.join(missing)} is missing; it has no default"
            )

    def values(self, inputs: Mapping[str, str]) -> dict[str, str]:
        """Given inputs and the defaults of the others.

        Raises:
            GenerationError: an input is unknown or missing.
        """
        self.check_inputs(inputs)
        return {entry.name: inputs.get(entry.name, entry.default or "") for entry in self.inputs}

    def sampling(self, sampling: Sampling, max_new_tokens: int = 0) -> Sampling:
        """The sampling with this template's stop strings and bound; a bound above 0 goes first."""
        return replace(
            sampling,
            stop=(*self.stop, *(text for text in sampling.stop if text not in self.stop)),
            max_new_tokens=max_new_tokens or self.max_new_tokens,
        )


def render(template: Template, inputs: Mapping[str, str], key: str = "") -> Prompt:
    """The prompt of some inputs.

    White space at its ends is left out: a byte-level vocabulary has other tokens for a word after
    a space, and a prompt that ends in one asks for what was never seen in training.

    Raises:
        GenerationError: an input is unknown or missing.
    """
    values = template.values(inputs)
    return Prompt(template.prompt.fill(values), template.system.fill(values), key)


def render_merge(
    template: Template, parts: str, inputs: Mapping[str, str], key: str = ""
) -> Prompt:
    """The prompt that makes one text of the texts of parts.

    Raises:
        GenerationError: an input is unknown or missing, or the template has no ``merge``.
    """
    if template.merge is None:
        raise GenerationError(f"prompt {template.name}: it has no merge prompt for long inputs")
    values = template.values(inputs)
    return Prompt(template.merge.fill({**values, PARTS: parts}), template.system.fill(values), key)
