"""Releases of UMLS from NLM or a mirror: a zip archive, unpacked.

https://documentation.uts.nlm.nih.gov/automating-downloads.html
"""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from urllib.parse import quote, urlsplit

from ontologies.errors import OntologyError
from ontologies.fetching.archive import unpack, unpacked_from
from ontologies.fetching.errors import MissingError, RefusedError, UnreachableError
from ontologies.fetching.fetched import fetch_file, present, recorded
from ontologies.fetching.release import Planned, Release, checked_base, make_folder, planned
from ontologies.fetching.source import MANNER, Manner, Source
from ontologies.umls import ATTRIBUTION

UTS_URL = "https://uts-ws.nlm.nih.gov/download"
UMLS_URL = "https://download.nlm.nih.gov/umls/kss"
LICENCE = "UMLS needs a licence, which is free: https://uts.nlm.nih.gov"
PROFILE = "https://uts.nlm.nih.gov/uts/profile"
_RELEASE = re.compile(r"\d{4}A[AB]")
_HERE = ("127.0.0.1", "::1", "localhost")


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
    name = _name(release, names_only)
    source = _source(release, name, base, api_key)
    target, command = out / name, _command(release, out)
    file, unpacked = None, {}
    if not again:
        unpacked = unpacked_from(target)
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
        make_folder(out)
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
        unpacked = unpack(file, out, manner.progress)
    return Release(f"UMLS {release}", out, (file,), unpacked, ATTRIBUTION, command)


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
    name = _name(release, names_only)
    source = _source(release, name, base, api_key)
    target = out / name
    there = target.is_file() or bool(unpacked_from(target))
    if source.secret is None and not base.endswith("/"):
        return [Planned(target, source.url, there, None, "UMLS_API_KEY is not set")]
    return [planned([source], target, there, manner)]


def _name(release: str, names_only: bool) -> str:
    if not _RELEASE.fullmatch(release):
        raise OntologyError(
            f"--release {release}: is no UMLS release; they are called 2026AA (May) and 2026AB "
            "(November)"
        )
    return f"umls-{release}-{'mrconso' if names_only else 'metathesaurus-full'}.zip"


def _source(release: str, name: str, base: str, api_key: str) -> Source:
    checked = checked_base(base, "CHARTHOUSE_UTS_URL")
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


def _command(release: str, out: Path) -> str:
    return f"charthouse ontology build --umls {shlex.quote(str(out))} --out umls{release}"
