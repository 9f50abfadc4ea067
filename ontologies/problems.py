"""What is wrong with release files: an error at once, or a list to read afterwards."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from ontologies.errors import OntologyError


@dataclass
class Problems:
    """Problems of release files, in the order they were met.

    Attributes:
        lenient: count and list problems, and leave out what they concern, instead of raising.
        found: one line each, with file and line.
    """

    lenient: bool = False
    found: list[str] = field(default_factory=list)

    def report(self, path: Path, line: int | None, problem: str, way_out: str) -> None:
        """A row or record that cannot be used.

        Args:
            path: the file.
            line: its line, counted from 1; None where the whole file is meant.
            problem: what is wrong, without the file.
            way_out: what to do, for the error.

        Raises:
            OntologyError: unless lenient.
        """
        place = f"{path}:{line}" if line else str(path)
        if not self.lenient:
            raise OntologyError(f"{place}: {problem}; {way_out}")
        self.found.append(f"{place}: {problem}")

    def note(self, words: str) -> None:
        """Something to know about the sources that is no reason to stop."""
        self.found.append(words)
