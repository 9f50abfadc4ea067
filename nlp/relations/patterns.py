"""How a model's sentences are read: patterns by name from the box, or from a TOML file."""

from __future__ import annotations

import hashlib
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nlp.generation.errors import GenerationError

FOLDER = Path(__file__).parent / "forms"
DEFAULT = "sentences"

_GAP = re.compile(r"\{(subject|object|relation)\}")
_KEYS = {"pattern", "relation", "subject_labels", "object_labels"}


@dataclass(frozen=True)
class Pattern:
    """One form of statement.

    Attributes:
        before: words before the first gap, in any case, by which a statement of this form is
            known.
        gaps: names of the gaps, in order.
        between: the words after each gap; white space in them is any white space.
        relation: the type of the relation, where the statement does not say it itself.
        subject_labels, object_labels: what the two may be; empty for anything.
    """

    before: str
    gaps: tuple[str, ...]
    between: tuple[str, ...]
    relation: str | None
    subject_labels: frozenset[str]
    object_labels: frozenset[str]


@dataclass(frozen=True)
class Patterns:
    """All forms that a model may write.

    ``split`` are the marks between statements, ``nothing`` the lower-case texts that state no
    relation at all; ``sha256`` is of the file.
    """

    name: str
    version: int
    split: tuple[str, ...]
    nothing: frozenset[str]
    statements: tuple[Pattern, ...]
    sha256: str


def pattern_names() -> list[str]:
    """Names of the files in the box."""
    return sorted(path.stem for path in FOLDER.glob("*.toml"))


def load_patterns(name: str) -> Patterns:
    """Patterns from the box by name, or from a TOML file.

    Raises:
        GenerationError: there is no such file, or it cannot be used; names the file and the key.
    """
    path = Path(name).expanduser()
    if path.suffix != ".toml":
        if name not in pattern_names():
            raise GenerationError(
                f"statements {name}: there is none of that name in the box "
                f"({', '.join(pattern_names())}); a file of your own ends in .toml"
            )
        path = FOLDER / f"{name}.toml"
    try:
        content = path.read_bytes()
        raw = tomllib.loads(content.decode("utf-8"))
    except OSError as error:
        raise GenerationError(
            f"statements {path}: it cannot be read ({type(error).__name__})"
        ) from error
    except ValueError as error:
        raise GenerationError(f"statements {path}: it is no TOML file in UTF-8") from error
    rows = raw.get("statement")
    if not isinstance(rows, list) or not rows:
        raise GenerationError(f"statements {path}: it has no [[statement]]")
    if unknown := sorted(set(raw) - {"name", "version", "split", "nothing", "statement"}):
        raise GenerationError(f"statements {path}: key {unknown[0]} is unknown")
    return Patterns(
        str(raw.get("name") or path.stem),
        _whole(raw.get("version", 1), path),
        tuple(_texts(raw.get("split", [";", "."]), "split", path)),
        frozenset(x.casefold() for x in _texts(raw.get("nothing", []), "nothing", path)),
        tuple(_pattern(row, number, path) for number, row in enumerate(rows, start=1)),
        hashlib.sha256(content).hexdigest(),
    )


def _pattern(row: Any, number: int, path: Path) -> Pattern:
    where = f"statements {path}, statement {number}"
    if not isinstance(row, dict) or not isinstance(row.get("pattern"), str):
        raise GenerationError(f"{where}: it has no pattern")
    if unknown := sorted(set(row) - _KEYS):
        raise GenerationError(f"{where}: key {unknown[0]} is unknown")
    pieces = _GAP.split(row["pattern"])
    literals, gaps = pieces[::2], pieces[1::2]
    relation = row.get("relation")
    if sorted(gaps) not in (["object", "subject"], ["object", "relation", "subject"]):
        raise GenerationError(f"{where}: the pattern needs {{subject}} and {{object}}, once each")
    if ("relation" in gaps) == (relation is not None) or not isinstance(relation, str | None):
        raise GenerationError(f"{where}: say either relation = or {{relation}} in the pattern")
    if any(not literal.strip() for literal in literals[:-1]):
        raise GenerationError(f"{where}: words must stand before and between the gaps")
    return Pattern(
        " ".join(literals[0].split()),
        tuple(gaps),
        tuple(literals[1:]),
        relation,
        frozenset(_texts(row.get("subject_labels", []), "subject_labels", path)),
        frozenset(_texts(row.get("object_labels", []), "object_labels", path)),
    )


def _whole(value: Any, path: Path) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise GenerationError(f"statements {path}: version is no whole number")
    return value


def _texts(value: Any, key: str, path: Path) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(x, str) and x for x in value):
        raise GenerationError(f"statements {path}: {key} is no list of texts")
    return value
