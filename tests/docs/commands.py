"""A command line held against the real commands, without carrying it out."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from typing import Any

import typer.main

from flows.cli.main import app
from tests.docs.blocks import ROOT

ELSEWHERE = {
    "cat",
    "cd",
    "cp",
    "curl",
    "dask",
    "dbt",
    "docker",
    "duckdb",
    "git",
    "journalctl",
    "ls",
    "mkdir",
    "nvidia-smi",
    "openssl",
    "pip",
    "prefect",
    "psql",
    "ray",
    "setfacl",
    "systemctl",
    "tar",
    "npm",
}
"""Programs that are not charthouse's, so that their arguments are not checked here."""


@cache
def commands() -> Any:
    """The tree of charthouse's commands."""
    return typer.main.get_command(app)


def fault(words: Sequence[str]) -> str | None:
    """What is wrong with a command line, if anything."""
    program, *arguments = words
    if program == "docker" and "charthouse" in arguments:
        program, *arguments = arguments[arguments.index("charthouse") :]
    if program == "charthouse":
        return fault_of_charthouse(arguments)
    if program == "make":
        return fault_of_make(arguments)
    if program.startswith("python"):
        return fault_of_python(arguments)
    return None if program in ELSEWHERE else f"no program that is known: {program}"


def fault_of_charthouse(arguments: Sequence[str]) -> str | None:
    """What the command line itself says of these arguments before it does anything."""
    command: Any = commands()
    context = command.make_context("charthouse", list(arguments))
    while hasattr(command, "commands"):
        try:
            rest = [*context._protected_args, *context.args]
            name, command, rest = command.resolve_command(context, rest)
            context = command.make_context(name, list(rest), parent=context)
        except Exception as error:
            return str(getattr(error, "message", error))
    return None


def fault_of_make(targets: Sequence[str]) -> str | None:
    """Targets must be in the Makefile."""
    makefile = (ROOT / "Makefile").read_text("utf-8")
    there = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    missing = [t for t in targets if "=" not in t and t not in there]
    return f"no target of the Makefile: {', '.join(missing)}" if missing else None


def fault_of_python(arguments: Sequence[str]) -> str | None:
    """A script must be there and know the flags it is given; other calls are Python's own."""
    script, *rest = arguments
    if script.startswith("-"):
        return None
    path = ROOT / script
    if not path.is_file():
        return f"no script: {script}"
    known = path.read_text("utf-8")
    missing = [flag for flag in rest if flag.startswith("--") and f'"{flag}"' not in known]
    return f"{script} has no {', '.join(missing)}" if missing else None


def fault_of_words(text: str) -> str | None:
    """What is wrong with a command that prose speaks of: only its names and flags are looked at."""
    command: Any = commands()
    _, *words = text.split()
    for word in words:
        if not hasattr(command, "commands") or not re.fullmatch(r"[a-z]+", word):
            break
        if word not in command.commands:
            return f"no command: {word}"
        command = command.commands[word]
    flags = {flag for p in command.params for flag in (*p.opts, *p.secondary_opts)} | {"--help"}
    said = [word for word in words if re.fullmatch(r"--?[a-z][a-z-]*", word)]
    missing = [flag for flag in said if flag not in flags and not hasattr(command, "commands")]
    return f"no option: {', '.join(missing)}" if missing else None
