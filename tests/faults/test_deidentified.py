"""Whole runs under privacy: planted identifiers reach neither the warehouse nor anything else.

Notes with identifiers are run in every mode, one of them through a worker's death, another through
a kill and a resume, with Prefect as talkative as it can be made. Then all that was written is
searched: the warehouse as bytes and column by column, its snapshot, what was staged when the run
was killed, Prefect's home, the cache, HOME, TMPDIR and what the command said. Raw texts are in the
shard files alone, and these are gone when the run is done.
"""

from __future__ import annotations

import os
import sqlite3
import stat
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path

import duckdb
import polars as pl
import pytest

from flows.work import WorkFolder
from tests.faults.hazards import hazardous
from tests.faults.moments import wait_for
from tests.faults.processes import kill_run
from tests.faults.scene import QUICK, Scene, differences
from tests.flows.conftest import write_jsonl
from tests.flows.runs import query

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

SECRET = "the-secret-of-ward-seven-4711"
LISTED = ("Quokkaberg", "Numbatova", "Dugonghaus")
"""Words of `privacy.names`: found wherever they stand, in texts, titles and metadata."""

RULED = ("617-555-0142", "quokka@numbat.example", "078-05-1120", "03/14/2019", "MRN 8847261")
"""Identifiers that rules find by their form."""

IDS = ("Native47", "Person0815", "Visit0042", "WardZebra")
"""Ids, and a part of the names of the sources."""

PLANTED = (*LISTED, *RULED, *IDS, SECRET)

TEXT = (
    "Chief complaint: asthma. Patient Quokkaberg (MRN 8847261, SSN 078-05-1120) was seen on "
    "03/14/2019 at Dugonghaus and takes aspirin; call 617-555-0142 or quokka@numbat.example. "
    "No fever was seen. Dr. Numbatova was told."
)


@dataclass
class Ward:
    """Where everything is, and what the command has said."""

    home: Path
    scene: Scene
    said: list[str] = field(default_factory=list)

    def to(self, mode: str, name: str, **more: str) -> Scene:
        """The run in a mode, into a warehouse of that name."""
        options = (*QUICK, "--privacy", mode, "--corpus", "ward")
        return replace(
            self.scene,
            warehouse=self.scene.warehouse.with_name(name),
            options=options,
            variables=self.scene.variables | more,
        )

    def run(self, scene: Scene) -> int:
        """Run to the end and keep what was said."""
        done = scene.run()
        self.said.append(done.stdout + done.stderr)
        return done.returncode


@pytest.fixture(scope="module")
def ward(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ward]:
    from flows.prefect_server import prefect_api

    home = tmp_path_factory.mktemp("ward")
    folders = {name: home / name for name in ("user", "tmp", "out", "WardZebra")}
    for folder in folders.values():
        folder.mkdir()
    names = home / "names.txt"
    names.write_text("".join(f"name\t{name}\n" for name in LISTED))
    ids = {"person_id": "Person0815", "visit_id": "Visit0042", "title": "For Numbatova"}
    write_jsonl(
        folders["WardZebra"] / "WardZebra.jsonl",
        *(
            {"note_id": f"Native47{n:02}", "text": f"{TEXT} Day {n}.", "unit": "Dugonghaus", **ids}
            for n in range(24)
        ),
    )
    variables = {
        "HOME": str(folders["user"]),
        "TMPDIR": str(folders["tmp"]),
        "PREFECT_LOGGING_LEVEL": "DEBUG",
        "PREFECT_LOGGING_TO_API_ENABLED": "true",
        "CHARTHOUSE_EXECUTION__SHARD_CHARACTERS": "1500",
        "CHARTHOUSE_PRIVACY__NAMES": str(names),
        "CHARTHOUSE_PRIVACY_KEY": SECRET,
    }
    with pytest.MonkeyPatch.context() as patch:
        for name in ("PREFECT_API_URL", "NO_PROXY", "no_proxy"):
            patch.delenv(name, raising=False)
        patch.setenv("PREFECT_HOME", str(home / "prefect"))
        patch.setenv("PREFECT_LOGGING_TO_API_ENABLED", "true")
        with prefect_api() as address:
            scene = Scene(
                home,
                folders["WardZebra"],
                folders["out"] / "w.duckdb",
                variables=variables | {"PREFECT_API_URL": address},
            )
            yield Ward(home, scene)


def found_in(content: bytes | str) -> list[str]:
    held = content.encode() if isinstance(content, str) else content
    return [word for word in PLANTED if word.encode() in held]


def values(warehouse: Path) -> str:
    """All that stands in columns of text, of all tables."""
    found = []
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        for table, column in connection.execute(
            "SELECT table_name, column_name FROM duckdb_columns() WHERE NOT internal "
            "AND data_type LIKE '%VARCHAR%'"
        ).fetchall():
            rows = connection.execute(f'SELECT "{column}"::VARCHAR FROM "{table}"').fetchall()
            found += [str(value) for (value,) in rows]
    return "\n".join(found)


def assert_clean(scene: Scene) -> None:
    """Nothing that was planted is in a warehouse, sound as it is."""
    assert scene.breaches() == []
    assert found_in(scene.warehouse.read_bytes()) == []
    assert found_in(values(scene.warehouse)) == []
    assert not WorkFolder.beside(scene.warehouse).root.exists()


def test_masked(ward: Ward) -> None:
    snapshot = ward.home / "out" / "snapshot.duckdb"
    deadly = ward.home / "deadly"
    deadly.mkdir()
    notes = (ward.scene.sources / "WardZebra.jsonl").read_text().splitlines(keepends=True)
    (deadly / "WardZebra.jsonl").write_text("".join(notes[:4]))
    write_jsonl(
        deadly / "WardZebra-deadly.jsonl",
        {"note_id": "Native4799", "text": "Killerword: asthma of Quokkaberg."},
    )
    scene = replace(
        ward.to(
            "mask",
            "masked.duckdb",
            CHARTHOUSE_WAREHOUSE__SNAPSHOT=str(snapshot),
            CHARTHOUSE_EXECUTION__RETRIES="0",  # each costs a worker's start
            **hazardous(ward.home / "packages"),
        ),
        sources=deadly,
    )
    assert ward.run(scene) == 3
    assert "identifiers replaced" in ward.said[-1] and "Quokkaberg" not in ward.said[-1]
    assert_clean(scene)
    assert found_in(snapshot.read_bytes()) == found_in(values(snapshot)) == []
    kinds = {str(kind) for (kind,) in query(scene.warehouse, "SELECT kind FROM privacy_spans")}
    assert {"name", "date"} <= kinds
    assert query(
        scene.warehouse,
        "SELECT text, title, metadata FROM documents JOIN rejects USING (document_id)",
    ) == [(None, None, "{}")]
    assert query(scene.warehouse, "SELECT count(*), count(DISTINCT person_id) FROM documents") == [
        (5, 1)
    ]
    assert query(
        scene.warehouse, "SELECT count(*) FROM mentions WHERE mention_text = 'asthma'"
    ) == [(4,)]


def test_without_text(ward: Ward) -> None:
    scene = ward.to("drop_text", "dropped.duckdb")
    assert ward.run(scene) == 0
    assert_clean(scene)
    assert query(
        scene.warehouse,
        "SELECT count(text), count(title), count(DISTINCT metadata), "
        "(SELECT count(mention_text) FROM mentions), (SELECT count(*) FROM entities "
        "WHERE lookup_text = 'asthma' AND concept_id IS NOT NULL) FROM documents",
    ) == [(0, 0, 1, 0, 24)]


def test_surrogates_after_a_kill_are_those_of_a_quiet_run(ward: Ward) -> None:
    quiet = ward.to("surrogate", "quiet.duckdb")
    assert ward.run(quiet) == 0
    assert_clean(quiet)
    scene = ward.to("surrogate", "killed.duckdb")
    process = scene.start()
    try:
        assert wait_for("half loaded", process, scene.warehouse, 200)
    finally:
        assert not kill_run(process)
    work = WorkFolder.beside(scene.warehouse).root
    raw = list(work.glob("*/shards/*.parquet"))
    assert raw, "the run was to be killed before all was loaded"
    for path in raw:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert "Quokkaberg" in pl.read_parquet(path)["text"].str.join(" ").item()
    for path in work.rglob("*"):
        if path.is_file() and path not in raw:
            content = path.read_bytes()
            if path.suffix == ".parquet":
                content += pl.read_parquet(path).write_json().encode()
            found = found_in(content)
            # The order names the sources, and those alone; nothing but the run reads it.
            assert found == ([] if path.name != "order.json" else ["WardZebra"]), path.name
    assert found_in(scene.warehouse.read_bytes()) == []
    other = replace(scene, variables=scene.variables | {"CHARTHOUSE_PRIVACY_KEY": SECRET[::-1]})
    assert ward.run(other) == 1
    assert "another secret" in ward.said[-1] and SECRET[::-1] not in ward.said[-1]
    assert ward.run(scene) == 0
    assert differences(scene.tables(), quiet.tables()) == []
    assert_clean(scene)


def test_nothing_was_said_or_left_anywhere_else(ward: Ward) -> None:
    if not ward.said:
        pytest.skip("no run has been made")
    for said in ward.said:
        assert found_in(said) == []
    time.sleep(3)  # Prefect sends its logs in the background
    with closing(sqlite3.connect(ward.home / "prefect" / "prefect.db")) as connection:
        dump = "\n".join(connection.iterdump())
    assert "annotate-shard" in dump, "the runs are not in the database that was looked at"
    assert found_in(dump) == []
    kept = {ward.scene.sources, ward.home / "deadly", ward.home / "out"}
    looked_at = 0
    for folder, _, names in os.walk(ward.home):
        if kept & {Path(folder), *Path(folder).parents}:
            continue
        for name in names:
            path = Path(folder, name)
            if path.name != "names.txt":
                looked_at += 1
                assert found_in(path.read_bytes()) == [], path.relative_to(ward.home)
    assert looked_at > 3
    assert found_in(" ".join(path.name for path in (ward.home / "out").iterdir())) == []
