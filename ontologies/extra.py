"""What is added to the releases of a store: further names of its concepts, and replaced ids.

Names are a table of ``concept_id`` and ``name``, CSV or TSV, plain or gzip. ``collect_names`` makes
one of annotated data, ``write_extra_names`` writes it. Replaced ids are a table of ``old_id`` and
``concept_id``.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

import polars as pl

from ontologies.content import EXTRA_COLUMNS, REPLACED_COLUMNS
from ontologies.errors import OntologyError
from ontologies.opening import is_curie, open_rows, tidy
from ontologies.problems import Problems

HINT = "give a CSV or TSV table with the columns concept_id and name"

_HINT_REPLACED = "give a CSV or TSV table with the columns old_id and concept_id"
_AS_IN_STORE = "write it as in the store, for example MESH:D003920"

_NEEDED = ("concept_id", "name")


def read_extra_names(path: Path, problems: Problems) -> pl.DataFrame:
    """Read extra names, in any order of columns and rows.

    Names are as written but for white space, which is collapsed. A pair that stands twice is one
    row, its counts added up; a file without ``count`` counts each row once. Other columns are
    ignored. Whether a store has the concepts is not known here.

    Returns:
        Columns ``EXTRA_COLUMNS``, sorted by ``concept_id`` and ``name``; empty for a file with no
        more than a header.

    Raises:
        OntologyError: the file cannot be read (see ``open_rows``) or lacks a column; unless
            lenient, also for a row without name, an id that is no CURIE, and a count that is no
            whole number.
    """
    return _frame(_counted(path, problems))


def collect_names(rows: Iterable[tuple[str, str]]) -> pl.DataFrame:
    """Count the names that annotated data use for concepts.

    Args:
        rows: concept ids and names, one pair a mention; pairs with a blank id or name are passed
            over.

    Returns:
        Columns ``EXTRA_COLUMNS``, sorted by ``concept_id`` and ``name``.
    """
    return _frame((concept_id.strip(), tidy(name), 1) for concept_id, name in rows)


def write_extra_names(frame: pl.DataFrame, path: Path) -> None:
    """Write names as a TSV file that ``read_extra_names`` reads.

    Args:
        frame: columns ``EXTRA_COLUMNS``; white space in names is collapsed, so that each row is
            one line.
        path: the file to write; replaced if it is there.
    """
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, delimiter="\t", lineterminator="\n")
        writer.writerow(EXTRA_COLUMNS)
        for concept_id, name, count in frame.select(*EXTRA_COLUMNS).iter_rows():
            writer.writerow((concept_id, tidy(name), count))


def _frame(rows: Iterable[tuple[str, str, int]]) -> pl.DataFrame:
    counts: Counter[tuple[str, str]] = Counter()
    for concept_id, name, count in rows:
        if concept_id and name:
            counts[concept_id, name] += count
    return pl.DataFrame(
        [(*pair, counts[pair]) for pair in sorted(counts)], schema=EXTRA_COLUMNS, orient="row"
    )


def read_replaced(path: Path, problems: Problems) -> pl.DataFrame:
    """Read ids that others took the place of, in any order of columns and rows.

    Returns:
        Columns ``REPLACED_COLUMNS``, sorted.

    Raises:
        OntologyError: the file cannot be read or lacks a column; unless lenient, also for an id
            that is no CURIE.
    """
    pairs = set()
    for line, cells in _table(path, tuple(REPLACED_COLUMNS), _HINT_REPLACED, problems):
        old, new = (cells.get(column, "").strip() for column in REPLACED_COLUMNS)
        if is_curie(old) and is_curie(new):
            pairs.add((old, new))
            continue
        wrong = new if is_curie(old) else old
        said = f"the id {wrong} is no CURIE" if wrong else "a row without an id"
        problems.report(path, line, said, _AS_IN_STORE)
    return pl.DataFrame(sorted(pairs), schema=REPLACED_COLUMNS, orient="row")


def _counted(path: Path, problems: Problems) -> Iterator[tuple[str, str, int]]:
    for line, cells in _table(path, _NEEDED, HINT, problems):
        concept_id = cells.get("concept_id", "").strip()
        name = tidy(cells.get("name", ""))
        count = cells.get("count", "").strip() or "1"
        if not is_curie(concept_id):
            said = f"the id {concept_id} is no CURIE" if concept_id else "a row without concept_id"
            problems.report(path, line, said, _AS_IN_STORE)
        elif not name:
            problems.report(path, line, f"no name for {concept_id}", "give one, or drop the row")
        elif not count.isdecimal() or len(count) > 18:
            problems.report(
                path, line, f"the count {count} is no whole number", "write one, or none"
            )
        else:
            yield concept_id, name, int(count)


def _table(
    path: Path, needed: tuple[str, ...], hint: str, problems: Problems
) -> Iterator[tuple[int, dict[str, str]]]:
    """Line and cells by column name of each row of a table."""
    rows = open_rows(path, hint, problems)
    first, header = next(rows, (1, []))
    columns = [column.strip().casefold() for column in header]
    missing = [column for column in needed if column not in columns]
    if missing:
        found = ", ".join(filter(None, map(tidy, header))) or "none"
        raise OntologyError(
            f"{path}:{first}: no column {' and '.join(missing)} (columns: {found}); {hint}"
        )
    for line, row in rows:
        yield line, dict(zip(columns, row, strict=False))
