"""Prompt templates by name from the box, or from a file of one's own."""

from __future__ import annotations

import tomllib
from pathlib import Path

from nlp.generation.errors import GenerationError
from nlp.generation.rendering import Template, render, render_merge
from nlp.generation.template_form import parse_template

__all__ = ["Template", "load_template", "read_template", "render", "render_merge", "template_names"]

FOLDER = Path(__file__).parent / "prompts"


def template_names() -> list[str]:
    """Names of the templates in the box."""
    return sorted(path.stem for path in FOLDER.glob("*.toml"))


def load_template(name: str | Path) -> Template:
    """A template from the box by name, or from a TOML file.

    Raises:
        GenerationError: there is none of that name, or the file cannot be used; names the file
            and the key.
    """
    path = _path(name)
    try:
        raw = tomllib.loads(read_template(name))
    except tomllib.TOMLDecodeError as error:  # its words are the mark that lacks, line and column
        raise GenerationError(f"prompt {path}: it is no TOML file in UTF-8: {error}") from error
    return parse_template(raw, str(path))


def read_template(name: str | Path) -> str:
    """The file of a template, as it is written.

    Raises:
        GenerationError: there is none of that name, or the file cannot be read.
    """
    path = _path(name)
    try:
        return path.read_text("utf-8-sig")
    except OSError as error:
        raise GenerationError(
            f"prompt {path}: it cannot be read ({type(error).__name__}); name a template from the "
            "box or a TOML file"
        ) from error
    except UnicodeDecodeError as error:
        raise GenerationError(f"prompt {path}: it is no TOML file in UTF-8") from error


def _path(name: str | Path) -> Path:
    path = Path(name).expanduser()
    if not isinstance(name, str) or path.suffix == ".toml" or path.name != name:
        return path
    if name not in template_names():
        raise GenerationError(
            f"prompt {name}: no such template in the box ({', '.join(template_names())}); "
            "a file of your own is named by its path and ends in .toml"
        )
    return FOLDER / f"{name}.toml"
