"""Compile release files into a concept store."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from io import BufferedReader
from pathlib import Path

import polars as pl

from ontologies.content import EXTRA_COLUMNS, REPLACED_COLUMNS, Content, ReadOptions
from ontologies.errors import OntologyError
from ontologies.formats import FORMATS
from ontologies.index import make_index
from ontologies.normalise import FORMS_VERSION
from ontologies.release import Release, Source
from ontologies.replacing import replacing
from ontologies.schema import CONCEPT_ANCESTORS, CONCEPT_NAMES, CONCEPT_REPLACEMENTS, CONCEPTS
from ontologies.store import (
    INDEX_FOLDER,
    INDEX_VERSION,
    RELEASE_FILE,
    STORE_KIND,
    read_manifest,
)
from ontologies.stream import open_stream
from ontologies.tables import make_tables

BUILDER_VERSION = 3
"""Raised when the same sources give other tables or another index; part of ``release_id``."""

_ROW_GROUP = 250_000


def build_store(
    sources: Sequence[tuple[str, Path]],
    out: Path,
    *,
    options: ReadOptions | None = None,
    extra: pl.DataFrame | None = None,
    replaced: pl.DataFrame | None = None,
    progress: Callable[[str], None] | None = None,
    workers: int | None = None,
) -> Release:
    """Compile release files into a store folder.

    The store is written beside ``out``, synced and renamed, so that a kill leaves either the old
    store or the new one, at worst (between two renames) none, never half of one.

    Args:
        sources: pairs of a format (a key of ``FORMATS``) and a path.
        out: the store's folder; replaced if it is a store or empty.
        options: what of the releases is read, and what is done about rows that cannot be used;
            ``options.problems.found`` lists them afterwards.
        extra: further names, columns ``concept_id``, ``name`` and ``count``.
        replaced: further ids that others took the place of, columns ``old_id`` and ``concept_id``.
        progress: called with one line for each step.
        workers: processes for the index of a large store, one for each core if None. They are
            spawned, so a script that builds one stands below ``if __name__ == "__main__":``.

    Returns:
        What was built; ``release_id`` depends on the content of the sources, the options, the
        further names and ids, and the builder's version only.

    Raises:
        OntologyError: no sources, an unknown format, a source that cannot be used, a concept
            defined twice, or an ``out`` that is something else than a store.
    """
    say = progress or (lambda line: None)
    options = options or ReadOptions()
    extra = pl.DataFrame(schema=EXTRA_COLUMNS) if extra is None else extra
    replaced = pl.DataFrame(schema=REPLACED_COLUMNS) if replaced is None else replaced
    out = Path(os.path.realpath(out))
    _check_target(out)
    if not sources:
        raise OntologyError("no ontology given; name a release file, for example --mesh desc.xml")
    for kind, path in sources:
        if kind not in FORMATS:
            known = ", ".join(FORMATS)
            raise OntologyError(f"{path}: unknown format {kind}; known formats: {known}")
    contents = []
    for kind, path in sources:
        content = FORMATS[kind].read(path, options)
        say(f"read {path.name}: {content.concepts.height:,} concepts")
        contents.append((path, content))
    described, fingerprints = _describe(sources, [content for _, content in contents], options)
    release_id = _release_id(sources, [*fingerprints, *_settled(options, extra, replaced)])
    tables = make_tables(contents, extra, replaced, options.problems, release_id)
    # Frames of nine million names: what was read need not be held while the index is made.
    contents.clear()
    del content
    say(f"{tables.concepts.height:,} concepts with {tables.names.height:,} names")
    say(f"hierarchy: {tables.ancestors.height:,} pairs of concept and ancestor")
    types = tuple(tables.concepts["semantic_types"].explode().drop_nulls().unique().sort())
    release = Release(
        release_id=release_id,
        name=_title(sources),
        attribution="; ".join(dict.fromkeys(FORMATS[kind].attribution for kind, _ in sources)),
        sources=tuple(described),
        concepts=tables.concepts.height,
        names=tables.names.height,
        extra_names=extra.height,
        replacements=tables.replacements.height,
        problems=len(options.problems.found),
        semantic_types=types,
        builder_version=BUILDER_VERSION,
        created_at=datetime.now(UTC).isoformat(timespec="seconds"),
    )
    with replacing(out) as folder:
        for table, frame in (
            (CONCEPTS, tables.concepts),
            (CONCEPT_NAMES, tables.names),
            (CONCEPT_ANCESTORS, tables.ancestors),
            (CONCEPT_REPLACEMENTS, tables.replacements),
        ):
            frame.write_parquet(
                folder / f"{table.name}.parquet", compression="zstd", row_group_size=_ROW_GROUP
            )
        (folder / INDEX_FOLDER).mkdir()
        cores = len(os.sched_getaffinity(0)) if workers is None else workers
        make_index(tables, types, folder / INDEX_FOLDER, cores)
        say("index of names done")
        _write_manifest(folder, release)
    say(f"store {release_id} written to {out}")
    return release


def _describe(
    sources: Sequence[tuple[str, Path]], contents: Sequence[Content], options: ReadOptions
) -> tuple[list[Source], list[str]]:
    """Description of the sources, and a line for each of their files that its content decides."""
    described, fingerprints = [], []
    for (kind, path), content in zip(sources, contents, strict=True):
        files = {}
        for file in FORMATS[kind].files(path, options):
            with file.open("rb") as stored, open_stream(file) as inside:
                files[file.name] = _hash(stored)
                # Compressed again, the same content has another hash but is the same release.
                fingerprints.append(f"{kind} {_hash(inside)}")
        described.append(
            Source(
                format=kind,
                version=content.version,
                files=files,
                concepts=content.concepts.height,
                names=_count_names(content),
            )
        )
    return described, fingerprints


def _count_names(content: Content) -> int:
    preferred = content.concepts.select("concept_id", name="concept_name")
    return pl.concat([preferred, content.names.select("concept_id", "name")]).n_unique()


def _settled(options: ReadOptions, extra: pl.DataFrame, replaced: pl.DataFrame) -> list[str]:
    """What decides the store besides the sources' content; nothing where all is as by default."""
    lines = []
    plain = ReadOptions()
    for name in ("languages", "vocabularies", "semantic_types", "suppressed", "hierarchy"):
        if (value := getattr(options, name)) != getattr(plain, name):
            lines.append(f"{name} {sorted(value) if isinstance(value, tuple) else value}")
    for name, frame in (("extra", extra), ("replaced", replaced)):
        if len(frame):
            rows = frame.unique().sort(pl.all()).write_csv()
            lines.append(f"{name} {sha256(rows.encode()).hexdigest()}")
    return lines


def _release_id(sources: Sequence[tuple[str, Path]], fingerprints: Sequence[str]) -> str:
    text = "\n".join([f"builder {BUILDER_VERSION}.{FORMS_VERSION}", *sorted(fingerprints)])
    kinds = "-".join(sorted({kind for kind, _ in sources}))
    return f"{kinds}-{sha256(text.encode()).hexdigest()[:12]}"


def _hash(stream: BufferedReader) -> str:
    digest = sha256()
    while block := stream.read(1 << 20):
        digest.update(block)
    return digest.hexdigest()


def _title(sources: Sequence[tuple[str, Path]]) -> str:
    titles = " + ".join(dict.fromkeys(FORMATS[kind].title for kind, _ in sources))
    return f"{titles} ({', '.join(path.name for _, path in sources)})"


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
