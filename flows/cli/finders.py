"""Options that say what finds mentions, the same for every command."""

from __future__ import annotations

from typing import Annotated

import typer

MODEL_HELP = (
    "`bundled`, a model folder, or hub:owner/name@revision; `none` beside a --dictionary. "
    "Repeat for more."
)
_NONE = "none"

Dictionary = Annotated[
    list[str] | None,
    typer.Option(
        metavar="STORE",
        help="Concept store whose names are mentions wherever they stand, or `sample`; a model's "
        "mentions come first. Repeat for more.",
    ),
]


def chosen_models(given: list[str] | None) -> tuple[str, ...] | None:
    """The models of ``--model``; None where it was not given, and none for ``none``.

    Raises:
        typer.BadParameter: ``none`` and a model are both given.
    """
    if not given:
        return None
    if _NONE not in given:
        return tuple(given)
    if len(given) > 1:
        raise typer.BadParameter(f"{_NONE} stands alone", param_hint="--model")
    return ()
