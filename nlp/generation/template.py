"""Prompt templates by name from the box, or from a file of one's own."""

from __future__ import annotations

import tomllib
from pathlib import Path

from nlp.generation.errors import GenerationError
from nlp.generation.rendering import Template, render, render_merge
from nlp.generation.template_form import parse_template

__all__ = ["Template", "load_template", "render", "render_merge", "template_names"]

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
    path = Path(name).expanduser()
    if isinstance(name, str) and path.suffix != ".toml" and path.name == name:
        if name not in template_names():
            raise GenerationError(
                f"prompt {name}: no such template in the box ({', '.join(template_names())}); "
                "a file of your own is named by its path and ends in .toml"
            )
        path = FOLDER / f"{name}.toml"
    try:
        raw = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise GenerationError(
            f"prompt {path}: it cannot be read ({type(error).__name__}); name a template from the "
            "box or a TOML file"
        ) from error
    except ValueError as error:  # no TOML or no UTF-8; tomllib's words are line and column
        where = f": {error}" if isinstance(error, tomllib.TOMLDecodeError) else ""
        raise GenerationError(f"prompt {path}: it is no TOML file in UTF-8{where}") from error
    return parse_template(raw, str(path))
