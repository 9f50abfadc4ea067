"""The form of a file of a prompt template: what may be written there, and what is wrong with it.

docs/generation.md tells users the same.
"""

from __future__ import annotations

import re
import string
from collections.abc import Mapping, Sequence
from typing import Any

from nlp.generation.errors import GenerationError
from nlp.generation.rendering import CONTINUATION, INSTRUCTION, PARTS, Input, Template, Words

_NAME = re.compile(r"[a-z0-9][a-z0-9_.-]*")
_INPUT = re.compile(r"[a-z][a-z0-9_]*(:[a-z][a-z0-9_.]*)?")
_TASK = re.compile(r"[a-z][a-z_]*")
_KEYS = (
    *("name", "version", "task", "meaning", "style", "inputs", "system", "prompt", "merge"),
    *("long_input", "stop", "max_new_tokens"),
)
_REQUIRED = ("name", "version", "task", "meaning", "inputs", "prompt")


def parse_template(raw: Mapping[str, Any], file: str) -> Template:
    """A template from the values of its file, named ``file`` in errors.

    Raises:
        GenerationError: a key is unknown, missing or has an unfit value.
    """
    reader = _Reader(raw, file)
    reader.check_keys(raw, _KEYS, "")
    for key in _REQUIRED:
        if key not in raw:
            raise reader.error(key, "it is missing")
    inputs = reader.inputs()
    prompt, system = reader.words("prompt"), reader.words("system")
    merge = reader.words("merge") if "merge" in raw else None
    template = Template(
        name=reader.text("name", _NAME),
        version=reader.number("version"),
        task=reader.text("task", _TASK),
        meaning=reader.text("meaning"),
        style=reader.style(),
        inputs=inputs,
        system=system,
        prompt=prompt,
        merge=merge,
        long_input=reader.text("long_input") if "long_input" in raw else None,
        stop=reader.strings("stop"),
        max_new_tokens=reader.number("max_new_tokens", 128),
    )
    _check_gaps(template, reader)
    return template.fingerprinted()


def _check_gaps(template: Template, reader: _Reader) -> None:
    known = {entry.name for entry in template.inputs}
    if not template.prompt.pieces:
        raise reader.error("prompt", "it is empty")
    for key, words, more in (
        ("prompt", template.prompt, set[str]()),
        ("system", template.system, set[str]()),
        ("merge", template.merge, {PARTS}),
    ):
        unknown = sorted((words.gaps if words else set()) - known - more)
        if unknown:
            raise reader.error(key, f"{{{unknown[0]}}} is none of its inputs")
    if PARTS in known:
        raise reader.error(f"inputs.{PARTS}", "this name is kept for the merge prompt")
    used = template.prompt.gaps | template.system.gaps | (template.merge or template.prompt).gaps
    for name in sorted(known - used):
        raise reader.error(f"inputs.{name}", "no prompt has a place for it")
    if (template.merge is None) != (template.long_input is None):
        raise reader.error("long_input", "merge and long_input go together")
    if template.merge is None:
        return
    if PARTS not in template.merge.gaps:
        raise reader.error("merge", f"it has no {{{PARTS}}}")
    if template.long_input not in template.prompt.gaps:
        raise reader.error("long_input", "it is no input that prompt has a place for")
    if template.long_input in template.merge.gaps | template.system.gaps:
        raise reader.error(
            "merge", f"the whole of {{{template.long_input}}} can stand in prompt alone"
        )


class _Reader:
    """Checked values of one file."""

    def __init__(self, raw: Mapping[str, Any], file: str) -> None:
        self._raw = raw
        self._file = file

    def error(self, key: str, problem: str) -> GenerationError:
        return GenerationError(f"prompt {self._file}: key `{key}`: {problem}")

    def check_keys(self, raw: Mapping[str, Any], known: Sequence[str], within: str) -> None:
        for key in raw:
            if key not in known:
                raise self.error(f"{within}{key}", f"unknown key; known: {', '.join(known)}")

    def text(self, key: str, form: re.Pattern[str] | None = None) -> str:
        value = self._raw[key]
        if not isinstance(value, str) or not value.strip() or "\n" in value:
            raise self.error(key, "it must be one line of text")
        if form and not form.fullmatch(value):
            raise self.error(key, "it may have small letters, digits, hyphens and underscores only")
        return value

    def number(self, key: str, default: int = 1) -> int:
        value = self._raw.get(key, default)
        if not isinstance(value, int) or isinstance(value, bool) or value < 1:
            raise self.error(key, "it must be a whole number from 1")
        return value

    def style(self) -> str:
        value = self._raw.get("style", INSTRUCTION)
        if value not in (INSTRUCTION, CONTINUATION):
            raise self.error("style", f"it must be {INSTRUCTION} or {CONTINUATION}")
        return str(value)

    def strings(self, key: str) -> tuple[str, ...]:
        values = self._raw.get(key, [])
        if not isinstance(values, list) or not all(isinstance(v, str) and v for v in values):
            raise self.error(key, "it must be a list of texts, none of them empty")
        return tuple(values)

    def inputs(self) -> tuple[Input, ...]:
        raw = self._raw["inputs"]
        if not isinstance(raw, dict) or not raw:
            raise self.error("inputs", "it must be tables such as [inputs.text]")
        return tuple(self._input(name, value) for name, value in raw.items())

    def _input(self, name: str, raw: Any) -> Input:
        key = f"inputs.{name}"
        if not _INPUT.fullmatch(name):
            raise self.error(key, "an input is named as text, or as section:assessment")
        if not isinstance(raw, dict):
            raise self.error(key, "it must be a table with meaning, and default if it has one")
        self.check_keys(raw, ["meaning", "default"], f"{key}.")
        meaning, default = raw.get("meaning"), raw.get("default")
        if not isinstance(meaning, str) or not meaning.strip() or "\n" in meaning:
            raise self.error(f"{key}.meaning", "it must be one line of text")
        if default is not None and not isinstance(default, str):
            raise self.error(f"{key}.default", "it must be text")
        return Input(name, meaning, default)

    def words(self, key: str) -> Words:
        value = self._raw.get(key, "")
        if not isinstance(value, str):
            raise self.error(key, "it must be text")
        pieces: list[tuple[str, str | None]] = []
        try:
            for text, name, after_colon, conversion in string.Formatter().parse(value.strip()):
                if conversion:
                    raise ValueError("a gap is {name}")
                if name is not None and after_colon:
                    name = f"{name}:{after_colon}"
                if name is not None and not _INPUT.fullmatch(name):
                    raise ValueError("a gap is {name}")
                pieces.append((text, name))
        except ValueError as error:  # the words of string.Formatter tell about braces alone
            raise self.error(
                key, f"{error}; write {{name}} for an input, and {{{{ or }}}} for a brace"
            ) from None
        return Words(tuple(pieces))
