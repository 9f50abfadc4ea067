"""Linking of gold mentions: ranks, NIL, coverage and names as a run makes them."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from flows.errors import CharthouseError
from flows.evaluating.evaluation import Judgement
from flows.evaluating.linking import rank_of
from flows.evaluating.links import Candidate, Link
from flows.evaluating.run import evaluate
from flows.evaluating.scores import Score
from ontologies.linker import LinkSettings, linkset_id
from ontologies.store import ConceptStore
from tests.flows.evaluating.requests import pubtator, request


@pytest.fixture
def gold(tmp_path: Path) -> Path:
    return pubtator(
        tmp_path / "ward.txt",
        (
            "1",
            "Acute kidney injury (AcKI) and fever.",
            [
                ("Acute kidney injury", "Disease", "D058186"),
                ("AcKI", "Disease", "D058186"),
                ("fever", "Disease", "D000000|D005334"),
            ],
        ),
        (
            "2",
            "Aspirin for asthma, zzyzxitis and malaise.",
            [
                ("Aspirin", "Chemical", "D001241"),
                ("asthma", "Disease", "D000001"),
                ("zzyzxitis", "Disease", "OMIM:123456"),
                ("malaise", "Disease", ""),
            ],
        ),
    )


def judged(path: Path, **values: object) -> Judgement:
    asked = request(path, ontology="sample", **values)
    (judgement,) = evaluate("linking", asked, prefect=False, quiet=True).corpora
    return judgement


def score(judgement: Judgement, scope: str, label: str, measure: str) -> Score:
    (found,) = (
        s for s in judgement.scores if (s.scope, s.label, s.measure) == (scope, label, measure)
    )
    return found


def test_gold_concepts_are_looked_for_among_the_candidates(gold: Path, store: ConceptStore) -> None:
    judgement = judged(gold)
    accuracy = score(judgement, "all", "Disease", "accuracy@1")
    assert (accuracy.gold, accuracy.agreed, accuracy.found) == (5, 3, None)
    assert score(judgement, "all", "Chemical", "accuracy@1").value == 1.0
    assert score(judgement, "all", "micro", "recall@20").agreed == 4
    for label in ("Disease", "micro"):
        ranked = ("accuracy@1", "recall@5", "recall@20")
        first, five, twenty = (score(judgement, "all", label, m).value for m in ranked)
        assert first <= five <= twenty
        assert score(judgement, "all", label, "linked_accuracy").value <= first


def test_concepts_the_store_does_not_hold_are_told_apart(gold: Path, store: ConceptStore) -> None:
    judgement = judged(gold)
    assert score(judgement, "all", "Disease", "coverage").agreed == 3
    inside = score(judgement, "in_store", "Disease", "accuracy@1")
    assert (inside.gold, inside.value) == (3, 1.0)


def test_mentions_without_a_gold_concept_are_counted_not_judged(
    gold: Path, store: ConceptStore
) -> None:
    facts = judged(gold).facts
    assert facts["gold_mentions_without_concept"] == 1
    assert facts["linked_without_gold_concept"] in (0, 1)


def test_abbreviations_are_looked_up_by_their_long_form(gold: Path, store: ConceptStore) -> None:
    rows = judged(gold).predictions.filter(document_id="ward:1", start_char=21, rank=1)
    assert rows["concept_id"].to_list() == ["MESH:D058186"]


def test_a_mention_without_candidates_is_one_row_without_concept(
    gold: Path, store: ConceptStore
) -> None:
    start = "Aspirin for asthma, zzyzxitis and malaise.".index("zzyzxitis")
    rows = judged(gold).predictions.filter(document_id="ward:2", start_char=start)
    assert rows.select("rank", "concept_id", "status").rows() == [(1, None, "no_candidate")]


def test_accuracy_and_recall_can_be_told_from_the_predictions(
    gold: Path, store: ConceptStore
) -> None:
    judgement = judged(gold)
    wanted = {("ward:1", 0): {"MESH:D058186"}, ("ward:1", 21): {"MESH:D058186"}}
    wanted |= {("ward:1", 31): {"MESH:D005334"}, ("ward:2", 0): {"MESH:D001241"}}
    hits = {
        depth: {
            (document_id, start)
            for document_id, start, concept_id in judgement.predictions.filter(
                pl.col("rank") <= depth
            )
            .select("document_id", "start_char", "concept_id")
            .iter_rows()
            if concept_id in wanted.get((document_id, start), ())
        }
        for depth in (1, 5, 20)
    }
    for depth, measure in ((1, "accuracy@1"), (5, "recall@5"), (20, "recall@20")):
        assert len(hits[depth]) == score(judgement, "all", "micro", measure).agreed


def test_rank_of_the_first_wanted_candidate() -> None:
    linked = Link("linked", tuple(Candidate(c, 0.5, "ngram") for c in "abca"))
    assert rank_of(linked, {"a"}) == 1
    assert rank_of(linked, {"c", "b"}) == 2
    assert rank_of(linked, {"z"}) == float("inf")


def test_the_linkset_is_that_of_a_run(gold: Path, store: ConceptStore) -> None:
    asked = request(gold, ontology="sample")
    found = evaluate("linking", asked, prefect=False, quiet=True)
    assert found.linkset_id == linkset_id(store.release.release_id, LinkSettings())
    assert found.annotation is None


def test_a_store_that_is_none_is_named(gold: Path, tmp_path: Path) -> None:
    asked = request(gold, ontology=str(tmp_path / "nowhere"))
    with pytest.raises(CharthouseError, match="nowhere"):
        evaluate("linking", asked, prefect=False, quiet=True)


def test_deeper_candidates_reach_further_on_real_names(data_dir: Path, store: ConceptStore) -> None:
    judgement = judged(data_dir / "corpora" / "ncbi_dev.pubtator.gz", limit=30)
    rows = judgement.predictions
    assert 5 < rows["rank"].max() <= 20
    ranks = rows.group_by("document_id", "start_char", "end_char", "label").agg(
        first=pl.col("rank").min(), last=pl.col("rank").max(), rows=pl.len()
    )
    assert (ranks["first"] == 1).all()
    assert (ranks["last"] == ranks["rows"]).all()
