"""Release files of MeSH and UMLS from NLM or a mirror: where they are, checked, unpacked.

MeSH: https://www.nlm.nih.gov/databases/download/mesh.html. The latest files are in MESH_FILES,
those of former years in a folder of the year. UMLS: https://documentation.uts.nlm.nih.gov/automating-downloads.html.
"""

from __future__ import annotations

import errno
import gzip
import hashlib
import re
import shlex
import shutil
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from urllib.parse import quote, urlsplit

from ontologies import mesh, umls
from ontologies.download import (
    KINDS,
    MANNER,
    DownloadError,
    Manner,
    MissingError,
    Progress,
    RefusedError,
    Source,
    UnreachableError,
    beside,
    empty,
    forget,
    held,
    look,
    read_json,
    size_of,
    transfer,
    write_json,
)
from ontologies.errors import OntologyError

MESH_URL = "https://nlmpubs.nlm.nih.gov/projects/mesh"
UTS_URL = "https://uts-ws.nlm.nih.gov/download"
UMLS_URL = "https://download.nlm.nih.gov/umls/kss"
LICENCE = "UMLS needs a licence, which is free: https://uts.nlm.nih.gov"
PROFILE = "https://uts.nlm.nih.gov/uts/profile"

UMLS_FILES = (
    "MRCONSO.RRF",
    "MRSTY.RRF",
    "MRDEF.RRF",
    "MRREL.RRF",
    "MRRANK.RRF",
    "MRFILES.RRF",
    "MRCOLS.RRF",
    "MRCUI.RRF",
    "MRSAB.RRF",
    "MRDOC.RRF",
    "CHANGE/MERGEDCUI.RRF",
    "CHANGE/DELETEDCUI.RRF",
)
"""What is unpacked of a UMLS release, as it is called below META."""

_BLOCK = 1 << 20
_RELEASE = re.compile(r"\d{4}A[AB]")
_MEMBER = re.compile(r"(?:(?:[^/]+/)*META/)?((?:CHANGE/)?[A-Z]+\.RRF)")
_HERE = ("127.0.0.1", "::1", "localhost")


@dataclass(frozen=True)
class Fetched:
    """A file that is there, whole; stored beside it as ``NAME.fetched.json``.

    Attributes:
        path: the file.
        url: where it came from; None if it was put there by hand.
        sha256: of its bytes.
        size: in bytes.
        last_modified: as the server says.
        fetched_at: when it came, or was found.
        new: whether this call downloaded it; not stored.
    """

    path: Path
    url: str | None
    sha256: str
    size: int
    last_modified: str | None
    fetched_at: str
    new: bool = False


@dataclass(frozen=True)
class Release:
    """A release that is there.

    Attributes:
        title: what it is, such as ``MeSH 2026``.
        folder: where it is.
        files: as they were downloaded.
        unpacked: sizes of the files unpacked from them, by name.
        attribution: the line its licence asks for.
        command: how to make a concept store of it.
    """

    title: str
    folder: Path
    files: tuple[Fetched, ...]
    unpacked: dict[str, int]
    attribution: str
    command: str


@dataclass(frozen=True)
class Planned:
    """A file that a fetch would see to.

    Attributes:
        path: where it would be.
        url: where it would come from.
        there: whether it is there already.
        size: in bytes, if the server says.
        remark: what the server says, in words.
    """

    path: Path
    url: str
    there: bool
    size: int | None
    remark: str


def fetch_mesh(
    year: int,
    out: Path,
    *,
    base: str = MESH_URL,
    again: bool = False,
    manner: Manner = MANNER,
) -> Release:
    """Bring the descriptors and supplementary records of a year into a folder.

    Args:
        year: of the release; folders of years begin with 2011.
        out: the folder; files that are there already, unchanged, are left alone.
        base: NLM's folder, or that of a mirror: files may be as at NLM or in the folder itself.
        again: download what is there already.
        manner: how long to wait, how often to try, who watches.

    Raises:
        OntologyError: a file cannot be had, is damaged, or cannot be written.
    """
    base = _checked(base, "CHARTHOUSE_MESH_URL")
    _make(out)
    files = []
    for name in _mesh_names(year):
        file = None if again else present(out / name, manner=manner)
        files.append(file or _mesh_file(year, name, out, base, manner))
    return Release(
        f"MeSH {year}", out, tuple(files), {}, mesh.ATTRIBUTION, _mesh_command(year, out)
    )


def plan_mesh(
    year: int, out: Path, *, base: str = MESH_URL, manner: Manner = MANNER
) -> list[Planned]:
    """What :func:`fetch_mesh` would download; asks for sizes, and writes nothing.

    Raises:
        OntologyError: ``base`` is no address.
    """
    base = _checked(base, "CHARTHOUSE_MESH_URL")
    return [
        _planned(_mesh_sources(year, name, base), out / name, manner) for name in _mesh_names(year)
    ]


def fetch_umls(
    release: str,
    out: Path,
    *,
    api_key: str = "",
    names_only: bool = False,
    base: str = UTS_URL,
    again: bool = False,
    manner: Manner = MANNER,
) -> Release:
    """Bring a UMLS release into a folder, and unpack the files that are needed.

    A zip archive that was put into the folder by hand is checked and unpacked without a network.
    The archive may be removed once it is unpacked.

    Args:
        release: such as ``2026AA``.
        out: the folder; it becomes what NLM calls META.
        api_key: of your UTS profile; it is neither shown nor recorded.
        names_only: MRCONSO alone, without semantic types, definitions and relations.
        base: the address of UTS's downloads, or of something that takes the same parameters; if
            it ends with a slash, the folder of a mirror, which is not told the key.
        again: download what is there already.
        manner: how long to wait, how often to try, who watches.

    Raises:
        OntologyError: ``release`` is none, the key is missing or refused, or the archive cannot
            be had, is damaged, or cannot be written or unpacked.
    """
    name = _umls_name(release, names_only)
    source = _umls_source(release, name, base, api_key)
    target, command = out / name, _umls_command(release, out)
    file, unpacked = None, {}
    if not again:
        unpacked = _unpacked(target)
        # Archive removed after unpacking: what came of it is there.
        file = present(target, manner=manner) if target.exists() else None
        if file is None and unpacked:
            file = recorded(target)
    if file is None:
        if source.secret is None and not base.endswith("/"):
            raise RefusedError(
                f"UMLS {release}: UMLS_API_KEY is not set. {LICENCE}; then put the API key of "
                f"{PROFILE} into that environment variable"
            )
        _make(out)
        try:
            file, unpacked = fetch_file(source, target, manner=manner), {}
        except UnreachableError as error:
            raise UnreachableError(
                f"{error}. Behind a proxy, set HTTPS_PROXY. By hand ({LICENCE}): download"
                f" {UMLS_URL}/{release}/{name} in a browser, put it into {out}, and run the same"
                f" command again, which unpacks it without a network; or unpack its META/*.RRF"
                f" into {out} yourself, and run: {command}"
            ) from None
        except (RefusedError, MissingError) as error:
            key = f", and UMLS_API_KEY against {PROFILE}" if source.secret else ""
            raise type(error)(f"{error}; check that there is a release {release}{key}") from None
    if not unpacked:
        unpacked = _unpack(file, out, manner.progress)
    return Release(f"UMLS {release}", out, (file,), unpacked, umls.ATTRIBUTION, command)


def plan_umls(
    release: str,
    out: Path,
    *,
    api_key: str = "",
    names_only: bool = False,
    base: str = UTS_URL,
    manner: Manner = MANNER,
) -> list[Planned]:
    """What :func:`fetch_umls` would download; asks for its size, and writes nothing.

    Raises:
        OntologyError: ``release`` is none, or ``base`` no address.
    """
    name = _umls_name(release, names_only)
    source = _umls_source(release, name, base, api_key)
    target = out / name
    if source.secret is None and not base.endswith("/"):
        there = target.is_file() or bool(_unpacked(target))
        return [Planned(target, source.url, there, None, "UMLS_API_KEY is not set")]
    return [_planned([source], target, manner)]


def fetch_file(source: Source, target: Path, *, manner: Manner = MANNER) -> Fetched:
    """Download a ``.gz`` or ``.zip`` file, check it, record it, and put it in place in one step.

    A file that is there already is replaced.

    Raises:
        DownloadError: as :func:`ontologies.download.transfer`; also for a damaged file.
        OntologyError: the disk is full, or the folder cannot be written.
    """
    part = beside(target, ".part")
    try:
        with held(target) as stream:
            marks = transfer(source, target, stream, manner=manner)
            try:
                fetched = Fetched(
                    target,
                    source.url,
                    _hash(part, f"checking {target.name}", manner.progress),
                    size_of(stream),
                    marks.last_modified,
                    _now(),
                    new=True,
                )
                _check_whole(part, target)
            except DownloadError:
                # Wrong bytes cannot be gone on with.
                empty(stream)
                raise
            # In this order a kill leaves a file without a record, never one with a wrong record.
            _record_of(target).unlink(missing_ok=True)
            part.replace(target)
            _record(fetched)
            forget(target)
            return fetched
    except OSError as error:
        raise _disk_trouble(error, target.parent) from None


def present(target: Path, *, manner: Manner = MANNER) -> Fetched | None:
    """The file if it is there: fetched before and unchanged, or put there by hand and whole.

    Raises:
        OntologyError: it is there, but damaged, or not what was fetched.
    """
    if not target.exists():
        return None
    try:
        known = recorded(target)
        sha256 = _hash(target, f"checking {target.name}", manner.progress)
        if known is not None:
            if sha256 == known.sha256:
                return known
            raise OntologyError(
                f"{target}: is not the file that was fetched at {known.fetched_at} (its SHA-256 "
                "differs); move it away, or fetch it anew with --again"
            )
        _check_whole(target, target)
        found = Fetched(target, None, sha256, target.stat().st_size, None, _now())
        _record(found)
        return found
    except OSError as error:
        raise _disk_trouble(error, target.parent) from None


def recorded(target: Path) -> Fetched | None:
    """What is recorded of a file that was fetched, though the file may be gone by now."""
    stored = read_json(_record_of(target))
    try:
        return Fetched(path=target, **stored) if stored else None
    except TypeError:
        return None


def _mesh_names(year: int) -> tuple[str, str]:
    return f"desc{year}.gz", f"supp{year}.gz"


def _mesh_sources(year: int, name: str, base: str) -> list[Source]:
    """Where a file may be, likeliest first."""
    latest, former = f"{base}/MESH_FILES/xmlmesh/{name}", f"{base}/{year}/xmlmesh/{name}"
    # In December the latest files are next year's already, and this year's have moved.
    urls = [latest, former] if year >= date.today().year else [former, latest]
    if base != MESH_URL:
        urls.append(f"{base}/{name}")
    return [Source(url) for url in urls]


def _mesh_file(year: int, name: str, out: Path, base: str, manner: Manner) -> Fetched:
    """A file from the first place that has it."""
    looked = []
    for source in _mesh_sources(year, name, base):
        try:
            return fetch_file(source, out / name, manner=manner)
        except MissingError as error:
            looked.append(str(error))
        except UnreachableError as error:
            urls = [_mesh_sources(year, each, base)[0].url for each in _mesh_names(year)]
            raise UnreachableError(
                f"{error}. Behind a proxy, set HTTPS_PROXY. By hand: download {' and '.join(urls)}"
                f" in a browser, put both into {out}, and run: {_mesh_command(year, out)}"
            ) from None
        except RefusedError as error:
            raise RefusedError(f"{error}; look at that address in a browser") from None
    raise MissingError(
        f"{name} is not there ({'; '.join(looked)}); try another --year, such as {year - 1}, or "
        f"look in a browser which years there are: {base}/"
    )


def _mesh_command(year: int, out: Path) -> str:
    files = " ".join(f"--mesh {shlex.quote(str(out / name))}" for name in _mesh_names(year))
    return f"charthouse ontology build {files} --out mesh{year}"


def _umls_name(release: str, names_only: bool) -> str:
    if not _RELEASE.fullmatch(release):
        raise OntologyError(
            f"--release {release}: is no UMLS release; they are called 2026AA (May) and 2026AB "
            "(November)"
        )
    return f"umls-{release}-{'mrconso' if names_only else 'metathesaurus-full'}.zip"


def _umls_source(release: str, name: str, base: str, api_key: str) -> Source:
    checked = _checked(base, "CHARTHOUSE_UTS_URL")
    if base.endswith("/"):
        return Source(f"{checked}/{name}")
    url = f"{checked}?url={quote(f'{UMLS_URL}/{release}/{name}', safe=':/')}"
    if not api_key:
        return Source(url)
    parts = urlsplit(checked)
    if parts.scheme != "https" and parts.hostname not in _HERE:
        raise OntologyError(
            f"CHARTHOUSE_UTS_URL={checked}: would carry UMLS_API_KEY unencrypted; use https, or "
            "end the address with a slash if it is a folder that needs no key"
        )
    return Source(url, ("apiKey", api_key))


def _umls_command(release: str, out: Path) -> str:
    return f"charthouse ontology build --umls {shlex.quote(str(out))} --out umls{release}"


def _checked(base: str, variable: str) -> str:
    """A base address without slash at its end."""
    parts = urlsplit(base)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query:
        raise OntologyError(
            f"{variable}={base}: is no address of a mirror; give one like https://host/folder"
        )
    if "@" in parts.netloc:
        # It would be shown and recorded.
        raise OntologyError(f"{variable}: holds a user name or password; leave them out")
    return base.rstrip("/")


def _planned(sources: Sequence[Source], target: Path, manner: Manner) -> Planned:
    there = target.is_file() or bool(_unpacked(target))
    remark = ""
    for source in sources:
        try:
            size = look(source, manner=manner)
            return Planned(target, source.url, there, size, "" if size else "size not known")
        except MissingError:
            remark = "not found at the server"
        except RefusedError:
            remark = "refused by the server"
        except DownloadError as error:
            remark = str(error).removeprefix(f"{source.url}: ")
            break
    return Planned(target, sources[0].url, there, None, remark)


def _unpack(archive: Fetched, out: Path, progress: Progress) -> dict[str, int]:
    """Unpack the files that are needed, each in one step.

    Paths are ours, never the archive's, so nothing can come to lie outside the folder.
    """
    done = dict[str, int]()
    try:
        with zipfile.ZipFile(archive.path) as packed:
            members = _members(packed, archive.path)
            needed = sum(info.file_size for info in members.values())
            free = shutil.disk_usage(out).free
            if needed > free:
                raise OntologyError(
                    f"{out}: to unpack {archive.path.name} {needed / 1e9:,.2f} GB more are needed,"
                    f" {free / 1e9:,.2f} GB are free; make room and run the same command again"
                )
            for name, info in members.items():
                _unpack_one(packed, info, out / name, progress)
                done[name] = info.file_size
        write_json(_unpacked_of(archive.path), {"sha256": archive.sha256, "files": done})
    except (zipfile.BadZipFile, zlib.error, EOFError):
        raise DownloadError(f"{archive.path}: is damaged; fetch it anew with --again") from None
    except (NotImplementedError, RuntimeError):
        raise OntologyError(
            f"{archive.path}: is packed in a way that is not understood here; unpack its "
            f"META/*.RRF into {out} with another program"
        ) from None
    except OSError as error:
        raise _disk_trouble(error, out) from None
    return done


def _members(packed: zipfile.ZipFile, path: Path) -> dict[str, zipfile.ZipInfo]:
    found = dict[str, zipfile.ZipInfo]()
    for info in packed.infolist():
        match = _MEMBER.fullmatch(info.filename)
        if match and match[1] in UMLS_FILES:
            if match[1] in found:
                raise OntologyError(f"{path}: holds two files {match[1]}; give NLM's archive")
            found[match[1]] = info
    if "MRCONSO.RRF" not in found:
        raise OntologyError(f"{path}: holds no META/MRCONSO.RRF; give NLM's archive of a release")
    return {name: found[name] for name in UMLS_FILES if name in found}


def _unpack_one(
    packed: zipfile.ZipFile, info: zipfile.ZipInfo, target: Path, progress: Progress
) -> None:
    target.parent.mkdir(exist_ok=True)
    temporary = beside(target, ".part")
    done = 0
    try:
        with packed.open(info) as source, temporary.open("wb") as stream:
            while block := source.read(_BLOCK):
                stream.write(block)
                done += len(block)
                progress(f"unpacking {target.name}", done, info.file_size)
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)


def _unpacked(archive: Path) -> dict[str, int]:
    """What was unpacked from an archive, if all of it is there still; else nothing."""
    stored = read_json(_unpacked_of(archive)) or {}
    known = recorded(archive)
    files: dict[str, int] = stored.get("files") or {}
    if known is None or stored.get("sha256") != known.sha256:
        return {}
    for name, size in files.items():
        path = archive.parent / name
        if not path.is_file() or path.stat().st_size != size:
            return {}
    return files


def _check_whole(path: Path, target: Path) -> None:
    """Read a gzip file to its end, where length and checksum are; of a zip archive the list.

    Members of an archive have checksums of their own, which are checked as they are unpacked.
    """
    try:
        if target.suffix == ".zip":
            with zipfile.ZipFile(path):
                return
        with gzip.open(path) as stream:
            while stream.read(_BLOCK):
                pass
    except (EOFError, zlib.error, gzip.BadGzipFile, zipfile.BadZipFile):
        raise DownloadError(
            f"{target}: the {KINDS[target.suffix]} is cut short or damaged; download it again"
        ) from None


def _hash(path: Path, what: str, progress: Progress) -> str:
    digest, done, total = hashlib.sha256(), 0, path.stat().st_size
    with path.open("rb") as stream:
        while block := stream.read(_BLOCK):
            digest.update(block)
            done += len(block)
            progress(what, done, total)
    return digest.hexdigest()


def _record_of(target: Path) -> Path:
    return beside(target, ".fetched.json")


def _unpacked_of(archive: Path) -> Path:
    return beside(archive, ".unpacked.json")


def _record(fetched: Fetched) -> None:
    stored = asdict(fetched)
    del stored["path"], stored["new"]
    write_json(_record_of(fetched.path), stored)


def _make(out: Path) -> None:
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _disk_trouble(error, out) from None


def _disk_trouble(error: OSError, folder: Path) -> OntologyError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return OntologyError(
            f"{folder}: no space left on the disk; make room and run the same command again, it "
            "goes on where it stopped"
        )
    reason = error.strerror or type(error).__name__
    return OntologyError(f"{folder}: cannot be written ({reason}); check rights and free space")


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
