"""Compiling the release files that settings name into a concept store."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from flows.errors import CharthouseError, UsageError
from flows.job_settings import OntologyBuildSettings

if TYPE_CHECKING:
    from ontologies.release import Release


@dataclass(frozen=True)
class Built:
    """A store that was made: its release, its folder, and the rows that were left out."""

    release: Release
    out: Path
    problems: Sequence[str]


def build_ontology(
    wanted: OntologyBuildSettings, progress: Callable[[str], None] | None = None
) -> Built:
    """Compile release files into a store, put in its place when all is done.

    Raises:
        UsageError: no folder is named for the store.
        CharthouseError: a source cannot be used, or the store cannot be written.
    """
    from ontologies.build import build_store
    from ontologies.content import EXTRA_COLUMNS, REPLACED_COLUMNS, ReadOptions
    from ontologies.errors import OntologyError
    from ontologies.extra import read_extra_names, read_replaced
    from ontologies.problems import Problems

    if wanted.out is None:
        raise UsageError("no folder for the store", "Give --out, or ontology_build.out in a file")
    problems = Problems(lenient=wanted.lenient)
    try:
        release = build_store(
            _sources(wanted),
            wanted.out,
            options=ReadOptions(
                languages=wanted.languages,
                vocabularies=wanted.vocabularies,
                semantic_types=wanted.semantic_types,
                suppressed=wanted.suppressed,
                hierarchy=wanted.hierarchy,
                problems=problems,
            ),
            extra=pl.concat(
                [
                    pl.DataFrame(schema=EXTRA_COLUMNS),
                    *(read_extra_names(path, problems) for path in wanted.names),
                ]
            ),
            replaced=pl.concat(
                [
                    pl.DataFrame(schema=REPLACED_COLUMNS),
                    *(read_replaced(path, problems) for path in wanted.replaced),
                ]
            ),
            progress=progress,
        )
    except OntologyError as error:
        raise CharthouseError(str(error)) from None
    except OSError as error:
        raise CharthouseError(
            f"store {wanted.out} cannot be written ({error.strerror})",
            "Check rights and free space",
        ) from None
    return Built(release, wanted.out, problems.found)


def _sources(wanted: OntologyBuildSettings) -> list[tuple[str, Path]]:
    return [
        *(("mesh", path) for path in wanted.mesh),
        *(("umls", path) for path in wanted.umls),
        *((_obo_format(path), path) for path in wanted.obo),
        *(("kb", path) for path in wanted.kb),
        *(("table", path) for path in wanted.table),
    ]


def _obo_format(path: Path) -> str:
    """OBO's own form or OBO Graph JSON: the latter begins with a brace."""
    from ontologies.stream import open_stream

    if not path.is_file():
        return "obo"
    try:
        with open_stream(path) as stream:
            head = stream.read(256)
    except (OSError, EOFError):
        return "obo"
    return "obograph" if head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{") else "obo"
