"""Assertion judged: what agrees, by which attribute, and what others can score."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from flows.errors import CharthouseError, SourceError
from flows.evaluating.run import evaluate
from flows.settings import Settings
from nlp.settings import AssertionSettings
from tests.flows.evaluating.requests import request

GOLD = """\
line\tconcept\tsentence\tnegation\ttemporality\texperiencer
7\tfever\tNo FEVER.\tNegated\tRecent\tPatient
9\tcough\tNo fever, but COUGH.\tNegated\tRecent\tPatient
3\tasthma\tHistory of ASTHMA.\tAffirmed\tHistorical\tPatient
4\tgout\tHis father had GOUT.\tAffirmed\tRecent\tOther
"""


@pytest.fixture
def gold(tmp_path: Path) -> Path:
    path = tmp_path / "judged.tsv"
    path.write_text(GOLD, encoding="utf-8")
    return path


def test_attributes_are_counted_by_themselves(gold: Path) -> None:
    (judgement,) = evaluate("assertion", request(gold), prefect=False, quiet=True).corpora
    assert (judgement.corpus, judgement.documents) == ("judged", 4)
    counts = {s.label: (s.gold, s.found, s.agreed) for s in judgement.scores}
    assert counts == {
        "negated": (2, 1, 1),
        "historical": (1, 1, 1),
        "hypothetical": (0, 0, 0),
        "experiencer": (1, 1, 0),  # somebody else was meant, not the family
        "micro": (4, 3, 2),
    }
    assert judgement.predictions.rows() == [
        (7, True, False, False, False, "patient"),
        (9, False, False, False, False, "patient"),
        (3, False, False, True, False, "patient"),
        (4, False, False, False, False, "family"),
    ]


def test_only_what_a_file_tells_is_judged(tmp_path: Path) -> None:
    path = tmp_path / "short.tsv"
    path.write_text("1\tfever\tNo FEVER.\tNegated\n", encoding="utf-8")
    (judgement,) = evaluate("assertion", request(path), prefect=False, quiet=True).corpora
    assert {s.label for s in judgement.scores} == {"negated", "micro"}


def test_rules_of_the_settings_are_judged(gold: Path, tmp_path: Path) -> None:
    rules = tmp_path / "rules.toml"
    rules.write_text('[[rule]]\nid = "no"\nwords = []\ndirection = "pseudo"\n', encoding="utf-8")
    settings = Settings(assertion=AssertionSettings(rules=rules))
    evaluations = [
        evaluate("assertion", its, prefect=False, quiet=True)
        for its in (request(gold), replace(request(gold), settings=settings))
    ]
    found = [
        next(s.found for s in evaluation.corpora[0].scores if s.label == "negated")
        for evaluation in evaluations
    ]
    assert found == [1, 0]
    assert len({evaluation.models[0].fingerprint for evaluation in evaluations}) == 2


@pytest.mark.parametrize("assertion", [{"method": "off"}, {"rules": Path("/no/such.toml")}])
def test_what_cannot_be_judged(gold: Path, assertion: dict[str, object]) -> None:
    settings = Settings(assertion=AssertionSettings.model_validate(assertion))
    with pytest.raises(CharthouseError, match=r"assertion\."):
        evaluate("assertion", replace(request(gold), settings=settings), prefect=False, quiet=True)


def test_files_without_concepts(tmp_path: Path) -> None:
    path = tmp_path / "none.tsv"
    path.write_text(GOLD.splitlines()[0] + "\n", encoding="utf-8")
    with pytest.raises(SourceError, match="no concept to judge by"):
        evaluate("assertion", request(path), prefect=False, quiet=True)


def test_figures_on_the_negex_file(data_dir: Path) -> None:
    gold = data_dir / "assertion" / "negex_dev.tsv"
    (judgement,) = evaluate("assertion", request(gold), prefect=False, quiet=True).corpora
    f1 = {s.label: s.value for s in judgement.scores if s.measure == "f1"}
    assert f1["negated"] >= 0.96
    assert f1["historical"] >= 0.72
