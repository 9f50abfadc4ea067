"""Options of commands that open a warehouse: how long to wait for it, and where its key is told."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from flows.settings import WarehouseSettings
    from flows.warehouse.access import Access

Wait = Annotated[
    float | None,
    typer.Option(
        "--wait",
        metavar="SECONDS",
        min=0,
        help="Wait so long for another process that holds the warehouse. (default: 0)",
    ),
]
Config = Annotated[
    Path | None, typer.Option(help="TOML file of settings; its [warehouse] counts here.")
]


def warehouse_settings(config: Path | None, wait: float | None) -> WarehouseSettings:
    """The settings of the warehouse from file, environment and flag.

    Raises:
        CharthouseError: a setting cannot be used.
    """
    from flows.settings import load_settings

    flags = {"warehouse": {"wait_seconds": wait}} if wait is not None else {}
    return load_settings(config, flags).warehouse


def access_for(config: Path | None, wait: float | None, *, quiet: bool = False) -> Access:
    """How to open the warehouse, by file, environment and flag.

    Raises:
        CharthouseError: a setting cannot be used, or the key is not where they say.
    """
    from flows.warehouse.access import access_of

    return access_of(warehouse_settings(config, wait), quiet=quiet)
