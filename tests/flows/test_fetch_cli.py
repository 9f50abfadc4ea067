"""``charthouse ontology fetch`` as a user calls it, from a server on the loopback address."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
from rich.filesize import decimal
from typer.testing import CliRunner, Result

from flows.cli import fetch
from flows.errors import CharthouseError
from tests.ontologies.test_fetch import (
    FULL,
    KEY,
    RELEASE,
    UMLS,
    UMLS_URL,
    YEAR,
    Site,
    certificate,
    gz,
    mesh_site,
    names,
    nowhere,
    own_network,
    packed,
    serving,
    umls_site,
)

__all__ = ["certificate", "own_network"]

app = typer.Typer()
app.add_typer(fetch.app, name="fetch")


@app.callback()
def _options() -> None:
    pass


@pytest.fixture
def site() -> Iterator[Site]:
    with serving() as server:
        yield server


def run(*arguments: str | Path, **variables: str) -> Result:
    return CliRunner().invoke(
        app, ["fetch", *map(str, arguments)], env={"COLUMNS": "200"} | variables
    )


def test_mesh(site: Site, tmp_path: Path) -> None:
    mesh_site(site)
    done = run("mesh", "--out", tmp_path, CHARTHOUSE_MESH_URL=site.base)
    assert done.exit_code == 0
    lines = done.stdout.splitlines()
    assert lines[0] == f"{tmp_path}/desc{YEAR}.gz  {decimal(len(gz()))}, downloaded"
    assert lines[1].startswith("  SHA-256 ") and len(lines[1].split()[1]) == 64
    assert lines[-2] == "MeSH: U.S. National Library of Medicine"
    assert lines[-1] == (
        f"Next: charthouse ontology build --mesh {tmp_path}/desc{YEAR}.gz "
        f"--mesh {tmp_path}/supp{YEAR}.gz --out mesh{YEAR}"
    )
    assert f"desc{YEAR}.gz: 0 MB in" in done.stderr
    site.asked.clear()
    again = run("mesh", "--out", tmp_path, CHARTHOUSE_MESH_URL=site.base)
    assert again.exit_code == 0 and "there already" in again.stdout and site.asked == []
    anew = run("mesh", "--out", tmp_path, "--again", CHARTHOUSE_MESH_URL=site.base)
    assert anew.exit_code == 0 and len(site.gets()) == 2


def test_another_year_goes_to_a_folder_of_its_own(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("desc", "supp"):
        site.files[f"/2019/xmlmesh/{name}2019.gz"] = gz()
    monkeypatch.chdir(tmp_path)
    done = run("mesh", "--year", "2019", CHARTHOUSE_MESH_URL=site.base)
    assert done.exit_code == 0
    assert (tmp_path / "releases" / "mesh2019" / "supp2019.gz").is_file()


def test_a_dry_run_writes_nothing(site: Site, tmp_path: Path) -> None:
    mesh_site(site)
    umls_site(site)
    out = tmp_path / "out"
    mesh = run("mesh", "--dry-run", "--out", out, CHARTHOUSE_MESH_URL=site.base)
    assert mesh.exit_code == 0
    assert f"{site.base}/MESH_FILES/xmlmesh/desc{YEAR}.gz, 3" in mesh.stdout
    assert f"  -> {out}/desc{YEAR}.gz" in mesh.stdout
    umls = run(
        *("umls", "--release", RELEASE, "--dry-run", "--out", out),
        UMLS_API_KEY=KEY,
        CHARTHOUSE_UTS_URL=f"{site.base}/download",
    )
    assert umls.exit_code == 0
    assert f"{UMLS_URL}/{RELEASE}/{FULL}, 3" in umls.stdout and KEY not in umls.output
    offline = run("mesh", "--dry-run", "--out", out, CHARTHOUSE_MESH_URL=nowhere())
    assert offline.exit_code == 0 and "cannot be reached" in offline.stdout
    assert not out.exists()


def test_umls(site: Site, tmp_path: Path) -> None:
    variables = {"UMLS_API_KEY": f" {KEY}\n", "CHARTHOUSE_UTS_URL": umls_site(site)}
    done = run("umls", "--release", RELEASE, "--out", tmp_path, **variables)
    assert done.exit_code == 0 and KEY not in done.output
    assert f"No longer needed: {tmp_path / FULL}" in done.stdout
    assert "MRCONSO.RRF, MRSTY.RRF, CHANGE/MERGEDCUI.RRF" in done.stdout
    assert done.stdout.splitlines()[-1] == (
        f"Next: charthouse ontology build --umls {tmp_path} --out umls{RELEASE}"
    )
    assert "unpacking MRCONSO.RRF" in done.stderr


def test_names_only(site: Site, tmp_path: Path) -> None:
    name = f"umls-{RELEASE}-mrconso.zip"
    base = umls_site(site, packed({"MRCONSO.RRF": b"C1|\n"}), name)
    done = run(
        *("umls", "--release", RELEASE, "--names-only", "--out", tmp_path),
        UMLS_API_KEY=KEY,
        CHARTHOUSE_UTS_URL=base,
    )
    assert done.exit_code == 0 and (tmp_path / "MRCONSO.RRF").read_bytes() == b"C1|\n"


@pytest.mark.parametrize(
    ("arguments", "variables", "told"),
    [
        (("mesh",), {"CHARTHOUSE_MESH_URL": "nonsense"}, "CHARTHOUSE_MESH_URL=nonsense"),
        (("umls", "--release", "2026"), {"UMLS_API_KEY": KEY}, "--release 2026"),
        (("umls", "--release", RELEASE), {"UMLS_API_KEY": " "}, "UMLS_API_KEY is not set"),
    ],
)
def test_errors_are_the_command_lines_own(
    tmp_path: Path, arguments: tuple[str, ...], variables: dict[str, str], told: str
) -> None:
    done = run(*arguments, "--out", tmp_path, **variables)
    assert isinstance(done.exception, CharthouseError)
    assert told in str(done.exception) and "\n" not in str(done.exception)
    assert names(tmp_path) == []


def test_wrong_usage() -> None:
    assert run("mesh", "--year", "1999").exit_code == 2
    assert run("umls").exit_code == 2


def test_an_interruption_keeps_what_came(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mesh_site(site)

    def interrupt(self: object, what: str, done: int, total: int | None) -> None:
        if done > 100_000:
            raise KeyboardInterrupt

    monkeypatch.setattr("flows.cli.fetch._Megabytes.__call__", interrupt)
    done = run("mesh", "--out", tmp_path, CHARTHOUSE_MESH_URL=site.base)
    assert done.exit_code == 130 and "run the same command again" in done.stderr
    part = tmp_path / f"desc{YEAR}.gz.part"
    assert gz().startswith(part.read_bytes()) and part.stat().st_size > 100_000


def test_an_archive_put_there_by_hand(tmp_path: Path) -> None:
    (tmp_path / FULL).write_bytes(UMLS)
    done = run("umls", "--release", RELEASE, "--out", tmp_path, CHARTHOUSE_UTS_URL=f"{nowhere()}/d")
    assert done.exit_code == 0 and "there already" in done.stdout


def test_help_teaches() -> None:
    for command in ("mesh", "umls"):
        text = " ".join(run(command, "--help").stdout.split())
        assert f"charthouse ontology fetch {command}" in text
        assert "charthouse ontology build" in text
        assert "CHARTHOUSE_MESH_URL" in text or "CHARTHOUSE_UTS_URL" in text
