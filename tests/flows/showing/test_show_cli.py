"""``charthouse show`` as a person calls it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from flows.cli.main import app
from flows.errors import CharthouseError
from flows.showing.reading import read_document
from flows.warehouse.connection import Connection
from tests.flows.exporting.conftest import NOTE_1


def show(*arguments: str | Path) -> str:
    outcome = CliRunner().invoke(app, ["show", *map(str, arguments)], catch_exceptions=False)
    assert outcome.exit_code == 0
    return outcome.output


def test_piped_it_has_text_marks_links_and_provenance(shown: Path) -> None:
    printed = show("notes:11", "-w", shown)
    assert "No [fever]{1 Disease, negated}. Mother had [diabetes]{2 Disease, family}." in printed
    assert "HISTORY:\tNo" in printed
    (row,) = [line for line in printed.splitlines() if line.split()[:2] == ["1", "fever"]]
    assert row.split() == [
        "1", "fever", "Disease", "0.90", "negated", "history", "MESH:D005334", "Fever", "1.00",
    ]  # fmt: skip
    for said in ("rule-1 (current)", "l1 (current)", "r1, Tree of names", "(done,"):
        assert said in printed
    assert "\x1b" not in printed


def test_candidates(shown: Path) -> None:
    assert "2. fiver" not in show("notes:11", "-w", shown)
    assert "2. fiver" in show("notes:11", "-w", shown, "--candidates")


def test_one_mention(shown: Path) -> None:
    printed = show("notes:11", "-w", shown, "--mention", "4", "--linkset", "l2")
    assert 'uncertain by "perhaps" (rule perhaps)' in printed
    assert "2. Gout" in printed
    assert "Chest pain" not in printed
    with pytest.raises(CharthouseError, match="They are 0 to 6"):
        show("notes:11", "-w", shown, "--mention", "7")


def test_without_a_text_there_is_the_table_alone(shown: Path) -> None:
    printed = show("notes:13", "-w", shown)
    assert "The warehouse does not keep its text" in printed
    assert "MESH:D006073" in printed
    assert "{" not in printed


def test_json(shown: Path) -> None:
    said = json.loads(show("notes:11", "-w", shown, "--json"))
    assert said["text"] == NOTE_1
    assert said["offsets_fit"] is True
    fever = next(m for m in said["mentions"] if m["lookup_text"] == "fever")
    assert fever["text"] == NOTE_1[fever["start_char"] : fever["end_char"]]
    assert fever["link"]["concept_id"] == "MESH:D005334"
    assert said["provenance"]["linkset"]["linkset_id"] == "l1"


def test_width_breaks_lines(shown: Path) -> None:
    printed = show("notes:11", "-w", shown, "--width", "60")
    assert max(len(line) for line in printed.splitlines()) <= 60
    rows = [line.split() for line in printed.splitlines()]
    assert ["#", "mention", "label,", "score", "concept", "link"] in rows
    assert any("(negated)" in row for row in rows)


def test_picture(shown: Path, tmp_path: Path) -> None:
    show("notes:11", "-w", shown, "--svg", tmp_path / "note.svg")
    assert (tmp_path / "note.svg").stat().st_mode & 0o077 == 0
    drawn = (tmp_path / "note.svg").read_text(encoding="utf-8")
    assert "<svg" in drawn
    assert "line-through" in drawn
    assert not re.search(r"url\(.?http", drawn)
    assert "MESH:D005334" in drawn


def test_picture_takes_the_place_of_a_picture_alone(shown: Path, tmp_path: Path) -> None:
    former, other = tmp_path / "note.svg", tmp_path / "note.txt"
    former.write_text("<svg></svg>", encoding="utf-8")
    former.chmod(0o644)
    assert json.loads(show("notes:11", "-w", shown, "--svg", former, "--json"))["mentions"]
    assert former.stat().st_mode & 0o077 == 0
    assert "MESH:D005334" in former.read_text(encoding="utf-8")
    other.write_text("kept", encoding="utf-8")
    with pytest.raises(CharthouseError, match="is no SVG picture"):
        show("notes:11", "-w", shown, "--svg", other)
    assert other.read_text(encoding="utf-8") == "kept"


def test_another_annotation_set_of_an_older_text(bench_of_two: Connection) -> None:
    now = read_document(bench_of_two, "notes:a")
    assert (now.provenance.annotation_id, now.offsets_fit) == ("rule-2", True)
    assert now.provenance.other_sets == 1
    before = read_document(bench_of_two, "notes:a", annotation="rule-1")
    assert (before.provenance.is_current, before.offsets_fit) == (False, False)
    assert [mention.text for mention in before.mentions] == ["gout"]
    with pytest.raises(CharthouseError, match="Of this document there are rule-1"):
        read_document(bench_of_two, "more:a", annotation="rule-2")
