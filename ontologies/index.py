"""The arrays that a store is searched by, made from its tables and written as they are made.

Names go through in chunks: what depends on one name alone is computed by several processes where
there are many, and laid down in files. Each group of arrays is then made from those files.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import numpy.typing as npt
import polars as pl

from ontologies.arrays import (
    ArrayFile,
    array_path,
    load_array,
    row_starts,
    write_group,
)
from ontologies.blocks import order_forms
from ontologies.exact import LEVELS, index_hashes
from ontologies.forms import forms_of
from ontologies.ngrams import write_grams
from ontologies.phrases import PhraseIndex, join_phrases, phrase_rows
from ontologies.pool import Spread, spreading
from ontologies.store import ConceptIndex, NameIndex, ReplacedIndex
from ontologies.tables import Tables
from ontologies.texts import TextFile, TextRows, text_rows

_CHUNK = 20_000
_FEW = 300_000
"""So many names are done before further processes have started."""


@dataclass(frozen=True)
class _Forms:
    """The forms of all names, in files.

    Attributes:
        normal: normal forms, in the order of the names.
        folded: folded texts of the normal forms.
        hashes: for each exact level the hashes of the names' forms, shape (names, 2).
    """

    normal: TextRows
    folded: TextRows
    hashes: list[npt.NDArray[np.uint64]]


def make_index(tables: Tables, types: Sequence[str], folder: Path, workers: int) -> None:
    """Write all index arrays to a folder, as files ``group.field.npy``.

    Args:
        tables: of the store.
        types: all type codes, sorted.
        folder: where the files go.
        workers: processes to spread names over, where there are many. What is written does not
            depend on it.
    """
    few = tables.names.height < _FEW
    with TemporaryDirectory(dir=folder) as scratch, spreading(1 if few else workers) as spread:
        write_group(folder, "concept", _concepts(tables, types))
        write_group(folder, "replaced", _replaced(tables))
        names = _names(tables)
        write_group(folder, "name", names)
        forms = _write_forms(tables.names["name"], folder, Path(scratch), spread)
        strict = index_hashes(forms.hashes[0])
        write_group(folder, f"exact-{LEVELS[0].name}", strict)
        for level, hashes in zip(LEVELS[1:], forms.hashes[1:], strict=True):
            write_group(folder, f"exact-{level.name}", index_hashes(hashes))
        near, block = order_forms(strict, _kinds(tables)[names.concept])
        write_group(folder, "form", near)
        first = near.name[near.name_start[:-1]]
        write_grams(folder, "grams", forms.folded, first, block, spread)
        write_group(folder, "phrase", _phrases(tables.names["name"], forms.normal, names.loose))


def _concepts(tables: Tables, types: Sequence[str]) -> ConceptIndex:
    of_concept = tables.concepts["semantic_types"]
    code = pl.DataFrame(
        {"type": types, "code": np.arange(len(types), dtype=np.int32)},
        schema={"type": pl.String, "code": pl.Int32},
    )
    given = of_concept.explode().drop_nulls().to_frame("type")
    return ConceptIndex(
        identifier=_identifiers(tables.concepts["concept_id"]),
        supplementary=tables.supplementary.to_numpy(),
        type_start=row_starts(of_concept.list.len().to_numpy()),
        type_code=given.join(code, on="type", how="left", maintain_order="left")["code"].to_numpy(),
    )


def _names(tables: Tables) -> NameIndex:
    names = tables.names
    return NameIndex(
        # Names are in the order of the concepts, and every concept has one.
        concept=names["concept_id"].rle_id().cast(pl.Int32).to_numpy(),
        preferred=names["is_preferred"].to_numpy(),
        loose=names["relation"].is_not_null().to_numpy(),
        count=tables.counts.cast(pl.Int32).to_numpy(),
    )


def _replaced(tables: Tables) -> ReplacedIndex:
    return ReplacedIndex(
        old=_identifiers(tables.replacements["old_id"]),
        new=_identifiers(tables.replacements["concept_id"]),
    )


def _phrases(names: pl.Series, forms: TextRows, loose: npt.NDArray[np.bool_]) -> PhraseIndex:
    bounds = [(low, min(low + _CHUNK, len(names))) for low in range(0, len(names), _CHUNK)]
    return join_phrases(
        phrase_rows(
            low, names.slice(low, high - low).to_list(), forms.texts(low, high), loose[low:high]
        )
        for low, high in bounds
    )


def _identifiers(ids: pl.Series) -> npt.NDArray[np.bytes_]:
    width = max(ids.str.len_bytes().to_numpy().max(initial=1), 1)
    array: npt.NDArray[np.bytes_] = np.zeros(len(ids), dtype=f"S{int(width)}")
    for low in range(0, len(ids), _CHUNK):
        array[low : low + _CHUNK] = [i.encode() for i in ids.slice(low, _CHUNK)]
    return array


def _kinds(tables: Tables) -> npt.NDArray[np.int64]:
    """A number for each concept, the same for concepts of the same types, in the types' order."""
    joined = tables.concepts["semantic_types"].list.join(" ")
    return (joined.rank("dense").cast(pl.Int64) - 1).to_numpy()


def _write_forms(names: pl.Series, folder: Path, scratch: Path, spread: Spread) -> _Forms:
    """Write the texts of the names to the index, and their forms to files that are not kept."""

    def chunks() -> Iterator[list[str]]:
        for low in range(0, len(names), _CHUNK):
            yield names.slice(low, _CHUNK).to_list()

    def path(group: str, field: str) -> Path:
        return array_path(scratch, group, field)

    with ExitStack() as files:
        texts, normal, folded = (
            files.enter_context(
                TextFile(array_path(place, group, "start"), array_path(place, group, "text"))
            )
            for place, group in ((folder, "text"), (scratch, "normal"), (scratch, "folded"))
        )
        hashes = [
            files.enter_context(ArrayFile(path("hash", level.name), np.uint64, (2,)))
            for level in LEVELS
        ]
        for chunk, forms in zip(chunks(), spread(forms_of, chunks()), strict=True):
            texts.append(text_rows(chunk))
            normal.append(forms.normal)
            folded.append(forms.folded)
            for file, of_level in zip(hashes, forms.hashes, strict=True):
                file.append(of_level)
    return _Forms(
        normal=TextRows(load_array(path("normal", "start")), load_array(path("normal", "text"))),
        folded=TextRows(load_array(path("folded", "start")), load_array(path("folded", "text"))),
        hashes=[load_array(path("hash", level.name)) for level in LEVELS],
    )
