"""docs/cli.md: commands with their arguments, options, defaults, examples, from Typer's tree."""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import typer.main
from page_parts import rows_of

from flows.cli.main import app

INTRODUCTION = """\
# Commands

For whoever gives `charthouse` a command by hand or in a script: all of them, as `--help` shows
them.

Every command has `--help`, and `charthouse --version` prints the version. Options of `run` win over
[environment variables and files](configuration.md), which hold for other commands too. Tables can
be had as JSON where there is `--json`; progress goes to standard error.

| exit code | meaning |
| --- | --- |
| 0 | all done |
| 1 | failed: one line on standard error says what is wrong and what to do |
| 2 | wrong usage: an unknown command or option, a bad value, something left out |
| 3 | done, and this run has new rejects |
| 130 | interrupted |

`doctor` with a finding and `check` with a breach end with 1 too.
"""

_KINDS = {str: "text", int: "whole number", float: "number", Path: "path"}
_EXAMPLE = re.compile(r"^Examples?:\s*", re.IGNORECASE)
_HINT = re.compile(r"\s*\(default: (.*)\)$")


def commands() -> Iterator[tuple[str, Any]]:
    """Names and commands of the tree, groups before what is in them."""

    def below(name: str, command: Any) -> Iterator[tuple[str, Any]]:
        for child, of_child in command.commands.items():
            if of_child.hidden:
                continue
            yield f"{name} {child}", of_child
            if hasattr(of_child, "commands"):
                yield from below(f"{name} {child}", of_child)

    yield from below("charthouse", typer.main.get_command(app))


def cli_page() -> str:
    """The reference of commands."""
    found = dict(commands())
    lines = [INTRODUCTION, *rows_of(("command", "what it does"), list(_contents(found)))]
    for name, command in found.items():
        lines += [f"## {name}" if name.count(" ") == 1 else f"### {name}", ""]
        lines += _help(command.help or "")
        if hasattr(command, "commands"):
            continue
        lines += _usage(name, command)
        lines += _arguments(command)
        lines += _options(command)
    return "\n".join(lines).rstrip() + "\n"


def _contents(found: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for name, command in found.items():
        first, *_ = (command.help or "").split("\n\n")
        yield f"[`{name}`](#{name.replace(' ', '-')})", " ".join(first.split())


def _help(text: str) -> list[str]:
    """Paragraphs of a help text, with its examples as a block of shell commands."""
    prose, examples = [], []
    for paragraph in text.split("\n\n"):
        words = " ".join(paragraph.split())
        if _EXAMPLE.match(words):
            examples += [_EXAMPLE.sub("", words)]
        elif words.startswith("charthouse ") and examples:
            examples += [words]
        else:
            prose += [_angles(words), ""]
    examples = [example for example in examples if example]
    return prose + (["```sh", *examples, "```", ""] if examples else [])


def _usage(name: str, command: Any) -> list[str]:
    options = [p for p in command.params if p.param_type_name == "option"]
    arguments = [p for p in command.params if p.param_type_name == "argument"]
    parts = [name, *(["[OPTIONS]"] if options else [])]
    parts += [f"{a.display_name_raw}" for a in arguments]
    return ["Usage: `" + " ".join(parts) + "`", ""]


def _arguments(command: Any) -> list[str]:
    rows = [
        (f"`{p.display_name_raw}`", *_meaning(p))
        for p in command.params
        if p.param_type_name == "argument" and not p.hidden
    ]
    return rows_of(("argument", "default", "meaning"), rows) if rows else []


def _options(command: Any) -> list[str]:
    rows = [
        (", ".join(f"`{flag}`" for flag in (*p.opts, *p.secondary_opts)), _value(p), *_meaning(p))
        for p in command.params
        if p.param_type_name == "option" and not p.hidden
    ]
    return rows_of(("option", "value", "default", "meaning"), rows) if rows else []


def _value(parameter: Any) -> str:
    """What stands after the flag: nothing for a switch."""
    if parameter.is_flag or parameter.count:
        return ""
    kind = parameter.type_descriptor.annotation
    if get_origin(kind) is list:
        (kind,) = get_args(kind)
    choices = [getattr(choice, "value", choice) for choice in _choices(kind)]
    if choices:
        return " or ".join(f"`{choice}`" for choice in choices)
    bounds = [f"at least {parameter.min}"] if parameter.min is not None else []
    bounds += [f"at most {parameter.max}"] if parameter.max is not None else []
    words = f"`{parameter.metavar}`" if parameter.metavar else _KINDS[kind]
    return ", ".join([words, *bounds])


def _choices(kind: Any) -> tuple[Any, ...]:
    if isinstance(kind, type) and issubclass(kind, Enum):
        return tuple(kind)
    return get_args(kind) if get_origin(kind) is Literal else ()


def _meaning(parameter: Any) -> tuple[str, str]:
    """Default and help; a help text may state a default that only the command knows."""
    text = " ".join((parameter.help or "").split())
    stated = _HINT.search(text)
    text = _HINT.sub("", text)
    default = parameter.default
    if parameter.param_type_name == "option" and parameter.is_flag and not parameter.secondary_opts:
        shown = ""
    elif stated:
        shown = stated[1]
    elif parameter.required:
        shown = "must be given"
    elif default is None or default in ((), []):
        shown = ""
    else:
        shown = f"`{getattr(default, 'value', default)}`"
    return _angles(shown), _angles(text)


def _angles(text: str) -> str:
    """A text in which Markdown sees no tags outside code."""
    parts = text.split("`")
    parts[::2] = [part.replace("<", "&lt;").replace("*", "\\*") for part in parts[::2]]
    return "`".join(parts)
