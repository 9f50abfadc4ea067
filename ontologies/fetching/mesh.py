"""Release files of MeSH from NLM or a mirror.

https://www.nlm.nih.gov/databases/download/mesh.html. The latest files are in MESH_FILES, those of
former years in a folder of the year.
"""

from __future__ import annotations

import shlex
from datetime import date
from pathlib import Path

from ontologies.fetching.errors import MissingError, RefusedError, UnreachableError
from ontologies.fetching.fetched import Fetched, fetch_file, present
from ontologies.fetching.release import Planned, Release, checked_base, make_folder, planned
from ontologies.fetching.source import MANNER, Manner, Source
from ontologies.mesh import ATTRIBUTION

MESH_URL = "https://nlmpubs.nlm.nih.gov/projects/mesh"


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
    base = checked_base(base, "CHARTHOUSE_MESH_URL")
    make_folder(out)
    files = []
    for name in _names(year):
        file = None if again else present(out / name, manner=manner)
        files.append(file or _file(year, name, out, base, manner))
    return Release(f"MeSH {year}", out, tuple(files), {}, ATTRIBUTION, _command(year, out))


def plan_mesh(
    year: int, out: Path, *, base: str = MESH_URL, manner: Manner = MANNER
) -> list[Planned]:
    """What :func:`fetch_mesh` would download; asks for sizes, and writes nothing.

    Raises:
        OntologyError: ``base`` is no address.
    """
    base = checked_base(base, "CHARTHOUSE_MESH_URL")
    return [
        planned(_sources(year, name, base), out / name, (out / name).is_file(), manner)
        for name in _names(year)
    ]


def _names(year: int) -> tuple[str, str]:
    return f"desc{year}.gz", f"supp{year}.gz"


def _sources(year: int, name: str, base: str) -> list[Source]:
    """Where a file may be, likeliest first."""
    latest, former = f"{base}/MESH_FILES/xmlmesh/{name}", f"{base}/{year}/xmlmesh/{name}"
    # In December the latest files are next year's already, and this year's have moved.
    urls = [latest, former] if year >= date.today().year else [former, latest]
    if base != MESH_URL:
        urls.append(f"{base}/{name}")
    return [Source(url) for url in urls]


def _file(year: int, name: str, out: Path, base: str, manner: Manner) -> Fetched:
    """A file from the first place that has it."""
    looked = []
    for source in _sources(year, name, base):
        try:
            return fetch_file(source, out / name, manner=manner)
        except MissingError as error:
            looked.append(str(error))
        except UnreachableError as error:
            urls = [_sources(year, each, base)[0].url for each in _names(year)]
            raise UnreachableError(
                f"{error}. Behind a proxy, set HTTPS_PROXY. By hand: download {' and '.join(urls)}"
                f" in a browser, put both into {out}, and run: {_command(year, out)}"
            ) from None
        except RefusedError as error:
            raise RefusedError(f"{error}; look at that address in a browser") from None
    raise MissingError(
        f"{name} is not there ({'; '.join(looked)}); try another --year, such as {year - 1}, or "
        f"look in a browser which years there are: {base}/"
    )


def _command(year: int, out: Path) -> str:
    files = " ".join(f"--mesh {shlex.quote(str(out / name))}" for name in _names(year))
    return f"charthouse ontology build {files} --out mesh{year}"
