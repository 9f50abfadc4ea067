"""Files that hold a secret: one line, readable by their owner only."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from flows.errors import CharthouseError

_LONGEST = 4096


def read_key(section: str, variable: str | None, file: Path | None) -> str | None:
    """The key that settings of a section name: in an environment variable or in a file.

    Args:
        section: such as ``warehouse``; its settings are ``key_variable`` and ``key_file``.
        variable: the environment variable's name.
        file: the file.

    Returns:
        None where neither is named.

    Raises:
        CharthouseError: both are named, the variable is not set, or as :func:`read_key_file`.
    """
    if variable and file:
        raise CharthouseError(
            f"settings {section}.key_variable and {section}.key_file are both set",
            "Keep the key in one place",
        )
    if variable:
        key = os.environ.get(variable)
        if not key:
            raise CharthouseError(
                f"environment variable {variable} is to hold the {section}'s key and is not set",
                f"Set it, or name another one in {section}.key_variable",
            )
        return key
    return read_key_file(file, f"{section}.key_file") if file else None


def read_key_file(path: Path, setting: str) -> str:
    """The key in a file; ``setting`` named the file.

    Raises:
        CharthouseError: it cannot be read, others can read it, or it holds no key. Never tells
            what it holds.
    """
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            content = file.read(_LONGEST + 1) if stat.S_ISREG(mode) else b""
    except OSError as error:
        raise CharthouseError(
            f"key file {path} cannot be read ({error.strerror})", f"Check {setting}"
        ) from None
    if mode & 0o077:
        raise CharthouseError(
            f"key file {path} can be read by others (mode {stat.S_IMODE(mode):04o})",
            f"chmod 600 {path}",
        )
    try:
        key = content.decode("utf-8").removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError:
        key = ""
    if not key or len(content) > _LONGEST or "\n" in key or "\0" in key:
        raise CharthouseError(
            f"key file {path} does not hold a key", "Write the key into it as one line of UTF-8"
        )
    return key
