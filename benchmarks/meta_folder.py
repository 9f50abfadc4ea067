"""A made-up META folder of any size with the string statistics of the UMLS Metathesaurus.

Nothing of UMLS is in it. Words are put together from roots and endings and drawn by Zipf's law;
concepts are clinical terms, drug products, systematic chemical names, genes, organisms and
observations, in the shares in which UMLS has them, each with the semantic types, vocabularies and
term types of its kind. The same arguments give the same bytes.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl
from meta_words import WORD, make_lexicon

_CHUNK = 500_000
_ABSENT = -1
_SUPPRESSED = 0.06


@dataclass(frozen=True)
class _Kind:
    """One kind of concept: its share, what its names are made of, and what UMLS says of it."""

    share: float
    slots: tuple[str, ...]
    required: int
    separator: str
    types: tuple[tuple[str, float], ...]
    vocabularies: tuple[str, ...]


_KINDS = (
    _Kind(
        0.40,
        (WORD,) * 9,
        1,
        " ",
        (
            *(("T033", 0.17), ("T047", 0.2), ("T061", 0.17), ("T023", 0.13), ("T046", 0.06)),
            *(("T037", 0.08), ("T191", 0.06), ("T060", 0.04), ("T184", 0.02), ("T048", 0.02)),
            *(("T019", 0.02), ("T074", 0.02), ("T029", 0.005), ("T025", 0.005)),
        ),
        ("SNOMEDCT_US", "ICD10CM", "MSH", "MDR", "NCI"),
    ),
    _Kind(
        0.10,
        ("drug", "dose", "form", "drug"),
        3,
        " ",
        (("T200", 0.9), ("T121", 0.1)),
        ("RXNORM", "VANDF", "MTHSPL"),
    ),
    _Kind(
        0.15,
        ("number", "group", "number", "group", "group", "group"),
        4,
        "-",
        (("T109", 0.6), ("T121", 0.25), ("T116", 0.1), ("T197", 0.05)),
        ("MSH", "NCI", "UNII", "DRUGBANK"),
    ),
    _Kind(
        0.09,
        ("symbol", WORD, "symbol", WORD),
        2,
        " ",
        (("T028", 0.6), ("T116", 0.3), ("T123", 0.05), ("T045", 0.05)),
        ("HGNC", "NCI", "MSH", "OMIM"),
    ),
    _Kind(
        0.21,
        ("latin", "latin", "strain", "strain"),
        2,
        " ",
        (("T204", 0.4), ("T007", 0.25), ("T002", 0.2), ("T004", 0.1), ("T005", 0.05)),
        ("NCBI", "SNOMEDCT_US"),
    ),
    _Kind(
        0.05,
        ("term", "property", "system", "property"),
        3,
        ":",
        (("T201", 0.8), ("T059", 0.2)),
        ("LNC", "CPT"),
    ),
)
_TERM_TYPES = ("PT", "SY", "PN", "AB", "FN", "ET", "SCD")


def write_meta(folder: Path, concepts: int, names: int, seed: int = 0) -> None:
    """Write MRCONSO, MRSTY, MRRANK, MRREL and MRFILES to a folder.

    Args:
        folder: made if it is not there.
        concepts: how many CUIs.
        names: how many names that are not suppressed, at least ``concepts``; the number comes out
            right to a few thousandths, and further rows are suppressed.
        seed: other seeds give other names.
    """
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    lexicon, start = make_lexicon(rng)
    kind = rng.choice(len(_KINDS), size=concepts, p=[k.share for k in _KINDS])
    # A few concepts have dozens of names, most have one or two.
    popular = rng.gamma(0.6, size=concepts)
    size = round((names - concepts) / (1 - _SUPPRESSED))
    extra = rng.choice(concepts, size=size, p=popular / popular.sum())
    counts = 1 + np.bincount(extra, minlength=concepts)
    _write_names(folder, rng, kind, counts, lexicon, start)
    _write_types(folder, rng, kind)
    _write_hierarchy(folder, rng, kind)
    ranks = [
        f"{400 - 10 * place:04}|{vocabulary}|{tty}|N|"
        for place, (vocabulary, tty) in enumerate(
            (v, t) for v in ("MSH", "SNOMEDCT_US", "RXNORM", "NCI", "NCBI") for t in _TERM_TYPES
        )
    ]
    (folder / "MRRANK.RRF").write_text("\n".join(ranks) + "\n")
    layouts = {
        "MRCONSO.RRF": "CUI,LAT,TS,LUI,STT,SUI,ISPREF,AUI,SAUI,SCUI,SDUI,SAB,TTY,CODE,STR,SRL,"
        "SUPPRESS,CVF",
        "MRSTY.RRF": "CUI,TUI,STN,STY,ATUI,CVF",
        "MRRANK.RRF": "RANK,SAB,TTY,SUPPRESS",
        "MRREL.RRF": "CUI1,AUI1,STYPE1,REL,CUI2,AUI2,STYPE2,RELA,RUI,SRUI,SAB,SL,RG,DIR,SUPPRESS,"
        "CVF",
    }
    lines = [f"{name}|made up|{layout}|0|0|0|" for name, layout in layouts.items()]
    (folder / "MRFILES.RRF").write_text("\n".join(lines) + "\n")


def _zipf(rng: np.random.Generator, size: int, count: int) -> npt.NDArray[np.int64]:
    """Ranks below ``size`` by Zipf's law with exponent 1."""
    return np.minimum(size ** rng.random(count) - 1, size - 1).astype(np.int64)


def _fill(
    rng: np.random.Generator, kind: _Kind, count: int, start: dict[str, tuple[int, int]]
) -> npt.NDArray[np.int64]:
    """Words of names, shape (count, slots); a name ends at its first absent word."""
    words = np.full((count, len(kind.slots)), _ABSENT, dtype=np.int64)
    length = np.minimum(kind.required + rng.poisson(2.2, count), len(kind.slots))
    for place, slot in enumerate(kind.slots):
        first, size = start[slot]
        drawn = first + _zipf(rng, size, count)
        words[:, place] = np.where(place < length, drawn, _ABSENT)
    return words


def _write_names(
    folder: Path,
    rng: np.random.Generator,
    kind: npt.NDArray[np.int64],
    counts: npt.NDArray[np.int64],
    lexicon: pl.Series,
    start: dict[str, tuple[int, int]],
) -> None:
    step = max(_CHUNK * len(kind) // int(counts.sum()), 1)
    line = 0
    with (folder / "MRCONSO.RRF").open("wb") as file:
        for low in range(0, len(kind), step):
            concept = np.arange(low, min(low + step, len(kind)))
            parts = []
            for number, of_kind in enumerate(_KINDS):
                chosen = concept[kind[concept] == number]
                if len(chosen):
                    parts.append(_names(rng, of_kind, chosen, counts[chosen], lexicon, start))
            rows = pl.concat(parts).sort("concept", "place").with_row_index("line", offset=line)
            line += rows.height
            first = pl.col("place") == 0
            rows.select(
                CUI=_cui(pl.col("concept")),
                LAT=pl.lit("ENG"),
                TS=pl.when(first).then(pl.lit("P")).otherwise(pl.lit("S")),
                LUI=pl.format("L{}", pl.col("line")),
                STT=pl.when(pl.col("place") < 2).then(pl.lit("PF")).otherwise(pl.lit("VO")),
                SUI=pl.format("S{}", pl.col("line")),
                ISPREF=pl.when(pl.col("place") < 3).then(pl.lit("Y")).otherwise(pl.lit("N")),
                AUI=pl.format("A{}", pl.col("line")),
                SAUI=pl.lit(""),
                SCUI=pl.format("M{}", pl.col("concept")),
                SDUI=pl.lit(""),
                SAB="SAB",
                TTY="TTY",
                CODE=pl.format("M{}", pl.col("concept")),
                STR="STR",
                SRL=pl.lit("0"),
                SUPPRESS=pl.when(pl.col("suppressed")).then(pl.lit("O")).otherwise(pl.lit("N")),
                CVF=pl.lit(""),
                end=pl.lit(""),
            ).write_csv(file, include_header=False, separator="|", quote_style="never")


def _cui(concept: pl.Expr) -> pl.Expr:
    return pl.format("C{}", concept.cast(pl.String).str.zfill(7))


def _names(
    rng: np.random.Generator,
    kind: _Kind,
    concept: npt.NDArray[np.int64],
    counts: npt.NDArray[np.int64],
    lexicon: pl.Series,
    start: dict[str, tuple[int, int]],
) -> pl.DataFrame:
    """Names of concepts of one kind: a first one, and others that vary it or are new."""
    base = _fill(rng, kind, len(concept), start)
    owner = np.repeat(np.arange(len(concept)), counts)
    place = np.arange(len(owner)) - np.repeat(np.cumsum(counts) - counts, counts)
    words = base[owner]
    change = np.where(place == 0, 0, rng.integers(8, size=len(owner)))
    # Changes 1 to 3 are other words in one to all places, 4 to 7 other ways to write the same.
    fresh = _fill(rng, kind, len(owner), start)
    swap = rng.random(words.shape) < np.choose(np.minimum(change, 4), [0, 0.25, 0.6, 1, 0])[:, None]
    words = np.where(swap & (words != _ABSENT) & (fresh != _ABSENT), fresh, words)
    turned = change == 4
    last = np.maximum((words != _ABSENT).sum(1) - 1, 0)
    shift = (np.arange(words.shape[1]) + 1) % (last[:, None] + 1)
    at = np.where(np.arange(words.shape[1]) <= last[:, None], shift, np.arange(words.shape[1]))
    words = np.where(turned[:, None], np.take_along_axis(words, at, axis=1), words)
    columns = {
        str(number): lexicon.gather(pl.Series(np.maximum(column, 0))).zip_with(
            pl.Series(column != _ABSENT), pl.Series([None], dtype=pl.String)
        )
        for number, column in enumerate(words.T)
    }
    text = pl.concat_str(list(columns), separator=kind.separator, ignore_nulls=True)
    tail = pl.col("change").replace_strict(
        {5: " (disorder)", 6: ", NOS", 7: "s"}, default="", return_dtype=pl.String
    )
    rows = pl.DataFrame(
        {
            **columns,
            "concept": concept[owner],
            "place": place,
            "change": change,
            "SAB": np.array(kind.vocabularies)[
                np.minimum(rng.geometric(0.5, len(owner)) - 1, len(kind.vocabularies) - 1)
            ],
            "TTY": np.where(
                place == 0, "PT", np.array(_TERM_TYPES)[rng.integers(7, size=len(owner))]
            ),
            "suppressed": (place > 0) & (rng.random(len(owner)) < _SUPPRESSED),
        }
    ).select("concept", "place", "SAB", "TTY", "suppressed", STR=pl.concat_str(text, tail))
    # What came out as another name of its concept did is told from it, as UMLS does with <2>.
    return rows.with_columns(
        STR=pl.when(pl.struct("concept", "STR").is_first_distinct())
        .then("STR")
        .otherwise(pl.format("{} <{}>", "STR", "place"))
    )


def _write_types(folder: Path, rng: np.random.Generator, kind: npt.NDArray[np.int64]) -> None:
    parts = []
    for number, of_kind in enumerate(_KINDS):
        concept = np.flatnonzero(kind == number)
        codes, shares = zip(*of_kind.types, strict=True)
        drawn = np.array(codes)[rng.choice(len(codes), size=len(concept), p=shares)]
        parts.append(pl.DataFrame({"concept": concept, "TUI": drawn}))
        # A fifth of the chemicals have a second type, as in UMLS.
        if number == 2:
            also = concept[rng.random(len(concept)) < 0.5]
            parts.append(pl.DataFrame({"concept": also, "TUI": ["T121"] * len(also)}))
    types = pl.concat(parts).unique().sort("concept", "TUI")
    empty = pl.lit("")
    types.select(
        _cui(pl.col("concept")), "TUI", a=empty, b=empty, c=empty, d=empty, e=empty
    ).write_csv(folder / "MRSTY.RRF", include_header=False, separator="|", quote_style="never")


def _write_hierarchy(folder: Path, rng: np.random.Generator, kind: npt.NDArray[np.int64]) -> None:
    """A tree over the clinical concepts: every one's parent is one of a smaller number."""
    clinical = np.flatnonzero(kind == 0)
    if len(clinical) < 2:
        (folder / "MRREL.RRF").write_bytes(b"")
        return
    # Parents from the first tenth of the ranks before: some ten levels, as in SNOMED CT.
    rank = np.arange(1, len(clinical))
    parent = clinical[(rank * rng.random(len(rank)) ** 2 / 3).astype(np.int64)]
    empty = pl.lit("")
    pl.DataFrame({"child": clinical[1:], "parent": parent}).select(
        CUI1=_cui(pl.col("child")),
        AUI1=empty,
        STYPE1=pl.lit("AUI"),
        REL=pl.lit("PAR"),
        CUI2=_cui(pl.col("parent")),
        AUI2=empty,
        STYPE2=pl.lit("AUI"),
        RELA=pl.lit("inverse_isa"),
        RUI=empty,
        SRUI=empty,
        SAB=pl.lit("SNOMEDCT_US"),
        SL=pl.lit("SNOMEDCT_US"),
        RG=empty,
        DIR=empty,
        SUPPRESS=pl.lit("N"),
        CVF=empty,
        end=empty,
    ).write_csv(folder / "MRREL.RRF", include_header=False, separator="|", quote_style="never")
