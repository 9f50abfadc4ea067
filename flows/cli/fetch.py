"""``charthouse ontology fetch``: release files from NLM or a mirror."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.filesize import decimal

from flows.cli.exits import interruption_told
from flows.errors import CharthouseError
from flows.progress import Reporter

if TYPE_CHECKING:
    from ontologies.fetching.release import Planned, Release
    from ontologies.fetching.source import Manner

app = typer.Typer(
    help="Download ontology releases, ready for `charthouse ontology build`.",
    no_args_is_help=True,
)

_ANYWAY = (
    "A download that breaks off goes on where it stopped: run the same command again. SHA-256, "
    "size and date of every file are kept beside it in FILE.fetched.json; a file that is there "
    "and unchanged is not downloaded again. Proxies are taken from HTTPS_PROXY, certificates "
    "from SSL_CERT_FILE. Exit codes: 0 done, 1 failed, 2 wrong usage, 130 interrupted."
)
_MESH_MIRROR = (
    "Mirror: CHARTHOUSE_MESH_URL takes the place of https://nlmpubs.nlm.nih.gov/projects/mesh; "
    "the files may lie as they do there, or in the folder itself."
)
_UMLS_MIRROR = (
    "Mirror: CHARTHOUSE_UTS_URL takes the place of https://uts-ws.nlm.nih.gov/download and is "
    "asked the same way; if it ends with a slash it is a folder of zip files, and is not told "
    "the key."
)

Out = Annotated[
    Path | None,
    typer.Option(metavar="FOLDER", help="Where the files go; made where missing."),
]
Again = Annotated[bool, typer.Option("--again", help="Download what is there already.")]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Say what would come, from where; write nothing.")
]


@app.callback()
def _options() -> None:
    pass


@app.command(epilog=f"{_ANYWAY} {_MESH_MIRROR}")
def mesh(
    year: Annotated[
        int | None,
        typer.Option(min=2011, help="Year of the release. (default: this year)"),
    ] = None,
    out: Out = None,
    again: Again = False,
    dry_run: DryRun = False,
) -> None:
    """Download MeSH: descriptors and supplementary records, about 65 MB, free for all.

    They go to releases/meshYEAR, or where --out says. NLM publishes next year's MeSH in November
    or December, and changes the supplementary records daily.

    Examples:

    charthouse ontology fetch mesh

    charthouse ontology fetch mesh --year 2025 --out /data/mesh2025

    charthouse ontology build --mesh releases/mesh2026/desc2026.gz --mesh
    releases/mesh2026/supp2026.gz --out mesh2026
    """
    from ontologies.fetching.mesh import MESH_URL, fetch_mesh, plan_mesh

    year = year or date.today().year
    out = out or Path("releases", f"mesh{year}")
    base = os.environ.get("CHARTHOUSE_MESH_URL") or MESH_URL
    with _working() as manner:
        if dry_run:
            _print_plan(plan_mesh(year, out, base=base, manner=manner))
            return
        release = fetch_mesh(year, out, base=base, again=again, manner=manner)
    _print_release(release)


@app.command(epilog=f"{_ANYWAY} {_UMLS_MIRROR}")
def umls(
    release: Annotated[
        str, typer.Option(metavar="YEARA[A|B]", help="Release: 2026AA is of May, 2026AB November.")
    ],
    out: Out = None,
    names_only: Annotated[
        bool,
        typer.Option(
            "--names-only",
            help="MRCONSO alone, about 0.5 GB: no semantic types, definitions and relations.",
        ),
    ] = False,
    again: Again = False,
    dry_run: DryRun = False,
) -> None:
    """Download the UMLS Metathesaurus, about 5 GB, and unpack what is needed of it.

    UMLS needs a licence, which is free: https://uts.nlm.nih.gov. Put the API key of your profile
    there into the environment variable UMLS_API_KEY. The files go to releases/umlsRELEASE, or
    where --out says; have some 20 GB free. The zip archive may be removed afterwards. An archive
    that you put there yourself is checked and unpacked without a network or a key.

    Examples:

    UMLS_API_KEY=... charthouse ontology fetch umls --release 2026AA

    charthouse ontology fetch umls --release 2026AA --dry-run

    charthouse ontology build --umls releases/umls2026AA --out umls2026AA
    """
    from ontologies.fetching.umls import UTS_URL, fetch_umls, plan_umls

    out = out or Path("releases", f"umls{release}")
    base = os.environ.get("CHARTHOUSE_UTS_URL") or UTS_URL
    key = os.environ.get("UMLS_API_KEY", "").strip()
    with _working() as manner:
        if dry_run:
            _print_plan(
                plan_umls(
                    release, out, api_key=key, names_only=names_only, base=base, manner=manner
                )
            )
            return
        there = fetch_umls(
            release,
            out,
            api_key=key,
            names_only=names_only,
            base=base,
            again=again,
            manner=manner,
        )
    _print_release(there)


@contextmanager
def _working() -> Iterator[Manner]:
    """Show progress on standard error, and turn errors into the command line's own."""
    from ontologies.errors import OntologyError
    from ontologies.fetching.source import Manner

    try:
        with (
            interruption_told("What came is kept; run the same command again to go on."),
            Reporter("", None) as reporter,
        ):
            yield Manner(progress=_Megabytes(reporter), note=reporter.say)
    except OntologyError as error:
        raise CharthouseError(str(error)) from None


class _Megabytes:
    """Progress in bytes, told to a reporter as stages in megabytes."""

    def __init__(self, reporter: Reporter) -> None:
        self._reporter = reporter
        self._stage = ""

    def __call__(self, what: str, done: int, total: int | None) -> None:
        if what != self._stage:
            self._stage = what
            self._reporter.stage(
                what, "MB", None if total is None else total // 10**6, already=done // 10**6
            )
        if done == total:
            self._reporter.end(done // 10**6)
        else:
            self._reporter.done(done // 10**6)


def _print_plan(planned: list[Planned]) -> None:
    for file in planned:
        size = f", {decimal(file.size)}" if file.size else ""
        remark = f" ({file.remark})" if file.remark else ""
        print(f"{file.url}{size}{remark}")
        print(f"  -> {file.path}{', there already' if file.there else ''}")
    print("Nothing was written: this was a dry run.")


def _print_release(release: Release) -> None:
    for file in release.files:
        state = "downloaded" if file.new else "there already"
        print(f"{file.path}  {decimal(file.size)}, {state}")
        print(f"  SHA-256 {file.sha256}")
    if release.unpacked:
        size = decimal(sum(release.unpacked.values()))
        print(f"{len(release.unpacked)} files in {release.folder}, {size} unpacked:")
        print(f"  {', '.join(release.unpacked)}")
        archives = [str(file.path) for file in release.files if file.path.exists()]
        if archives:
            print(f"No longer needed: {', '.join(archives)}")
    print(release.attribution)
    print(f"Next: {release.command}")
