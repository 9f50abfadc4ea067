"""Where a file that is to be written may stand."""

from __future__ import annotations

import os
from pathlib import Path

from flows.errors import CharthouseError


def check_folder_of(path: Path, what: str) -> None:
    """Check at the door that a file can be written to a path's folder.

    Args:
        path: of the file.
        what: the file is, for the message.

    Raises:
        CharthouseError: the folder is missing or cannot be written to.
    """
    folder = path.resolve().parent
    if not folder.is_dir():
        raise CharthouseError(f"{what} {path}: its folder does not exist", f"Create {folder} first")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise CharthouseError(
            f"{what} {path}: its folder cannot be written to", "Check the folder's rights"
        )
