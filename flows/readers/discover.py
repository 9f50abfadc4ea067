"""From what the user names (files, folders, globs) to the source files to read."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from flows.errors import SourceError
from flows.readers import READERS
from flows.readers.base import ROLES, TABLE, Reader, SourceFile
from flows.readers.compression import bare_name, open_binary
from flows.readers.remote import fetch, list_remote, outline
from flows.readers.tabular import map_columns
from flows.storage import is_url
from flows.work import is_work_folder

AUTO = "auto"
_SNIFFED_BYTES = 64 * 1024
_KNOWN = f"Name it with --format: {', '.join(READERS)}"
# It says how a file is written, not what it holds: many a .json beside a corpus is none of it.
_VAGUE_SUFFIX = ".json"
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")
# Text files that accompany a corpus and are no part of it.
_COMPANIONS = {"readme", "license", "licence", "copying", "notice", "changelog", "md5sums"}


def discover(
    sources: Sequence[str],
    *,
    format: str = AUTO,
    corpus: str | None = None,
    columns: Mapping[str, str] | None = None,
) -> list[SourceFile]:
    """Find the files to read, each with its format, corpus and column mapping.

    Order is that of ``sources``, sorted by path inside a folder or glob; a file named twice
    counts once. Folders are searched through, symbolic links followed; hidden files, work folders
    of warehouses, and in folders and globs files of unknown kind, are passed over. So are DuckDB
    files there, unless their format is named: warehouses lie beside notes. Only the head of each
    file is read.
    A file whose head shows that it cannot be read (empty, damaged, no text column) is kept with its
    ``problem``, as long as another source can be read.

    Args:
        sources: files, folders, or globs (``*``, ``?``, ``[]``, ``**``), as paths or URLs.
        format: a key of ``READERS``, or ``auto`` to go by suffix and content. A named format
            takes the files of its suffixes in a folder, or all of them where none has one.
        corpus: corpus name for all files; by default the reader's rule decides.
        columns: role (``id``, ``text`` ...) to column name, for tabular files; ``table`` to the
            name of a table, for files that hold several.

    Raises:
        SourceError: a source is missing or of unknown format, a folder or glob yields nothing, or
            no source at all can be read.
    """
    if format != AUTO and format not in READERS:
        raise SourceError(f"{format} is no known format", f"Known are {', '.join(READERS)}")
    if corpus is not None and (not corpus.strip() or ":" in corpus):
        raise SourceError("a corpus name must not be empty or hold a colon", "Choose another")
    for role in columns or {}:
        if role not in (*ROLES, TABLE):
            raise SourceError(
                f"{role} is no column role", f"Roles are {', '.join((*ROLES, TABLE))}"
            )
    if not sources:
        raise SourceError("no source is given", "Name files, folders or globs")
    found: dict[Path | str, SourceFile] = {}
    errors: list[SourceError] = []
    for source in sources:
        find = _find_remote if is_url(source) else _find
        for file in find(source, format, corpus, columns or {}, errors):
            found.setdefault(file.url or file.path.resolve(), file)
    files = list(found.values())
    if errors and all(file.problem for file in files):
        raise errors[0]
    if columns and not any(READERS[file.format].columns for file in files):
        raise SourceError("columns are given but no source is a table", "Leave --column out")
    if TABLE in (columns or {}) and not any(READERS[file.format].has_tables for file in files):
        raise SourceError(
            "a table is given but no source holds tables", "Leave --column table= out"
        )
    return files


def describe(file: SourceFile) -> dict[str, object]:
    """What a dry run shows of a source: path, format, corpus and mapped columns by role."""
    mapping = asdict(file.columns) if file.columns else {}
    described: dict[str, object] = {
        "path": file.place,
        "format": file.format,
        "corpus": file.corpus,
        "columns": {role: column for role, column in mapping.items() if column is not None},
    }
    return described | ({"problem": file.problem} if file.problem else {})


def _find(
    source: str,
    format: str,
    corpus: str | None,
    columns: Mapping[str, str],
    errors: list[SourceError],
) -> list[SourceFile]:
    path = Path(source).expanduser()
    try:
        path.stat()
    except PermissionError as error:
        raise SourceError(f"{source} may not be read", "Check its permissions") from error
    except OSError:
        pass
    if path.is_file():
        file = _look_at(path, None, format, corpus, columns, errors)
        if file is None:
            raise SourceError(f"the format of {path} is not recognised", _KNOWN)
        return [file]
    if path.is_dir():
        root, paths = path, sorted(_walk(path))
        what = f"folder {path}"
        if not paths:
            raise SourceError(f"{what} is empty")
    elif glob.has_magic(source):
        root = _fixed_part(path)
        # glob, unlike Path.glob, passes hidden files over.
        matches = (Path(match) for match in glob.glob(str(path), recursive=True))  # noqa: PTH207
        paths = sorted(
            match
            for match in matches
            if match.is_file() and not any(map(is_work_folder, match.parents))
        )
        what = f"glob {source}"
        if not paths:
            raise SourceError(f"nothing matches {source}", "Quote globs and check the folder")
    else:
        raise SourceError(f"{source} does not exist")
    paths = _of_format(paths, format)
    looked_at = (_look_at(path, root, format, corpus, columns, errors) for path in paths)
    files = [file for file in looked_at if file is not None]
    if not files:
        raise SourceError(f"{what} holds no readable source", _KNOWN)
    return files


def _find_remote(
    source: str,
    format: str,
    corpus: str | None,
    columns: Mapping[str, str],
    errors: list[SourceError],
) -> list[SourceFile]:
    """The same for a URL; files are looked at in outline, and whole where that does not do."""
    place, listed = list_remote(source)
    by_path = {Path(file.place): file for file in listed}
    found = []
    for path in _of_format(list(by_path), format):
        with TemporaryDirectory() as folder:
            root = Path(folder, (place or path.parent).name)
            local = root / (path.relative_to(place) if place else path.name)
            is_whole = outline(by_path[path], local)
            look = partial(_look_at, local, root if place else None, format, corpus, columns)
            wrong = list[SourceError]()
            file = look(wrong)
            if wrong and not is_whole:
                fetch(by_path[path].url, local)
                file = look(wrong := [])
        url = by_path[path].url
        errors += [SourceError(e.problem.replace(str(local), url), e.fix) for e in wrong]
        if file is not None:
            found.append(replace(file, path=path, root=Path(place) if place else None, url=url))
    if not found:
        raise SourceError(f"{source} holds no readable source", _KNOWN)
    return found


def _of_format(paths: list[Path], format: str) -> list[Path]:
    """Of the files that were found, those that are no companions and may have the format."""
    paths = [path for path in paths if not _is_companion(path)]
    if format != AUTO:
        paths = [p for p in paths if _suffix(p) in READERS[format].suffixes] or paths
    return paths


def _walk(folder: Path) -> Iterator[Path]:
    """Files below a folder that are not hidden; each real folder is entered once."""

    def refuse(error: OSError) -> None:
        raise SourceError(f"{error.filename} cannot be listed: {error.strerror}") from error

    seen: set[str] = set()
    for parent, folders, names in os.walk(folder, onerror=refuse, followlinks=True):
        real = os.path.realpath(parent)
        if real in seen:
            folders.clear()
            continue
        seen.add(real)
        folders[:] = sorted(
            name
            for name in folders
            if not name.startswith(".") and not is_work_folder(Path(parent, name))
        )
        files = (Path(parent, name) for name in names if not name.startswith("."))
        # Pipes and sockets are passed over; a broken link stays, to be complained about.
        yield from (file for file in files if file.is_file() or not file.exists())


def _fixed_part(pattern: Path) -> Path:
    """The folder before a glob's first wildcard."""
    parts = []
    for part in pattern.parts[:-1]:
        if glob.has_magic(part):
            break
        parts.append(part)
    return Path(*parts)


def _look_at(
    path: Path,
    root: Path | None,
    format: str,
    corpus: str | None,
    columns: Mapping[str, str],
    errors: list[SourceError],
) -> SourceFile | None:
    """The file as its head shows it; ``None`` if no reader knows it."""
    in_folder = root is not None
    candidates = _candidates(_suffix(path), format, in_folder)
    try:
        reader = _reader_of(path, format, in_folder=in_folder)
        if reader is None:
            return None
        candidates = [reader]
        mapping = None
        if reader.columns:
            given = dict(columns)
            if not reader.has_tables:
                given.pop(TABLE, None)
            mapping = map_columns(path, reader.columns(path, given.get(TABLE)), given)
    except SourceError as error:
        if not candidates:
            raise
        errors.append(error)
        # Of several formats one will do: nothing of the file is taken.
        name = _corpus(path, root, candidates[0], corpus)
        return SourceFile(path, candidates[0].name, name, root, problem=error.reason(path))
    return SourceFile(path, reader.name, _corpus(path, root, reader, corpus), root, mapping)


def _reader_of(path: Path, format: str, *, in_folder: bool) -> Reader | None:
    """The reader for a file, ``None`` if none knows it.

    Empty files are refused, but for notes in a folder: one empty note among thousands is a
    reject, not the end of the run.
    """
    suffix = _suffix(path)
    candidates = _candidates(suffix, format, in_folder)
    if not candidates and in_folder:
        return None
    head = _head(path)
    is_vague = format == AUTO and suffix == _VAGUE_SUFFIX
    if not head and is_vague and in_folder:
        return None
    if not head and not (in_folder and any(reader.name == "text" for reader in candidates)):
        raise SourceError(f"{path} is empty")
    if len(candidates) > 1 or is_vague:
        candidates = [reader for reader in candidates if reader.sniff(head)]
    reader = candidates[0] if candidates else None
    if reader is not None and reader.columns is not None and head.startswith(_UTF16_MARKS):
        raise SourceError(f"{path} is UTF-16", "Convert it to UTF-8")
    return reader


def _candidates(suffix: str, format: str, in_folder: bool) -> list[Reader]:
    if format != AUTO:
        return [READERS[format]]
    fitting = [reader for reader in READERS.values() if suffix in reader.suffixes]
    return [reader for reader in fitting if not (in_folder and reader.by_name_only)]


def _corpus(path: Path, root: Path | None, reader: Reader, given: str | None) -> str:
    return given or reader.default_corpus(path, root).replace(":", "_")


def _head(path: Path) -> bytes:
    with open_binary(path) as stream:
        return stream.read(_SNIFFED_BYTES)


def _suffix(path: Path) -> str:
    return Path(bare_name(path)).suffix.lower()


def _is_companion(path: Path) -> bool:
    return Path(bare_name(path)).stem.lower() in _COMPANIONS
