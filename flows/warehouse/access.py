"""How a warehouse is opened: its key, and how long to wait for another process."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass, field

from flows.private_files import read_key
from flows.settings import WarehouseSettings


def _to_standard_error(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


@dataclass(frozen=True)
class Access:
    """What opening a warehouse needs to know besides its path.

    ``key`` opens an encrypted file; it stands in memory only and shows in no representation.
    ``wait_seconds`` is how long to wait for another process, which ``say`` tells of.
    """

    key: str | None = field(default=None, repr=False)
    unsafe_crypto: bool = False
    wait_seconds: float = 0.0
    say: Callable[[str], None] = field(default=_to_standard_error, repr=False, compare=False)


def access_of(settings: WarehouseSettings, *, quiet: bool = False) -> Access:
    """The access that settings describe; the key is read now.

    Raises:
        CharthouseError: the key is not where the settings say, or others can read its file.
    """
    return Access(
        key=read_key("warehouse", settings.key_variable, settings.key_file),
        unsafe_crypto=settings.unsafe_crypto,
        wait_seconds=settings.wait_seconds,
        say=(lambda line: None) if quiet else _to_standard_error,
    )
