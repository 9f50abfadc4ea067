"""What an export wrote."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Written:
    """What a format says of its work.

    Attributes:
        rows: file, relative to the export's folder, to its rows, lines or documents.
        counts: what else is worth telling: words to a number.
        documents: how many of the selected documents it took; None = all.
    """

    rows: Mapping[str, int]
    counts: Mapping[str, int] = field(default_factory=dict)
    documents: int | None = None


@dataclass(frozen=True)
class ExportedFile:
    """One file of an export; a folder of parts counts as one. ``bytes`` is None in a dry run."""

    name: str
    rows: int
    bytes: int | None


@dataclass(frozen=True)
class Exported:
    """An export that is done, or that a dry run tells of."""

    format: str
    out: Path
    is_dry_run: bool
    documents: int
    files: tuple[ExportedFile, ...]
    counts: Mapping[str, int]

    def as_dict(self) -> dict[str, Any]:
        """The same as plain values, for JSON."""
        return asdict(self) | {"out": str(self.out), "counts": dict(self.counts)}
