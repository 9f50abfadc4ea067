"""The folder META of a UMLS release: its files, their columns and rows."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from ontologies.content import ReadOptions
from ontologies.errors import OntologyError
from ontologies.problems import Problems
from ontologies.rrf import read_rows

# In the form of MRFILES.RRF, which says what the columns of a release really are.
COLUMNS = {
    "MRFILES.RRF": "FIL,DES,FMT,CLS,RWS,BTS",
    "MRCONSO.RRF": (
        "CUI,LAT,TS,LUI,STT,SUI,ISPREF,AUI,SAUI,SCUI,SDUI,SAB,TTY,CODE,STR,SRL,SUPPRESS,CVF"
    ),
    "MRSTY.RRF": "CUI,TUI,STN,STY,ATUI,CVF",
    "MRDEF.RRF": "CUI,AUI,ATUI,SATUI,SAB,DEF,SUPPRESS,CVF",
    "MRREL.RRF": ("CUI1,AUI1,STYPE1,REL,CUI2,AUI2,STYPE2,RELA,RUI,SRUI,SAB,SL,RG,DIR,SUPPRESS,CVF"),
    "MRRANK.RRF": "RANK,SAB,TTY,SUPPRESS",
    "MRCUI.RRF": "CUI1,VER,REL,RELA,MAPREASON,CUI2,MAPIN",
    "MERGEDCUI.RRF": "PCUI,CUI",
    "MRDOC.RRF": "DOCKEY,VALUE,TYPE,EXPL",
}
_VERSION = re.compile(r"(?<!\d)\d{4}A[ABC](?![A-Z0-9])")

_LEFT, _RIGHT = 9, 4
"""Columns of MRCONSO before SCUI and after CODE."""


@dataclass(frozen=True)
class Meta:
    """A META folder, the columns of its files, and what is wanted of it."""

    folder: Path
    columns: dict[str, tuple[str, ...]]
    options: ReadOptions

    def read(
        self,
        name: str,
        wanted: Sequence[str],
        keep: Callable[[pl.DataFrame], pl.DataFrame] = lambda rows: rows,
        filled: Sequence[str] = (),
    ) -> pl.DataFrame:
        """What ``keep`` leaves of each block of a file's rows; of no rows if there is no file.

        Rows in which a column of ``filled`` is empty are reported.
        """
        schema = {**dict.fromkeys(wanted, pl.String), "line": pl.Int64}
        blocks = [keep(pl.DataFrame(schema=schema))]
        path = find_file(self.folder, name)
        if path is None:
            return blocks[0]
        columns = self.columns[name]
        if missing := [column for column in wanted if column not in columns]:
            raise OntologyError(
                f"{find_file(self.folder, 'MRFILES.RRF')}: names no column {', '.join(missing)} of"
                f" {name}; give both as they are in the release"
            )
        empty = pl.any_horizontal(pl.lit(False), *(pl.col(column) == "" for column in filled))
        mend = _mend if name == "MRCONSO.RRF" else None
        for rows in read_rows(path, columns, wanted, self.options.problems, mend):
            self.report(name, rows.filter(empty), f"no {' or no '.join(filled)}")
            blocks.append(keep(rows.filter(~empty)))
        return pl.concat(blocks)

    def report(self, name: str, rows: pl.DataFrame, problem: str) -> None:
        """Report each of the rows of a file."""
        for line in rows["line"]:
            self.options.problems.report(
                find_file(self.folder, name) or self.folder / name,
                line,
                problem,
                "mend that row, or leave such rows out with --lenient",
            )

    def unsuppressed(self) -> pl.Expr:
        """Rows that are not suppressed, or all where the suppressed are wanted too."""
        return pl.lit(self.options.suppressed) | (pl.col("SUPPRESS") == "N")

    def of_vocabularies(self) -> pl.Expr:
        """Rows of the vocabularies wanted."""
        return among("SAB", self.options.vocabularies)


def release_version(folder: Path, columns: dict[str, tuple[str, ...]]) -> str | None:
    """The release's name, of MRDOC.RRF or of the folder's path; None where neither tells."""
    # A row of MRDOC that cannot be used takes nothing away from the concepts.
    meta = Meta(folder, columns, ReadOptions(problems=Problems(lenient=True)))
    rows = meta.read("MRDOC.RRF", ("DOCKEY", "VALUE", "EXPL")).filter(
        pl.col("DOCKEY") == "RELEASE", pl.col("VALUE") == "umls.release.name", pl.col("EXPL") != ""
    )
    if not rows.is_empty():
        return str(rows["EXPL"][0])
    found = [_VERSION.search(part) for part in reversed(folder.resolve().parts)]
    return next((match.group() for match in found if match), None)


def layouts(folder: Path, problems: Problems) -> dict[str, tuple[str, ...]]:
    """Columns of each file: those MRFILES.RRF states, else those of recent releases."""
    columns = {name: tuple(layout.split(",")) for name, layout in COLUMNS.items()}
    meta = Meta(folder, columns, ReadOptions(problems=problems))
    stated = {
        file.rpartition("/")[2]: tuple(layout.split(","))
        for file, layout, _ in meta.read("MRFILES.RRF", ("FIL", "FMT")).iter_rows()
    }
    return {name: stated.get(name, layout) for name, layout in columns.items()}


def check_folder(path: Path) -> None:
    """Refuse what is no folder META.

    Raises:
        OntologyError: it is none, or holds no MRCONSO.RRF.
    """
    if path.is_file():
        raise OntologyError(f"{path}: is a file; give the folder META of a UMLS release")
    if not path.is_dir():
        raise OntologyError(f"{path}: no such folder; give the folder META of a UMLS release")
    if find_file(path, "MRCONSO.RRF") is None:
        raise OntologyError(
            f"{path}: holds no MRCONSO.RRF or MRCONSO.RRF.gz; give the folder META of a UMLS"
            " release"
        )


def find_file(folder: Path, name: str) -> Path | None:
    """A file of the release; those of the changes may stand in a folder of their own."""
    places = (folder / name, folder / f"{name}.gz")
    changes = (folder / "CHANGE" / name, folder / "CHANGE" / f"{name}.gz")
    return next((place for place in (*places, *changes) if place.is_file()), None)


def among(column: str, values: Sequence[str]) -> pl.Expr:
    """Rows with one of the values, or all rows where no values are given."""
    return pl.col(column).is_in(values) if values else pl.lit(True)


def _mend(line: str, columns: Sequence[str]) -> dict[str, str] | None:
    """A row of MRCONSO with separators inside an identifier of its source.

    The columns outside of SCUI to CODE stand where they are counted from either end, if it is an
    identifier that has the separators and not the name. That is so where CODE repeats SCUI or
    SDUI, separators and all; SAB and TTY stand between.

    Returns:
        The columns but for SCUI, SDUI and CODE, or None where the row is not of this kind.
    """
    fields = line.split("|")[:-1]
    inner = fields[_LEFT:-_RIGHT]
    if tuple(columns[_LEFT:-_RIGHT]) != ("SCUI", "SDUI", "SAB", "TTY", "CODE"):
        return None
    for at in range(2, len(inner) - 2):
        code, before = "|".join(inner[at + 2 :]), inner[:at]
        if code and code in ("|".join(before[:-1]), "|".join(before[1:])):
            left = zip(columns[:_LEFT], fields[:_LEFT], strict=True)
            right = zip(columns[-_RIGHT:], fields[-_RIGHT:], strict=True)
            return {**dict(left), **dict(right), "SAB": inner[at], "TTY": inner[at + 1]}
    return None
