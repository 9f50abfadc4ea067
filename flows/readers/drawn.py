"""What a file for annotators says of how its documents were chosen.

Label Studio keeps it with each task; for PubTator, which has no place for it, it stands in a file
beside, ``FILE.sample.json``. Neither names a document.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from flows.errors import SourceError

RANDOM = "random"
"""The strategy whose sample stands for all documents it was drawn from."""

SIDECAR_SUFFIX = ".sample.json"


@dataclass(frozen=True, slots=True)
class Drawn:
    """How documents were drawn for annotators.

    Attributes:
        strategy: ``uncertain``, ``unlinked`` or ``random``.
        seed: of what chance decided.
        documents: how many were drawn.
        labels: what annotators were asked to mark.
        blind: whether they were shown no mentions.
        by: columns that the sample keeps the shares of.
        restricted: whether a corpus, a kind, a condition or earlier samples limited the choice.
    """

    strategy: str
    seed: int
    documents: int
    labels: tuple[str, ...]
    blind: bool = False
    by: tuple[str, ...] = ()
    restricted: bool = False

    def described(self) -> dict[str, Any]:
        """As plain values."""
        return asdict(self)


def drawn_from(values: object) -> Drawn | None:
    """What :meth:`Drawn.described` made; ``None`` of anything else."""
    if not isinstance(values, Mapping):
        return None
    strategy, seed, documents = (values.get(k) for k in ("strategy", "seed", "documents"))
    if not isinstance(strategy, str) or not isinstance(seed, int) or not isinstance(documents, int):
        return None
    return Drawn(
        strategy=strategy,
        seed=seed,
        documents=documents,
        labels=_words(values.get("labels")),
        blind=values.get("blind") is True,
        by=_words(values.get("by")),
        restricted=values.get("restricted") is True,
    )


def _words(values: object) -> tuple[str, ...]:
    return (
        tuple(v for v in values if isinstance(v, str)) if isinstance(values, list | tuple) else ()
    )


def sidecar_of(path: Path) -> Path:
    """Where it stands beside a file."""
    return path.with_name(path.name + SIDECAR_SUFFIX)


def read_sidecar(path: Path) -> Drawn | None:
    """What stands beside a file; ``None`` where nothing does.

    Raises:
        SourceError: there is something that cannot be read.
    """
    beside = sidecar_of(path)
    if not beside.is_file():
        return None
    try:
        drawn = drawn_from(json.loads(beside.read_text(encoding="utf-8")))
    except (OSError, ValueError):
        drawn = None
    if drawn is None:
        raise SourceError(
            f"{beside} does not say how documents were drawn",
            "charthouse sample writes it; without it put the file away",
        )
    return drawn
