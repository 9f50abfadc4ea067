"""No text, id or name of a source leaves the data plane, whatever a run goes through.

Marker words are planted in texts, ids, metadata, file names and column names. The command goes
through success, rejects, dying workers, errors that quote a text, unreadable files, an interrupt, a
relink and an evaluation, with Prefect as talkative as it can be made. Then everything is searched
that was written outside the warehouse and its work folder: Prefect's home with its database, the
cache, HOME, TMPDIR, standard output and error, and the status file of the run at work.
"""

from __future__ import annotations

import gzip
import json
import signal
import sqlite3
import stat
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from flows.work import WorkFolder
from tests.faults.hazards import hazardous
from tests.faults.scene import QUICK
from tests.flows.conftest import write_jsonl
from tests.flows.runs import COMMAND, assert_sound, charthouse, environment, query

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

TEXT = ("Zebrafinchitis", "Quokkapathy", "Axolotlemia", "Numbatosis", "Dugongoma")
"""Words of texts: of one that is annotated, one that is no record, one that ends its worker, one
that raises an error, and of a gold file."""

NAMES = ("Native4711", "Person0815", "Visit0042", "MillerWard", "SecretClinic", "Heading9000")
"""Ids, a value of the metadata, a part of every source's name, and of column names."""

SENTENCE = "The patient has asthma and takes aspirin for chest pain. "


@dataclass
class Stage:
    """Where everything is, and what was seen of the command."""

    home: Path
    data: Path
    warehouse: Path
    variables: dict[str, str]
    said: dict[str, str] = field(default_factory=dict)
    codes: dict[str, int] = field(default_factory=dict)
    statuses: list[str] = field(default_factory=list)
    modes: dict[str, int] = field(default_factory=dict)

    def call(self, what: str, *arguments: str | Path, **more: str) -> None:
        """Run the command and keep what it said."""
        done = charthouse(self.home, *arguments, **self.variables | more)
        self.said[what] = done.stdout + done.stderr
        self.codes[what] = done.returncode


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    from flows.prefect_server import prefect_api

    home = tmp_path_factory.mktemp("privacy")
    data = home / "data"
    variables = {
        "HOME": str(home / "user"),
        "TMPDIR": str(home / "tmp"),
        "XDG_CACHE_HOME": str(home / "xdg"),
        # As talkative as Prefect can be made: what it is never told it cannot repeat.
        "PREFECT_LOGGING_LEVEL": "DEBUG",
        "PREFECT_LOGGING_TO_API_ENABLED": "true",
    }
    for folder in (data, home / "user", home / "tmp"):
        folder.mkdir()
    with pytest.MonkeyPatch.context() as patch:
        for name in ("PREFECT_API_URL", "NO_PROXY", "no_proxy"):
            patch.delenv(name, raising=False)
        patch.setenv("PREFECT_HOME", str(home / "prefect"))
        patch.setenv("PREFECT_LOGGING_TO_API_ENABLED", "true")
        with prefect_api() as address:
            variables["PREFECT_API_URL"] = address
            stage = Stage(home, data, data / "w.duckdb", variables)
            play(stage)
            yield stage


def play(stage: Stage) -> None:
    """Everything that can happen to a run."""
    data, warehouse = stage.data, stage.warehouse
    sources = data / "SecretClinic"
    sources.mkdir()
    annotated = f"{TEXT[0]} syndrome is a disease; {TEXT[0]} was seen after aspirin."
    ids = {"note_id": "Native4711", "person_id": "Person0815", "visit_id": "Visit0042"}
    notes = write_jsonl(
        sources / "SecretClinic-notes.jsonl",
        {**ids, "text": annotated, "Heading9000": "MillerWard"},
        {**ids, "note_id": "Native4712", "text": f"{TEXT[1]} \0"},
    )
    with notes.open("ab") as file:
        file.write(
            f'{{"note_id": "Native4713", "text": "{TEXT[1]} caf\udce9"}}\n'.encode(
                "utf-8", "surrogateescape"
            )
        )
    (sources / "SecretClinic-cut.jsonl.gz").write_bytes(
        gzip.compress(notes.read_bytes() * 400, mtime=0)[:-20]
    )
    (sources / "SecretClinic-columns.csv").write_text(f"Native4718,{TEXT[1]}\n")
    (sources / "SecretClinic-cut.xml").write_text(
        f"<PubmedArticleSet><PubmedArticle><ArticleTitle>{TEXT[1]}"
    )
    run = ("run", "-w", warehouse, "--workers", "1")
    stage.call("model and rejects", *run, sources)
    stage.call("nothing to do", *run, sources)

    deadly = write_jsonl(
        data / "SecretClinic-deadly.jsonl",
        {"id": "Native4714", "text": f"Asthma and {TEXT[2]}, Killerword."},
        {"id": "Native4715", "text": f"Asthma and {TEXT[3]}, Raiseword."},
        {"id": "Native4716", "text": "Asthma and aspirin."},
    )
    stage.call("dying worker", *run, deadly, *QUICK, **hazardous(stage.home / "packages"))
    stage.call("no readable source", *run, sources / "SecretClinic-columns.csv")
    stage.call("relink", "relink", "-w", warehouse, "--ontology", "sample")
    gold = data / "SecretClinic.pubtator"
    gold.write_text(
        f"4717|t|{TEXT[4]} and asthma.\n4717|a|Aspirin was given.\n"
        f"4717\t0\t{len(TEXT[4])}\t{TEXT[4]}\tDisease\tD001249\n\n"
    )
    stage.call(
        "evaluate",
        "evaluate",
        "ner",
        gold,
        "--model",
        "none",
        "--dictionary",
        "sample",
        "--prefect",
    )
    interrupt(stage)


def interrupt(stage: Stage) -> None:
    """Stop a run while it annotates, having looked at what it leaves beside the warehouse."""
    many = stage.data / "SecretClinic-many.jsonl"
    text = f"{SENTENCE} {TEXT[0]} " * 40
    write_jsonl(many, *({"id": f"Native4711-{n}", "text": text} for n in range(20)))
    arguments = ["run", str(many), "-w", str(stage.warehouse), "--workers", "1"]
    shard_size = {"CHARTHOUSE_EXECUTION__SHARD_CHARACTERS": "15000"}
    process = subprocess.Popen(
        [*COMMAND, *arguments],
        env=environment(stage.home, **stage.variables, **shard_size),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    root = WorkFolder.beside(stage.warehouse).root
    deadline, staged = time.monotonic() + 200, 0
    while staged < 3 and process.poll() is None and time.monotonic() < deadline:
        staged = max(staged, len({p.parent for p in root.glob("*/staged/*/receipt.json")}) * 3)
        for path in root.rglob("*"):
            note_mode(stage, path)
        note_status(stage, root / "status.json")
        time.sleep(0.005)
    process.send_signal(signal.SIGINT)
    out, errors = process.communicate(timeout=100)
    stage.said["interrupt"], stage.codes["interrupt"] = out + errors, process.returncode
    stage.modes[""] = root.stat().st_mode
    stage.call("going on", *arguments, **shard_size)


def note_mode(stage: Stage, path: Path) -> None:
    with suppress(OSError):  # removed meanwhile
        stage.modes[str(path)] = path.stat().st_mode


def note_status(stage: Stage, path: Path) -> None:
    with suppress(OSError):
        stage.statuses.append(path.read_text("utf-8"))


def test_everything_happened_that_was_to_happen(stage: Stage) -> None:
    assert stage.codes == {
        "model and rejects": 3,
        "nothing to do": 0,
        "dying worker": 3,
        "no readable source": 1,
        "relink": 0,
        "evaluate": 0,
        "interrupt": 130,
        "going on": 0,
    }, stage.said
    reasons = [str(reason) for (reason,) in query(stage.warehouse, "SELECT reason FROM rejects")]
    assert len(reasons) == 7
    assert any("ended its worker" in reason for reason in reasons)
    assert "annotation failed: ValueError" in reasons
    assert_sound(stage.warehouse)
    assert query(
        stage.warehouse,
        f"SELECT count(*) > 0 FROM mentions WHERE contains(mention_text, '{TEXT[0]}')",
    ) == [(True,)]


def test_prefect_knows_runs_but_no_text_id_or_source(stage: Stage) -> None:
    files = [path for path in (stage.home / "prefect").rglob("*") if path.is_file()]
    with sqlite3.connect(stage.home / "prefect" / "prefect.db") as connection:
        dump = "\n".join(connection.iterdump())
    assert "annotate-shard" in dump, "the runs are not in the database that was looked at"
    assert "evaluate" in dump
    everything = dump.encode() + b"".join(path.read_bytes() for path in files)
    assert [word for word in (*TEXT, *NAMES) if word.encode() in everything] == []


def test_nothing_is_left_in_home_cache_or_temporary_folders(stage: Stage) -> None:
    looked_at = 0
    for path in stage.home.rglob("*"):
        if path.is_file() and stage.data not in path.parents:
            looked_at += 1
            content, name = path.read_bytes(), str(path.relative_to(stage.home))
            found = [w for w in (*TEXT, *NAMES) if w.encode() in content or w in name]
            assert found == [], path.relative_to(stage.home).parts[0]
    assert looked_at > 3


def test_output_has_no_text_and_no_id(stage: Stage) -> None:
    for what, said in stage.said.items():
        assert [w for w in (*TEXT, *NAMES) if w in said and w != "SecretClinic"] == [], what
        # At this level Prefect itself prints where a flow was when it was interrupted.
        assert what == "interrupt" or "Traceback" not in said, what


def test_output_names_a_source_only_where_it_was_named_and_cannot_be_read(stage: Stage) -> None:
    assert [what for what, said in stage.said.items() if "SecretClinic" in said] == [
        "no readable source",
        "evaluate",  # the gold file that is judged
    ]


def test_the_status_file_has_numbers_and_stage_names(stage: Stage) -> None:
    assert stage.statuses
    for status in map(json.loads, stage.statuses):
        words = [value for value in status.values() if isinstance(value, str)]
        assert [w for w in (*TEXT, *NAMES) if any(w in word for word in words)] == []


def test_the_work_folder_is_its_owners_alone(stage: Stage) -> None:
    modes = {path: stat.S_IMODE(mode) for path, mode in stage.modes.items()}
    folders = {path for path, mode in stage.modes.items() if stat.S_ISDIR(mode)}
    assert {path for path in folders if modes[path] != 0o700} == set()
    for kind in ("shards", "staged", "spool", "receipt.json", "order.json"):
        seen = {
            mode
            for path, mode in modes.items()
            if kind in path and path not in folders and path.endswith((".parquet", ".json"))
        }
        assert seen == {0o600}, kind


def test_nothing_of_it_is_left_after_the_run(stage: Stage) -> None:
    assert not WorkFolder.beside(stage.warehouse).root.exists()
    left = {path.name for path in stage.data.iterdir() if "SecretClinic" not in path.name}
    assert left == {"w.duckdb"}
