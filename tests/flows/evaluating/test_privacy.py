"""``charthouse evaluate privacy``: what counts, what is printed, and what never is."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest
from typer.testing import CliRunner

from flows.cli.main import app
from flows.errors import CharthouseError, SourceError
from flows.evaluating.privacy import evaluate_privacy
from nlp.ner.device import choose_device
from nlp.privacy.finding import Finding
from nlp.settings import PrivacySettings

TEXT = "Dr. Vandermeulen came on 03/04/2019. Qwertzinger stayed. Call Olm Street."


class Stub:
    """Finds what a test says."""

    def __init__(self, *found: tuple[str, str]) -> None:
        self._found = found

    def find(self, texts: list[str]) -> list[list[Finding]]:
        return [
            [Finding(t.index(v), t.index(v) + len(v), k, "r", 1.0) for v, k in self._found]
            for t in texts
        ]


@pytest.fixture
def gold(tmp_path: Path) -> Path:
    path = tmp_path / "gold.jsonl"
    spans = [
        {"start": TEXT.index(v), "end": TEXT.index(v) + len(v), "kind": k}
        for v, k in (("Vandermeulen", "name"), ("Qwertzinger", "name"), ("03/04/2019", "date"))
    ]
    path.write_text(json.dumps({"id": "n1", "text": TEXT, "spans": spans}) + "\n", "utf-8")
    return path


def test_only_what_is_covered_wholly_is_found(gold: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stub = Stub(("Vander", "name"), ("Qwertzinger", "location"), ("Street", "location"))
    monkeypatch.setattr("flows.evaluating.privacy.Finder", lambda settings, device: stub)
    (judged,) = evaluate_privacy([gold], PrivacySettings(), None)
    by = {(s.label, s.measure): (s.gold, s.agreed) for s in judged.scores}
    assert by["name", "recall"] == (2, 1)
    assert by["name", "touched"] == (2, 2)
    assert by["date", "touched"] == (1, 0)
    assert by["micro", "recall"] == (3, 1)
    words = ["Dr", "came", "on", "stayed", "Call", "Olm", "Street"]
    assert by["characters", "masked"] == (sum(map(len, words)), len("Street"))
    assert by["words", "masked"] == (len(words), 1)


def test_the_command_prints_no_text_and_writes_offsets(gold: Path, tmp_path: Path) -> None:
    out = tmp_path / "found.jsonl"
    done = CliRunner().invoke(
        app, ["evaluate", "privacy", str(gold), "--json", "--predictions", str(out)]
    )
    assert done.exit_code == 0, done.output
    (corpus,) = json.loads(done.stdout)["corpora"]
    recall = {s["label"]: s["value"] for s in corpus["scores"] if s["measure"] == "recall"}
    assert recall == {"name": 0.5, "date": 1.0, "micro": pytest.approx(2 / 3)}
    assert "Vandermeulen" not in done.output + out.read_text("utf-8")
    (line,) = map(json.loads, out.read_text("utf-8").splitlines())
    assert line["id"] == "n1"
    assert {TEXT[s["start"] : s["end"]] for s in line["spans"]} >= {"Vandermeulen", "03/04/2019"}
    assert stat.S_IMODE(out.stat().st_mode) == 0o600


def test_tables_are_printed_by_kind(gold: Path) -> None:
    done = CliRunner().invoke(app, ["evaluate", "privacy", str(gold)])
    assert done.exit_code == 0, done.output
    assert "name" in done.stdout and "50.0" in done.stdout
    assert "characters per CPU second" in done.stdout
    assert "Qwertzinger" not in done.output


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("{", "line 1"),
        ('{"id": 1, "text": "Ann"}', "line 1"),
        ('{"id": 1, "text": "Ann", "spans": [{"start": 0, "end": 9, "kind": "name"}]}', "outside"),
        ('{"id": 1, "text": "Ann", "spans": [{"start": 0, "end": 3, "kind": "x"}]}', "unknown"),
        ('{"id": 1, "text": "Ann", "spans": []}', "no identifier"),
    ],
)
def test_a_bad_gold_file_is_told_by_line_without_its_text(
    tmp_path: Path, line: str, says: str
) -> None:
    path = tmp_path / "bad.jsonl"
    path.write_text(line + "\n", "utf-8")
    with pytest.raises(SourceError, match=says) as told:
        evaluate_privacy([path], PrivacySettings(), None)
    assert "Ann" not in str(told.value)


@pytest.mark.parametrize(
    "settings", [PrivacySettings(models=("no/such",)), PrivacySettings(names=Path("no-such.tsv"))]
)
def test_a_missing_model_or_list_is_told_in_one_line(gold: Path, settings: PrivacySettings) -> None:
    with pytest.raises(CharthouseError, match=r"no.such"):
        evaluate_privacy([gold], settings, choose_device("cpu", "fp32"))
