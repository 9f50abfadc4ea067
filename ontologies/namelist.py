"""Concepts as a plain table, one row each: CSV, TSV or Parquet."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from ontologies.concept import Concept, Name
from ontologies.content import Content, ReadOptions, gather
from ontologies.errors import OntologyError
from ontologies.opening import asked_for, check_file, is_curie, none_found, open_rows, tidy
from ontologies.problems import Problems

ATTRIBUTION = "Table of concepts: see the licence of its makers"
HINT = "give a CSV, TSV or Parquet table with the columns id and name"

COLUMNS: dict[str, tuple[str, ...]] = {
    "id": ("id", "concept_id", "curie", "identifier", "code"),
    "name": ("name", "concept_name", "preferred_name", "canonical_name", "label", "term"),
    "synonyms": ("synonyms", "synonym", "aliases", "alias", "names", "other_names"),
    "types": ("types", "type", "semantic_types", "semantic_type"),
    "definition": ("definition", "description"),
    "parents": ("parents", "parent", "parent_ids", "parent_id", "is_a"),
    "tree_numbers": ("tree_numbers", "tree_number"),
}
"""What a column says to the names it may have; the first two are needed."""

SEPARATOR = "|"
"""Between the values of one cell."""

_NEEDED = ("id", "name")
_SINGLE = ("id", "name", "definition")

_Report = Callable[[int, str, str], None]


def read_namelist(path: Path, options: ReadOptions) -> Content:
    """Read a table of concepts: CSV or TSV, plain or gzip, or Parquet; told by its content.

    Columns are found by name, whatever their order and case (``COLUMNS``). ``id`` is a CURIE,
    ``name`` the preferred name. ``synonyms``, ``types``, ``parents`` and ``tree_numbers`` hold any
    number of values, separated by ``|`` or, in Parquet, as a list. ``types`` stay as they are, and
    ``link.labels`` restricts by them; ``parents`` are CURIEs and need not be in the table.
    The delimiter of text is told by the header, see ``open_rows``. A Parquet table is held in
    memory, text is streamed; rows of Parquet are counted from 1 in place of lines.

    Raises:
        OntologyError: the file cannot be read (see ``open_lines``), lacks a needed column, has two
            of the same meaning, or holds no concepts; unless lenient, also for an unknown column,
            a row that has no name or more cells than the header, and an id that is no CURIE.
    """
    check_file(path, HINT)
    with path.open("rb") as stream:
        parquet = stream.read(4) == b"PAR1"
    rows = _parquet_rows(path, options.problems) if parquet else _rows(path, options.problems)

    def report(line: int, problem: str, way_out: str) -> None:
        if parquet:
            options.problems.report(path, None, f"row {line}: {problem}", way_out)
        else:
            options.problems.report(path, line, problem, way_out)

    content = gather(
        concept
        for line, cells in rows
        if (concept := _concept(line, cells, report)) is not None
        and asked_for(concept.semantic_types, options)
    )
    if content.concepts.is_empty():
        raise none_found(path, options, "concepts", HINT)
    return content


def _rows(path: Path, problems: Problems) -> Iterator[tuple[int, dict[str, Any]]]:
    rows = open_rows(path, HINT, problems)
    first, header = next(rows, (1, []))
    places = _places(header, path, first, problems)
    for line, row in rows:
        if any(cell.strip() for cell in row[len(header) :]):
            problems.report(
                path,
                line,
                f"{len(row)} cells where the header has {len(header)}",
                'put cells that hold the delimiter in quotes (")',
            )
        else:
            yield line, {what: row[at] for what, at in places.items() if at < len(row)}


def _parquet_rows(path: Path, problems: Problems) -> Iterator[tuple[int, dict[str, Any]]]:
    try:
        frame = pl.read_parquet(path)
    except (pl.exceptions.PolarsError, OSError) as error:
        raise OntologyError(
            f"{path}: not a readable Parquet file ({tidy(str(error))}); write it again"
        ) from error
    places = _places(frame.columns, path, None, problems)
    texts = pl.DataFrame(
        {what: _as_text(frame.to_series(at), what, path) for what, at in places.items()}
    )
    yield from enumerate(texts.iter_rows(named=True), start=1)


def _as_text(column: pl.Series, what: str, path: Path) -> pl.Series:
    nested = isinstance(column.dtype, pl.List | pl.Array)
    if nested and what in _SINGLE:
        raise OntologyError(f"{path}: the column {column.name} holds lists; give one text a row")
    inner = column.dtype.inner if isinstance(column.dtype, pl.List | pl.Array) else column.dtype
    # Polars would write records and binary data as text of some kind.
    if inner.is_nested() or inner == pl.Binary:
        raise OntologyError(f"{path}: the column {column.name} holds {inner}; write it as text")
    return column.cast(pl.List(pl.String) if nested else pl.String)


def _places(
    header: Sequence[str], path: Path, line: int | None, problems: Problems
) -> dict[str, int]:
    """What the columns say, and where they are."""
    place = f"{path}:{line}" if line else str(path)
    found = ", ".join(filter(None, map(tidy, header))) or "none"
    places: dict[str, int] = {}
    unknown = []
    for at, column in enumerate(header):
        known = "_".join(column.casefold().replace("-", " ").split())
        what = next((what for what, names in COLUMNS.items() if known in names), None)
        if what in places:
            raise OntologyError(
                f"{place}: two columns for {what} (columns: {found}); keep one of them"
            )
        if what is not None:
            places[what] = at
        elif known:
            unknown.append(tidy(column))
    missing = [what for what in _NEEDED if what not in places]
    if missing:
        raise OntologyError(
            f"{place}: no column {' and '.join(missing)} (columns: {found}); {HINT}"
        )
    if unknown:
        problems.report(
            path,
            line,
            f"unknown column {', '.join(unknown)} (columns: {found})",
            f"take it out, or name it one of {', '.join(COLUMNS)}",
        )
    return places


def _concept(line: int, cells: dict[str, Any], report: _Report) -> Concept | None:
    """The concept of a row; None for one that is reported as a problem."""
    single = {what: tidy(cells.get(what) or "") for what in _SINGLE}
    concept_id = single["id"]
    if not is_curie(concept_id):
        said = f"the id {concept_id} is no CURIE" if concept_id else "a row without id"
        report(line, said, "write the id with its vocabulary, for example MESH:D003920")
        return None
    if not single["name"]:
        report(line, f"{concept_id} has no name", "give it one, or take the row out")
        return None
    parents = _values(cells.get("parents"))
    for parent in parents:
        if not is_curie(parent):
            report(
                line,
                f"the parent {parent} is no CURIE",
                f"write it with its vocabulary, several separated by {SEPARATOR}",
            )
    return Concept(
        concept_id=concept_id,
        concept_name=single["name"],
        names=tuple(Name(synonym) for synonym in _values(cells.get("synonyms"))),
        semantic_types=_values(cells.get("types")),
        tree_numbers=_values(cells.get("tree_numbers")),
        definition=single["definition"] or None,
        parents=tuple(p for p in parents if is_curie(p) and p != concept_id),
        line=line,
    )


def _values(cell: str | list[str | None] | None) -> tuple[str, ...]:
    """The values of a cell without repetitions, in its order."""
    texts = cell.split(SEPARATOR) if isinstance(cell, str) else cell or []
    return tuple(dict.fromkeys(tidied for text in texts if text and (tidied := tidy(text))))
