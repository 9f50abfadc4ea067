"""Checksums that stand beside source files: ``FILE.md5``, as NLM and ``md5sum`` write them."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path, PurePosixPath

_LARGEST = 1 << 20
"""Bytes; a longer file is no list of checksums."""

_BY_NLM = re.compile(r"MD5 ?\((?P<name>.+)\) ?= ?(?P<digest>[0-9a-f]{32})", re.IGNORECASE)
_BY_MD5SUM = re.compile(r"(?P<digest>[0-9a-f]{32})(?:\s+\*?(?P<name>.+))?", re.IGNORECASE)


def checksum_problem(path: Path) -> str | None:
    """What is wrong with a file by the ``.md5`` file beside it; ``None`` where there is none.

    Known are the lines ``MD5(name)= hex`` and ``hex  name``. Of several lines the one that names
    the file counts; a single one counts whatever name it states.

    Raises:
        OSError: one of the two files cannot be read.
    """
    try:
        with path.with_name(f"{path.name}.md5").open("rb") as file:
            lines = file.read(_LARGEST).decode("utf-8", "replace").splitlines()
    except FileNotFoundError:
        return None
    stated = _stated(lines, path.name)
    if stated is None:
        return "the .md5 file beside the file states no checksum of it"
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
    return None if digest == stated else "the file's checksum is not that of its .md5 file"


def _stated(lines: list[str], name: str) -> str | None:
    """The digest of a file of this name, in lower case."""
    found = [
        match
        for line in lines
        if (match := _BY_NLM.fullmatch(line.strip()) or _BY_MD5SUM.fullmatch(line.strip()))
    ]
    if len(found) > 1:
        found = [match for match in found if PurePosixPath(match["name"] or "").name == name]
    return found[0]["digest"].lower() if found else None
