"""``charthouse train lm`` as a user calls it, and what it reads."""

from __future__ import annotations

import gzip
import json
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from flows.errors import CharthouseError, SourceError
from flows.training.history import read_history
from flows.training.lessons import read_documents, read_lessons, set_apart
from flows.training.lm import prepare_lm
from flows.warehouse.connection import open_warehouse
from nlp.generation.training.lesson import Lesson
from tests.flows.runs import COMMAND, charthouse, environment, within
from tests.language_models import make_gpt2

ONE_THREAD = {"OMP_NUM_THREADS": "1"}


def write_pairs(path: Path, count: int) -> Path:
    rows = [{"prompt": f"wardseven {n} means", "completion": f" gout {n}"} for n in range(count)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return path


def test_lessons_are_read_by_the_form_of_their_file(tmp_path: Path) -> None:
    pairs = write_pairs(tmp_path / "pairs.jsonl", 2)
    rows = tmp_path / "texts.jsonl.gz"
    rows.write_bytes(gzip.compress(b'{"text": "A note."}\n\n{"text": "Another."}\n'))
    note = tmp_path / "notes" / "one.txt"
    note.parent.mkdir()
    note.write_text("First part.\n\nSecond part.\n", "utf-8")
    assert read_lessons([pairs, rows]) == [
        Lesson(" gout 0", "wardseven 0 means"),
        Lesson(" gout 1", "wardseven 1 means"),
        Lesson("A note."),
        Lesson("Another."),
    ]
    assert read_lessons([note.parent]) == [Lesson("First part.\n\nSecond part.")]
    assert read_lessons([note], blocks=True) == [Lesson("First part."), Lesson("Second part.")]


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ('{"prompt": "zebrafinch"}', "row 2, field completion: is missing"),
        ('{"prompt": "zebrafinch", "completion": " "}', "row 2, field completion: is empty"),
        ('{"completion": "zebrafinch"}', "row 2, field prompt: is missing"),
        ('{"text": ["zebrafinch"]}', "row 2, field text: is empty or no text"),
        ('{"prompt": "zebrafinch', "row 2 is no JSON"),
        ('["zebrafinch"]', "row 2 is no object"),
    ],
)
def test_a_damaged_row_is_named_and_not_quoted(tmp_path: Path, row: str, told: str) -> None:
    path = tmp_path / "pairs.jsonl"
    path.write_text(f'{{"text": "fine"}}\n{row}\n', "utf-8")
    with pytest.raises(SourceError) as error:
        read_lessons([path])
    assert str(path) in str(error.value) and told in str(error.value)
    assert "zebrafinch" not in str(error.value)


def test_files_without_text_or_given_twice_are_refused(tmp_path: Path) -> None:
    (tmp_path / "empty.txt").write_text(" \n", "utf-8")
    with pytest.raises(SourceError, match="holds no text"):
        read_lessons([tmp_path / "empty.txt"])
    pairs = write_pairs(tmp_path / "p.jsonl", 1)
    with pytest.raises(SourceError, match="given twice"):
        read_lessons([pairs, pairs])


def test_documents_of_a_warehouse_that_have_a_text(tmp_path: Path) -> None:
    from flows.settings import load_settings

    warehouse, settings = tmp_path / "w.duckdb", load_settings(None, {})
    with open_warehouse(warehouse) as connection:
        needed = connection.execute(
            "SELECT column_name, data_type FROM duckdb_columns() WHERE table_name = 'documents' "
            "AND NOT is_nullable"
        ).fetchall()
        for name, text, kind, gone in [
            ("b", "Second.", "note", False),
            ("a", "First.", "note", False),
            ("c", None, "note", False),
            ("d", "Deleted.", "note", True),
            ("e", "Abstract.", "abstract", False),
        ]:
            row = {column: 0 if "INT" in form else "x" for column, form in needed}
            row = {c: "2026-01-01" if "TIME" in f else row[c] for c, f in needed}
            row |= {"document_id": name, "text": text, "kind": kind, "is_deleted": gone}
            connection.execute(
                f"INSERT INTO documents ({', '.join(row)}) VALUES ({', '.join('?' * len(row))})",
                list(row.values()),
            )
    found = read_documents(warehouse, "kind = 'note'", settings)
    assert found == [Lesson("First."), Lesson("Second.")]
    with pytest.raises(CharthouseError, match="selects no document"):
        read_documents(warehouse, "kind = 'other'", settings)
    with pytest.raises(CharthouseError, match="--where"):
        read_documents(warehouse, "nosuch = 1", settings)
    with pytest.raises(CharthouseError, match="does not exist"):
        read_documents(tmp_path / "no.duckdb", "true", settings)


def test_what_is_judged_by_is_not_learnt(tmp_path: Path) -> None:
    base = str(make_gpt2(tmp_path / "base"))
    lessons = [Lesson(f"text {n}") for n in range(20)]
    order = prepare_lm(lessons, None, 0.2, base, {}, tmp_path / "out", "cpu")
    assert len(order.dev) == 4 and len(order.train) == 16
    assert not {*order.dev} & {*order.train}
    assert set_apart(lessons[::-1], 0.2) == list(order.dev)
    order = prepare_lm(lessons, lessons[:3], 0, base, {}, tmp_path / "out", "cpu")
    assert order.left_out == 3 and order.notes
    with pytest.raises(CharthouseError, match="no text is left to learn from"):
        prepare_lm(lessons, lessons, 0, base, {}, tmp_path / "out", "cpu")


def test_a_base_that_writes_no_text_is_refused(tmp_path: Path, base: Path) -> None:
    with pytest.raises(CharthouseError, match="no causal language model"):
        prepare_lm([Lesson("a"), Lesson("b")], None, 0.5, str(base), {}, tmp_path / "out", "cpu")


def test_wrong_usage_is_exit_2(tmp_path: Path) -> None:
    some = ["train", "lm", "--base", "b", "--out", str(tmp_path / "m"), "--train", "a.jsonl"]
    done = within(tmp_path, *some)
    assert done.returncode == 2 and "--dev" in done.stderr
    done = within(tmp_path, *some, "--dev-share", "0.1", "--adapter-only")
    assert done.returncode == 2 and "--lora" in done.stderr


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_killed_and_run_again_gives_the_same_weights(tmp_path: Path) -> None:
    base, pairs = make_gpt2(tmp_path / "base"), write_pairs(tmp_path / "wardseven.jsonl", 60)

    def arguments(out: str) -> list[str]:
        return [
            *("train", "lm", "--train", str(pairs), "--dev-share", "0.1", "--base", str(base)),
            *("--lora", "--epochs", "12", "--rate", "0.01", "--batch-tokens", "100"),
            *("--out", str(tmp_path / out)),
        ]

    done = charthouse(tmp_path, *arguments("whole"), "--json", **ONE_THREAD)
    assert done.returncode == 0, done.stderr
    (scores,) = json.loads(done.stdout)["scores"]
    first, last = (read_history(tmp_path / "whole" / "training.tsv")[n] for n in (0, -1))
    assert scores["perplexity"] == pytest.approx(last.scores["perplexity"], abs=1e-3)
    assert last.scores["perplexity"] < 0.5 * first.scores["perplexity"]

    process = subprocess.Popen(
        [*COMMAND, *arguments("killed")],
        env=environment(tmp_path, **ONE_THREAD),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    deadline = time.monotonic() + 240
    while len(read_history(tmp_path / "killed" / "training.tsv")) < 3:
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.005)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert not (tmp_path / "killed" / "config.json").exists()
    done = charthouse(tmp_path, *arguments("killed"), **ONE_THREAD)
    assert done.returncode == 0, done.stderr
    assert "Going on from the last checkpoint" in done.stderr
    for name in ("model.safetensors", "training.json", "training.tsv", "training.svg"):
        one, other = (tmp_path / out / name for out in ("whole", "killed"))
        assert one.read_bytes() == other.read_bytes(), name
    everything = b"".join(path.read_bytes() for path in (tmp_path / "whole").glob("training.*"))
    assert b"wardseven" not in everything and b"gout" not in everything
