"""Compile release files into a concept store."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import fields
from datetime import UTC, datetime
from hashlib import sha256
from io import BufferedReader
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from ontologies.concept import Concept
from ontologies.errors import OntologyError
from ontologies.exact import LEVELS, index_forms
from ontologies.formats import FORMATS
from ontologies.hierarchy import closure
from ontologies.ngrams import GramIndex, index_grams
from ontologies.normalise import FORMS_VERSION, normal_form
from ontologies.release import Release, Source
from ontologies.schema import CONCEPT_ANCESTORS, CONCEPT_NAMES, CONCEPTS
from ontologies.store import (
    INDEX_FOLDER,
    INDEX_VERSION,
    RELEASE_FILE,
    STORE_KIND,
    ConceptIndex,
    FormIndex,
    NameIndex,
    read_manifest,
    text_rows,
)
from ontologies.stream import open_stream
from ontologies.table import PolarsType

BUILDER_VERSION = 1
"""Raised when the same sources give other tables or another index; part of ``release_id``."""

_BATCH = 50_000
_RAW: dict[str, PolarsType] = {
    "concept_id": pl.String,
    "concept_name": pl.String,
    "synonyms": pl.List(pl.String),
    "semantic_types": pl.List(pl.String),
    "tree_numbers": pl.List(pl.String),
    "definition": pl.String,
    "mapped_to": pl.List(pl.String),
    "is_supplementary": pl.Boolean,
    "line": pl.Int64,
}


def build_store(
    sources: Sequence[tuple[str, Path]],
    out: Path,
    *,
    progress: Callable[[str], None] | None = None,
) -> Release:
    """Compile release files into a store folder.

    The store is written beside ``out``, synced and renamed, so that a kill leaves either the old
    store or the new one, at worst (between two renames) none, never half of one.

    Args:
        sources: pairs of a format (a key of ``FORMATS``) and a path.
        out: the store's folder; replaced if it is a store or empty.
        progress: called with one line for each step.

    Returns:
        What was built; ``release_id`` depends on the content of the sources and the builder's
        version only.

    Raises:
        OntologyError: no sources, an unknown format, a source that cannot be used, a concept
            defined twice, or an ``out`` that is something else than a store.
    """
    say = progress or (lambda line: None)
    out = Path(os.path.realpath(out))
    _check_target(out)
    if not sources:
        raise OntologyError("no ontology given; name a release file, for example --mesh desc.xml")
    for kind, path in sources:
        if kind not in FORMATS:
            known = ", ".join(FORMATS)
            raise OntologyError(f"{path}: unknown format {kind}; known formats: {known}")
    frames = []
    for number, (kind, path) in enumerate(sources):
        frame = _read(kind, path).with_columns(source=pl.lit(number))
        say(f"read {path.name}: {frame.height:,} concepts")
        frames.append(frame)
    raw = pl.concat(frames)
    _check_unique(raw, [path for _, path in sources])
    release_id, described = _describe(sources, frames)
    raw = _take_over_branches(raw.sort("concept_id"))
    concepts = CONCEPTS.conform(raw.with_columns(release_id=pl.lit(release_id)))
    names = CONCEPT_NAMES.conform(_names(raw).with_columns(release_id=pl.lit(release_id)))
    say(f"{concepts.height:,} concepts with {names.height:,} names")
    ancestors = CONCEPT_ANCESTORS.conform(
        closure(concepts).with_columns(release_id=pl.lit(release_id))
    )
    say(f"hierarchy: {ancestors.height:,} pairs of concept and ancestor")
    types = tuple(concepts["semantic_types"].explode().drop_nulls().unique().sort())
    arrays = _index(concepts, names, raw["is_supplementary"], types)
    say("index of names done")
    release = Release(
        release_id=release_id,
        name=_title(sources),
        attribution="; ".join(dict.fromkeys(FORMATS[kind].attribution for kind, _ in sources)),
        sources=tuple(described),
        concepts=concepts.height,
        names=names.height,
        semantic_types=types,
        builder_version=BUILDER_VERSION,
        created_at=datetime.now(UTC).isoformat(timespec="seconds"),
    )
    with _replacing(out) as folder:
        for table, frame in (
            (CONCEPTS, concepts),
            (CONCEPT_NAMES, names),
            (CONCEPT_ANCESTORS, ancestors),
        ):
            frame.write_parquet(folder / f"{table.name}.parquet", compression="zstd")
        (folder / INDEX_FOLDER).mkdir()
        for name, array in arrays.items():
            np.save(folder / INDEX_FOLDER / f"{name}.npy", array, allow_pickle=False)
        _write_manifest(folder, release)
    say(f"store {release_id} written to {out}")
    return release


def _read(kind: str, path: Path) -> pl.DataFrame:
    """All concepts of a source, in file order; batches keep Python objects few."""
    concepts = FORMATS[kind].read(path)
    columns = [field.name for field in fields(Concept)]
    batches = []
    while batch := list(islice(concepts, _BATCH)):
        values = {name: [getattr(concept, name) for concept in batch] for name in columns}
        batches.append(pl.DataFrame(values, schema=_RAW))
    return pl.concat(batches) if batches else pl.DataFrame(schema=_RAW)


def _check_unique(raw: pl.DataFrame, paths: Sequence[Path]) -> None:
    first = pl.col("concept_id").is_first_distinct()
    again = raw.filter(~first).head(1)
    if again.is_empty():
        return
    row = again.row(0, named=True)
    before = raw.filter(first, pl.col("concept_id") == row["concept_id"]).row(0, named=True)
    raise OntologyError(
        f"{paths[row['source']]}:{row['line']}: {row['concept_id']} is already defined at"
        f" {paths[before['source']]}:{before['line']}; give each release file once"
    )


def _describe(
    sources: Sequence[tuple[str, Path]], frames: Sequence[pl.DataFrame]
) -> tuple[str, list[Source]]:
    """Release id and description of the sources."""
    described, fingerprints = [], []
    for (kind, path), frame in zip(sources, frames, strict=True):
        files = {}
        for file in FORMATS[kind].files(path):
            with file.open("rb") as stored, open_stream(file) as content:
                files[file.name] = _hash(stored)
                # Compressed again, the same content has another hash but is the same release.
                fingerprints.append(f"{kind} {_hash(content)}")
        synonyms = int(frame["synonyms"].list.len().sum() or 0)
        described.append(
            Source(format=kind, files=files, concepts=frame.height, names=frame.height + synonyms)
        )
    text = "\n".join([f"builder {BUILDER_VERSION}.{FORMS_VERSION}", *sorted(fingerprints)])
    kinds = "-".join(sorted({kind for kind, _ in sources}))
    return f"{kinds}-{sha256(text.encode()).hexdigest()[:12]}", described


def _hash(stream: BufferedReader) -> str:
    digest = sha256()
    while block := stream.read(1 << 20):
        digest.update(block)
    return digest.hexdigest()


def _title(sources: Sequence[tuple[str, Path]]) -> str:
    titles = " + ".join(dict.fromkeys(FORMATS[kind].title for kind, _ in sources))
    return f"{titles} ({', '.join(path.name for _, path in sources)})"


def _take_over_branches(raw: pl.DataFrame) -> pl.DataFrame:
    """Give mapped concepts the types of the concepts they are mapped to, besides their own."""
    mapped = raw.select("concept_id", target="mapped_to").explode("target", empty_as_null=False)
    targets = raw.select(target="concept_id", taken="semantic_types")
    taken = (
        mapped.join(targets, on="target")
        .explode("taken", empty_as_null=False)
        .group_by("concept_id")
        .agg("taken")
    )
    own = pl.col("semantic_types")
    extra = pl.col("taken").fill_null(pl.lit([], dtype=pl.List(pl.String)))
    return (
        raw.join(taken, on="concept_id", how="left")
        .with_columns(semantic_types=own.list.concat(extra).list.unique().list.sort())
        .drop("taken")
        .sort("concept_id")
    )


def _names(raw: pl.DataFrame) -> pl.DataFrame:
    """One row per concept and name: the preferred one first, synonyms by alphabet."""
    preferred = raw.select("concept_id", name="concept_name", is_preferred=pl.lit(True))
    synonyms = (
        raw.select("concept_id", name="synonyms")
        .explode("name", empty_as_null=False)
        .with_columns(is_preferred=pl.lit(False))
    )
    return (
        pl.concat([preferred, synonyms])
        .sort("concept_id", "is_preferred", "name", descending=[False, True, False])
        .unique(["concept_id", "name"], keep="first", maintain_order=True)
    )


def _index(
    concepts: pl.DataFrame,
    names: pl.DataFrame,
    supplementary: pl.Series,
    types: Sequence[str],
) -> dict[str, npt.NDArray[Any]]:
    """All index arrays by file stem ``group.field``."""
    texts = names["name"].to_list()
    forms = [normal_form(text) for text in texts]
    type_rows = concepts["semantic_types"]
    codes = type_rows.explode(empty_as_null=False).replace_strict(
        list(types), list(range(len(types))), return_dtype=pl.Int32
    )
    text_start, text = text_rows(texts)
    concept_row = pl.DataFrame({"concept_id": concepts["concept_id"]}).with_row_index("row")
    groups: dict[str, object] = {
        "concept": ConceptIndex(
            identifier=np.array([identifier.encode() for identifier in concepts["concept_id"]]),
            supplementary=supplementary.to_numpy(),
            type_start=np.cumsum([0, *type_rows.list.len()], dtype=np.int64),
            type_code=codes.to_numpy(),
        ),
        "name": NameIndex(
            concept=names.select("concept_id")
            .join(concept_row, on="concept_id", how="left", maintain_order="left")["row"]
            .cast(pl.Int32)
            .to_numpy(),
            preferred=names["is_preferred"].to_numpy(),
            text_start=text_start,
            text=text,
        ),
    }
    groups["form"], groups["grams"] = _near(forms)
    for level in LEVELS:
        groups[f"exact-{level.name}"] = index_forms([level.form(form) for form in forms])
    return {
        f"{group}.{field}": array
        for group, index in groups.items()
        for field, array in vars(index).items()
    }


def _near(forms: Sequence[str]) -> tuple[FormIndex, GramIndex]:
    frame = pl.DataFrame({"form": forms}, schema={"form": pl.String}).with_row_index("name")
    distinct = (
        frame.filter(pl.col("form") != "").group_by("form").agg(pl.col("name").sort()).sort("form")
    )
    index = FormIndex(
        name_start=np.cumsum([0, *distinct["name"].list.len()], dtype=np.int64),
        name=distinct["name"].explode(empty_as_null=False).cast(pl.Int32).to_numpy(),
    )
    return index, index_grams(distinct["form"].to_list())


def _write_manifest(folder: Path, release: Release) -> None:
    files = {
        str(file.relative_to(folder)): file.stat().st_size
        for file in sorted(folder.rglob("*"))
        if file.is_file()
    }
    document = {
        "kind": STORE_KIND,
        "index_version": INDEX_VERSION,
        "release": release.model_dump(mode="json"),
        "files": files,
    }
    (folder / RELEASE_FILE).write_text(json.dumps(document, indent=1) + "\n")


def _check_target(out: Path) -> None:
    if not out.exists():
        return
    if not out.is_dir():
        raise OntologyError(f"{out}: is a file, not a folder; name another --out")
    try:
        ours = read_manifest(out) is not None
    except OntologyError:
        ours = False
    if not ours and any(out.iterdir()):
        raise OntologyError(
            f"{out}: holds files but no concept store, so it is not overwritten;"
            " name another --out or empty the folder"
        )


@contextmanager
def _replacing(out: Path) -> Iterator[Path]:
    """A folder beside ``out`` to write to; synced and put in its place if all went well."""
    out.parent.mkdir(parents=True, exist_ok=True)
    prefix = f".{out.name}.building-"
    _sweep(out.parent, prefix)
    folder = Path(tempfile.mkdtemp(prefix=prefix, dir=out.parent))
    # The lock goes with the process, so that a later build can tell leftovers from builds at work.
    lock = _lock(folder)
    try:
        yield folder
        folder.chmod(0o755)
        _sync(folder)
        if out.exists():
            old = Path(tempfile.mkdtemp(prefix=prefix, dir=out.parent))
            out.rename(old)
            folder.rename(out)
            shutil.rmtree(old)
        else:
            folder.rename(out)
        _sync_entry(out.parent)
    finally:
        if lock is not None:
            os.close(lock)
        if folder.exists():
            shutil.rmtree(folder)


def _sweep(parent: Path, prefix: str) -> None:
    """Remove what killed builds left."""
    for leftover in parent.iterdir():
        if leftover.name.startswith(prefix) and leftover.is_dir():
            lock = _lock(leftover)
            if lock is not None:
                shutil.rmtree(leftover, ignore_errors=True)
                os.close(lock)


def _lock(folder: Path) -> int | None:
    """A descriptor that holds the folder's lock, or None if another process holds it."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        return None
    return descriptor


def _sync(folder: Path) -> None:
    for entry in [*folder.rglob("*"), folder]:
        _sync_entry(entry)


def _sync_entry(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
