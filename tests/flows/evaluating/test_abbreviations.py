"""Abbreviations judged: what agrees, what is counted, and what is left out."""

from __future__ import annotations

from pathlib import Path

import pytest

from flows.errors import CharthouseError, SourceError
from flows.evaluating.abbreviations import find_pairs
from flows.evaluating.run import evaluate
from tests.flows.evaluating.requests import request

GOLD = """\
1
Heart rate (HR).
HR fell; renal failure (RF) did not. HR.
  HR|Heart rate
  RF|acute renal failure
  X|not to be found

2
Nothing here.

3

1
Heart  rate
(HR).
  HR|Heart rate
"""


@pytest.fixture
def gold(tmp_path: Path) -> Path:
    path = tmp_path / "defined.txt"
    path.write_text(GOLD, encoding="utf-8")
    return path


def test_pairs_have_their_white_space_collapsed() -> None:
    assert find_pairs("Heart \n rate (HR), HR") == {("HR", "Heart rate")}


def test_pairs_of_a_document_count_once(gold: Path) -> None:
    path = gold.with_name("first.txt")
    path.write_text(GOLD.split("\n3\n")[0], encoding="utf-8")
    (judgement,) = evaluate("abbreviations", request(path), prefect=False, quiet=True).corpora
    assert (judgement.corpus, judgement.documents) == ("first", 2)
    by_measure = {s.measure: s for s in judgement.scores if s.label == "abbreviation"}
    counts = {(s.gold, s.found, s.agreed) for s in by_measure.values()}
    assert counts == {(3, 2, 1)}
    assert by_measure["precision"].value == pytest.approx(1 / 2)
    assert by_measure["recall"].value == pytest.approx(1 / 3)
    assert by_measure["f1"].value == pytest.approx(2 / 5)
    assert judgement.predictions.rows() == [
        ("1", "HR", "Heart rate"),
        ("1", "RF", "renal failure"),
    ]


def test_of_documents_that_share_an_id_the_last_counts(gold: Path) -> None:
    (judgement,) = evaluate("abbreviations", request(gold), prefect=False, quiet=True).corpora
    assert judgement.documents == 2
    assert judgement.facts["repeated"] == 1
    assert {(s.gold, s.found, s.agreed) for s in judgement.scores} == {(1, 1, 1)}
    assert len(judgement.notes) == 1


def test_limit(gold: Path) -> None:
    evaluation = evaluate("abbreviations", request(gold, limit=1), prefect=False, quiet=True)
    assert evaluation.corpora[0].documents == 1


def test_files_without_definitions(tmp_path: Path) -> None:
    path = tmp_path / "none.txt"
    path.write_text("1\nA title.\n", encoding="utf-8")
    with pytest.raises(SourceError, match="no definition to judge by"):
        evaluate("abbreviations", request(path), prefect=False, quiet=True)


def test_files_of_one_name(gold: Path, tmp_path: Path) -> None:
    other = tmp_path / "other" / gold.name
    other.parent.mkdir()
    other.write_bytes(gold.read_bytes())
    with pytest.raises(CharthouseError, match="both named corpus defined"):
        evaluate("abbreviations", request(gold, other), prefect=False, quiet=True)
