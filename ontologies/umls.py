"""Concepts of the UMLS Metathesaurus, from the folder META of a release.

Format: https://www.ncbi.nlm.nih.gov/books/NBK9685/, columns and their values:
https://www.nlm.nih.gov/research/umls/knowledge_sources/metathesaurus/release/columns_data_elements.html.
Full releases and subsets made by MetamorphoSys have the same files.
"""

from __future__ import annotations

from pathlib import Path

import polars as pl

from ontologies.content import PARENT_COLUMNS, Content, ReadOptions
from ontologies.errors import OntologyError
from ontologies.umls_meta import (
    COLUMNS,
    Meta,
    among,
    check_folder,
    find_file,
    layouts,
    release_version,
)

TITLE = "UMLS Metathesaurus"
ATTRIBUTION = (
    "UMLS Metathesaurus: U.S. National Library of Medicine and the owners of its source"
    " vocabularies"
)

_PREFIX = "UMLS:"
_DEFINED_BY = ("MSH", "NCI")
_LONGEST_CHAIN = 100


def umls_files(path: Path, options: ReadOptions) -> list[Path]:
    """The files of a META folder that decide what ``read_umls`` reads from it.

    MRREL.RRF, six gigabytes in a full release, is one only where the hierarchy is wanted.

    Raises:
        OntologyError: no folder, or none with MRCONSO.RRF.
    """
    check_folder(path)
    names = [name for name in COLUMNS if options.hierarchy or name != "MRREL.RRF"]
    return [file for name in names if (file := find_file(path, name))]


def read_umls(path: Path, options: ReadOptions) -> Content:
    """Read the concepts of a META folder.

    All files but MRCONSO.RRF may be missing. Each may be plain or gzip (``MRCONSO.RRF.gz``);
    MERGEDCUI.RRF stands in the folder itself or in its folder CHANGE. Names of the languages and
    vocabularies wanted are read (all, where none are chosen), those marked as suppressed
    (SUPPRESS other than ``N``) only if asked for.

    The preferred name is the best of the names that are left: not suppressed first, then the
    highest RANK that MRRANK.RRF gives its vocabulary and term type, then TS ``P``, STT ``PF``,
    ISPREF ``Y``, in that order, then the lowest AUI. In a full release that is the name NLM
    itself prefers; among chosen vocabularies it is the highest ranked of theirs. A name that
    stands more than once for a concept keeps the tag and vocabulary of its best row. ``line`` of
    a concept is that of the first of its names.

    The definition is MeSH's, else that of the NCI Thesaurus, else that of the first vocabulary by
    alphabet; only vocabularies that name a concept in the languages wanted are asked, so that
    definitions are in those languages too.

    Parents are read from MRREL.RRF if ``options.hierarchy`` asks for them, see ``_parents``.
    Earlier ids are followed along MERGEDCUI.RRF and the synonymous ones (REL ``SY``) of
    MRCUI.RRF, never along those that are only broader, narrower or otherwise related.

    The version is that of MRDOC.RRF, else one in the folder's path, such as ``2026AA``.

    Args:
        path: the folder.
        options: which names and concepts, and what to do about rows that cannot be used.

    Raises:
        OntologyError: there is no such folder or no MRCONSO.RRF in it, a file is truncated, not
            UTF-8 or not of its format, or no names are left; also for a row that cannot be used,
            unless ``options.problems`` is lenient.
    """
    check_folder(path)
    meta = Meta(path, layouts(path, options.problems), options)
    types = meta.read("MRSTY.RRF", ("CUI", "TUI"), filled=("CUI", "TUI"))
    names = _names(meta, types)
    concepts = names.unique("CUI", keep="first", maintain_order=True)
    kept = concepts.select("CUI")
    vocabularies = names["SAB"].unique()
    names = names.select("CUI", "STR", "TTY", "SAB").unique(
        ["CUI", "STR"], keep="first", maintain_order=True
    )
    return Content(
        concepts=_concepts(concepts, types, _definitions(meta, kept, vocabularies)),
        names=names.select(
            concept_id=_PREFIX + pl.col("CUI"),
            name="STR",
            lexical_tag="TTY",
            relation=pl.lit(None, pl.String),
            vocabulary="SAB",
        ),
        parents=_parents(meta, kept),
        replaced=_replaced(meta, kept),
        version=release_version(path, meta.columns),
    )


def _names(meta: Meta, types: pl.DataFrame) -> pl.DataFrame:
    """Names as CUI, STR, TTY, SAB: by the concept's first line, best first, and that line."""
    options = meta.options
    typed = None
    if options.semantic_types:
        if find_file(meta.folder, "MRSTY.RRF") is None:
            raise OntologyError(
                f"{meta.folder}: holds no MRSTY.RRF, which says what has which semantic type; add"
                " it, or read all semantic types"
            )
        typed = types.filter(among("TUI", options.semantic_types)).select("CUI").unique()
    ranks = _ranks(meta)
    # One number orders names as the five columns would; RANK is far below a million.
    flags = (
        4 * (pl.col("TS") == "P").cast(pl.Int64)
        + 2 * (pl.col("STT") == "PF").cast(pl.Int64)
        + (pl.col("ISPREF") == "Y").cast(pl.Int64)
    )
    unsuppressed = (pl.col("SUPPRESS") == "N").cast(pl.Int64)

    def keep(rows: pl.DataFrame) -> pl.DataFrame:
        rows = rows.filter(
            among("LAT", options.languages), meta.of_vocabularies(), meta.unsuppressed()
        )
        if typed is not None:
            rows = rows.join(typed, on="CUI", how="semi")
        return rows.join(ranks, on=["SAB", "TTY"], how="left").select(
            "CUI",
            "STR",
            "TTY",
            "SAB",
            "line",
            score=8 * (1_000_000 * unsuppressed + pl.col("RANK").fill_null(0)) + flags,
            aui=pl.col("AUI").str.strip_prefix("A").cast(pl.Int64, strict=False),
        )

    wanted = ("CUI", "LAT", "TS", "STT", "ISPREF", "AUI", "SAB", "TTY", "STR", "SUPPRESS")
    names = meta.read("MRCONSO.RRF", wanted, keep, filled=("CUI", "STR"))
    if names.is_empty():
        raise OntologyError(
            f"{find_file(meta.folder, 'MRCONSO.RRF')}: holds no names {_choice(options)}; give a"
            " complete release, or choose others"
        )
    return (
        names.with_columns(first=pl.col("line").min().over("CUI"))
        .sort(
            ["first", "score", "aui", "line"],
            descending=[False, True, False, False],
            nulls_last=True,
        )
        .select("CUI", "STR", "TTY", "SAB", "first")
    )


def _ranks(meta: Meta) -> pl.DataFrame:
    """RANK of each SAB and TTY; higher is better."""
    rows = meta.read("MRRANK.RRF", ("RANK", "SAB", "TTY")).with_columns(
        pl.col("RANK").cast(pl.Int64, strict=False)
    )
    meta.report("MRRANK.RRF", rows.filter(pl.col("RANK").is_null()), "RANK is not a number")
    return rows.group_by("SAB", "TTY").agg(pl.col("RANK").max())


def _concepts(
    concepts: pl.DataFrame, types: pl.DataFrame, definitions: pl.DataFrame
) -> pl.DataFrame:
    types = (
        types.join(concepts, on="CUI", how="semi")
        .group_by("CUI")
        .agg(semantic_types=pl.col("TUI").unique().sort())
    )
    none = pl.lit([], pl.List(pl.String))
    return (
        concepts.join(types, on="CUI", how="left")
        .join(definitions, on="CUI", how="left")
        .sort("first")
        .select(
            concept_id=_PREFIX + pl.col("CUI"),
            concept_name="STR",
            semantic_types=pl.col("semantic_types").fill_null(none),
            tree_numbers=none,
            definition="DEF",
            registry_numbers=none,
            actions=none,
            mapped_to=none,
            is_supplementary=pl.lit(False),
            line="first",
        )
    )


def _definitions(meta: Meta, kept: pl.DataFrame, vocabularies: pl.Series) -> pl.DataFrame:
    """The best definition of each concept, as CUI and DEF."""
    preference = pl.lit(len(_DEFINED_BY))
    for place, vocabulary in enumerate(_DEFINED_BY):
        preference = pl.when(pl.col("SAB") == vocabulary).then(place).otherwise(preference)

    def keep(rows: pl.DataFrame) -> pl.DataFrame:
        return rows.filter(
            meta.unsuppressed(),
            pl.col("SAB").is_in(vocabularies.implode()),
            pl.col("DEF") != "",
        ).drop("SUPPRESS")

    return (
        meta.read("MRDEF.RRF", ("CUI", "SAB", "DEF", "SUPPRESS"), keep)
        .join(kept, on="CUI", how="semi")
        .sort(preference, "SAB", "line")
        .unique("CUI", keep="first", maintain_order=True)
        .select("CUI", "DEF")
    )


def _parents(meta: Meta, kept: pl.DataFrame) -> pl.DataFrame:
    """Who is a kind of whom, by whose word.

    MRREL's REL and RELA say what the second concept is to the first: with REL ``PAR`` and RELA
    ``inverse_isa`` CUI2 is the parent of CUI1, with ``CHD`` and ``isa`` its child. Relations of
    parent and child whose RELA is empty are taken, those of another RELA, ``part_of`` for
    example, are not. Other relations (``RB``, ``RN``, ``RO``) are taken if RELA says is-a. Where
    both speak, REL tells the direction, for it is the label that NLM gives.
    """
    if not meta.options.hierarchy:
        return pl.DataFrame(schema=PARENT_COLUMNS)
    rel, rela = pl.col("REL"), pl.col("RELA")
    hierarchical = rel.is_in(["PAR", "CHD"])
    second_is_parent = (rel == "PAR") | (~hierarchical & (rela == "inverse_isa"))

    def keep(rows: pl.DataFrame) -> pl.DataFrame:
        pairs = rows.filter(
            rela.is_in(["isa", "inverse_isa"]) | (hierarchical & (rela == "")),
            pl.col("CUI1") != pl.col("CUI2"),
            meta.of_vocabularies(),
            meta.unsuppressed(),
        ).select(
            pl.when(second_is_parent).then("CUI1").otherwise("CUI2").alias("CUI"),
            pl.when(second_is_parent).then("CUI2").otherwise("CUI1").alias("parent"),
            "SAB",
        )
        return pairs.unique()

    return (
        meta.read("MRREL.RRF", ("CUI1", "REL", "CUI2", "RELA", "SAB", "SUPPRESS"), keep)
        .join(kept, on="CUI", how="semi")
        .join(kept, left_on="parent", right_on="CUI", how="semi")
        .unique()
        .sort("CUI", "parent", "SAB")
        .select(
            concept_id=_PREFIX + pl.col("CUI"),
            parent_id=_PREFIX + pl.col("parent"),
            vocabulary="SAB",
        )
    )


def _replaced(meta: Meta, kept: pl.DataFrame) -> pl.DataFrame:
    """Earlier ids and the kept concept each was merged into, over any number of releases.

    An id that was merged into several concepts has no replacement, nor has one that ends in a
    circle.
    """

    def synonymous(rows: pl.DataFrame) -> pl.DataFrame:
        rows = rows.filter(pl.col("REL") == "SY", pl.col("MAPIN") == "Y")
        return rows.select(old="CUI1", new="CUI2")

    merged = meta.read(
        "MERGEDCUI.RRF", ("PCUI", "CUI"), lambda rows: rows.select(old="PCUI", new="CUI")
    )
    history = meta.read("MRCUI.RRF", ("CUI1", "REL", "CUI2", "MAPIN"), synonymous)
    step = (
        pl.concat([merged, history])
        .unique()
        .join(kept, left_on="old", right_on="CUI", how="anti")
        .filter(pl.len().over("old") == 1)
    )
    further = step.rename({"old": "new", "new": "next"})
    ends = step
    for _ in range(_LONGEST_CHAIN):
        ends = ends.join(further, on="new", how="left")
        if ends["next"].null_count() == ends.height:
            break
        ends = ends.select("old", new=pl.coalesce("next", "new"))
    return (
        ends.join(kept, left_on="new", right_on="CUI", how="semi")
        .sort("old")
        .select(old_id=_PREFIX + pl.col("old"), concept_id=_PREFIX + pl.col("new"))
    )


def _choice(options: ReadOptions) -> str:
    chosen = {
        "languages": options.languages,
        "vocabularies": options.vocabularies,
        "semantic types": options.semantic_types,
    }
    parts = [f"{what} {', '.join(values)}" for what, values in chosen.items() if values]
    return f"of {' and '.join(parts)}" if parts else "at all"
