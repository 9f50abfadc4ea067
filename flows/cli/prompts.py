"""``charthouse prompts``: the prompt templates in the box."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from flows.cli.terminal import standard_output
from flows.errors import CharthouseError

if TYPE_CHECKING:
    from nlp.generation.rendering import Template


def prompts(
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="[NAME]", help="A template from the box, or a TOML file to be checked."
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print as JSON, with SHA-256.")] = False,
) -> None:
    """List the prompt templates in the box, or print one: a start for a template of your own.

    What it prints is the file itself. Give the name or the path of a file to `charthouse generate`
    as --prompt.

    Example: charthouse prompts note-summary > mine.toml
    """
    from nlp.generation.errors import GenerationError
    from nlp.generation.template import load_template, read_template, template_names

    try:
        if name:
            template = load_template(name)
            print(json.dumps(_described(template), indent=2) if as_json else read_template(name))
            return
        templates = [load_template(each) for each in template_names()]
    except GenerationError as error:
        raise CharthouseError(str(error)) from None
    if as_json:
        print(json.dumps([_described(template) for template in templates], indent=2))
        return
    from rich.table import Table

    table = Table(box=None)
    table.add_column("name", no_wrap=True)  # it is to be copied
    for heading in ("version", "task", "inputs", "what it asks for"):
        table.add_column(heading, overflow="fold")
    for template in sorted(templates, key=lambda t: (t.task, t.name)):
        inputs = (entry.name + ("" if entry.default is None else "?") for entry in template.inputs)
        row = (template.name, str(template.version), template.task, " ".join(inputs))
        table.add_row(*row, template.meaning)
    standard_output().print(table)


def _described(template: Template) -> dict[str, Any]:
    return {
        "name": template.name,
        "version": template.version,
        "task": template.task,
        "meaning": template.meaning,
        "style": template.style,
        "inputs": {
            entry.name: {"meaning": entry.meaning, "default": entry.default}
            for entry in template.inputs
        },
        "max_new_tokens": template.max_new_tokens,
        "stop": list(template.stop),
        "merges": template.merge is not None,
        "sha256": template.sha256,
    }
