"""The archive of a UMLS release, and the files that are unpacked of it."""

from __future__ import annotations

import re
import shutil
import zipfile
import zlib
from pathlib import Path

from ontologies.errors import OntologyError
from ontologies.fetching.beside import beside, read_json, write_json
from ontologies.fetching.errors import DownloadError
from ontologies.fetching.fetched import BLOCK, Fetched, disk_trouble, recorded
from ontologies.fetching.source import Progress

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
_MEMBER = re.compile(r"(?:(?:[^/]+/)*META/)?((?:CHANGE/)?[A-Z]+\.RRF)")


def unpack(archive: Fetched, out: Path, progress: Progress) -> dict[str, int]:
    """Unpack the files that are needed, each in one step; returns their sizes by name.

    Paths are ours, never the archive's, so nothing can come to lie outside the folder.

    Raises:
        OntologyError: the archive is damaged or not NLM's, or there is no room.
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
        raise disk_trouble(error, out) from None
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
            while block := source.read(BLOCK):
                stream.write(block)
                done += len(block)
                progress(f"unpacking {target.name}", done, info.file_size)
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)


def unpacked_from(archive: Path) -> dict[str, int]:
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


def _unpacked_of(archive: Path) -> Path:
    return beside(archive, ".unpacked.json")
