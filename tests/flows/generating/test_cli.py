"""``charthouse generate`` up to where work would begin, its job file, and older warehouses."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from rich.console import Console

from flows.cli.generate_outcome import print_outcome
from flows.errors import UsageError
from flows.forget import preview
from flows.generating.run import questions_of, wanted_of
from flows.generating.summary import Generated
from flows.jobs import JOBS
from flows.schema import MIGRATIONS
from flows.settings import load_settings
from flows.warehouse.access import Access
from flows.warehouse.connection import open_warehouse, read_warehouse
from flows.warehouse.erasing import Subjects
from tests.flows.conftest import Bench
from tests.flows.generating.bench import Generating

Notes = Callable[..., Path]
Command = Callable[..., int]

pytestmark = pytest.mark.usefixtures("echo")

NEW_IN_5 = ("generation_sets", "generation_items", "generations", "generation_sources", "relations")


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch) -> Command:
    """Call the command line in this process; gives its exit code."""
    from flows.cli.main import _run

    def call(*arguments: str | Path) -> int:
        monkeypatch.setattr(sys, "argv", ["charthouse", *map(str, arguments)])
        return _run()

    return call


def test_dry_run_tells_what_is_to_be_done_and_writes_nothing(
    bench: Bench, notes: Notes, command: Command, capsys: pytest.CaptureFixture[str]
) -> None:
    bench.run(notes(a="asthma today", b="gout today"))
    before = bench.warehouse.read_bytes()
    call = ("generate", "text", "-w", bench.warehouse, "--dry-run", "--json")
    assert command(*call, "--where", "native_id = 'a'") == 0
    told = json.loads(capsys.readouterr().out)
    assert {name: told[name] for name in ("items", "new", "done", "characters", "shards")} == {
        "items": 1,
        "new": 1,
        "done": 0,
        "characters": len("asthma today"),
        "shards": 1,
    }
    assert bench.warehouse.read_bytes() == before
    assert not list(bench.warehouse.parent.glob("*.work/preview"))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["text", "--where", "kind ="], "--where is no condition"),
        (["text", "--where", "true; SELECT 1"], "--where is no condition"),
        (["text", "--where", "no_such_column"], "no_such_column"),
        (["answer"], "no question is asked"),
    ],
)
def test_wrong_usage_is_one_line(
    bench: Bench,
    notes: Notes,
    command: Command,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    words: str,
) -> None:
    bench.run(notes(a="asthma today"))
    assert command("generate", *arguments, "-w", bench.warehouse) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert words in line


def test_warehouse_must_be_there(
    tmp_path: Path, command: Command, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command("generate", "text", "-w", tmp_path / "none.duckdb") == 1
    assert "does not exist" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_job_file_says_what_flags_do_not(tmp_path: Path) -> None:
    (tmp_path / "job.toml").write_text(
        '[warehouse]\npath = "w.duckdb"\n[generate]\ntask = "text"\nwhere = "kind = \'note\'"\n'
        'question = ["What was stopped?"]\nscope = "person"\nlimit = 3\n'
        '[generate.inputs]\na = "b"\n',
        "utf-8",
    )
    wanted = wanted_of(load_settings(tmp_path / "job.toml", {"generate": {"limit": 2}}))
    assert (wanted.task, wanted.where, wanted.scope, wanted.limit, wanted.inputs) == (
        *("text", "kind = 'note'", "person", 2),
        {"a": "b"},
    )
    assert wanted.questions == questions_of(["What was stopped?"], None)
    assert wanted_of(load_settings(tmp_path / "job.toml", {}), "answer").task == "answer"


def test_question_keeps_its_id_and_is_asked_once() -> None:
    first, second = questions_of(["What was stopped?", "Why?", "What was stopped?"], None)
    assert first == questions_of(["What was stopped?"], None)[0]
    assert (first[1], second[1]) == ("What was stopped?", "Why?")
    assert first[0] != second[0]


def test_job_without_a_warehouse_is_wrong_usage(tmp_path: Path) -> None:
    (tmp_path / "job.toml").write_text('[generate]\ntask = "text"\n', "utf-8")
    with pytest.raises(UsageError, match="no warehouse"):
        JOBS["generate"](tmp_path / "job.toml")


def test_warehouse_of_the_former_schema(bench: Bench, notes: Notes, generating: Generating) -> None:
    bench.run(notes(a="asthma today", b="gout today"))
    with open_warehouse(bench.warehouse) as connection:
        for view in ("relation_entities", "generations_current"):
            connection.execute(f"DROP VIEW {view}")
        for table in NEW_IN_5:
            connection.execute(f"DROP TABLE {table}")
        for step in (*MIGRATIONS[4], *MIGRATIONS[5]):
            connection.execute(re.sub(r"ADD COLUMN ([\w.]+) .*", r"DROP COLUMN \1", step))
        connection.execute("UPDATE schema_version SET version = 4")
    # Reading changes nothing, and works.
    with read_warehouse(bench.warehouse) as connection:
        assert connection.execute("SELECT count(*) FROM entities").fetchall() == [(2,)]
    assert (told := generating.preview()) and (told.new, told.done) == (2, 0)
    assert preview(bench.warehouse, Subjects(documents=("notes:a",)), Access()).documents == 1
    # Writing brings it to this schema.
    generating.run()
    assert generating.texts() == {"notes:a": "asthma", "notes:b": "gout"}
    assert bench.query("SELECT count(*) FROM generations_current") == [(2,)]
    assert bench.query("SELECT count(*) FROM relation_entities") == [(0,)]
    assert bench.query("SELECT DISTINCT seconds.generate FROM shards ORDER BY 1") == [
        (0.5,),
        (None,),
    ]


def test_order_comes_back_as_it_was_written(tmp_path: Path, generating: Generating) -> None:
    from dataclasses import replace

    from flows.order import load_order, save_order

    order = generating.order("kind = 'note'", limit=4, inputs={"clinic": "Cardiology"})
    assert order.generation is not None
    asked = replace(order.generation, questions=(("q1", "What was stopped?"),), scope="person")
    order = replace(order, generation=asked)
    save_order(order, tmp_path / "order.json")
    assert load_order(tmp_path / "order.json") == order
    assert (tmp_path / "order.json").stat().st_mode & 0o777 == 0o600
    other = replace(order, generation=replace(asked, questions=(("q1", "Why?"),)))
    assert other.order_hash != order.order_hash


def test_an_empty_selection_is_said_and_the_title_is_one_line(
    capsys: pytest.CaptureFixture[str],
) -> None:
    names = ("items", "done", "skipped", "new_rejects", "removed", "without_text", "truncated")
    counts = dict.fromkeys(
        (*names, "cut_off", "prompt_tokens", "completion_tokens", "unparsed", "relations"), 0
    )
    print_outcome(
        Console(width=80),
        Generated(
            "20261127T020816-17b37d",
            "w.duckdb",
            "gen-1",
            "summarize",
            "m",
            **counts,
            model_seconds=0.0,
            seconds=0.0,
        ),
    )
    printed = capsys.readouterr().out
    assert "Run 20261127T020816-17b37d" in printed
    assert "No items: no document with text meets the condition and scope." in printed
    assert "queries" not in printed
