"""Concepts of documents and mentions: what counts, what agrees, what the store could give."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from flows.errors import CharthouseError
from flows.evaluating.concepts import by_document, by_mention
from flows.evaluating.gold import read_corpora
from flows.evaluating.links import Candidate, Link
from flows.evaluating.mentions import FoundMention
from flows.evaluating.run import evaluate
from flows.evaluating.scores import Counts
from flows.readers.gold import GoldDocument, GoldMention
from ontologies.store import ConceptStore
from tests.flows.evaluating.requests import pubtator, request

GOLD = GoldDocument(
    "1",
    "x" * 60,
    (
        GoldMention(0, 4, "gout", "Disease", ("MESH:D1",)),
        GoldMention(5, 9, "gout", "Disease", ("MESH:D1",)),
        GoldMention(10, 14, "both", "Disease", ("MESH:D2", "MESH:D3")),
        GoldMention(15, 19, "none", "Disease"),
        GoldMention(20, 24, "salt", "Chemical", ("MESH:D4",)),
    ),
)
LINKS = {
    (name, label): Link(status, candidates)
    for name, label, status, candidates in [
        ("gout", "Disease", "linked", (Candidate("MESH:D1", 1.0, "exact"),)),
        ("both", "Disease", "linked", (Candidate("MESH:D3", 0.9, "ngram"),)),
        ("none", "Disease", "linked", (Candidate("MESH:D9", 0.8, "ngram"),)),
        ("open", "Disease", "ambiguous", (Candidate("MESH:D2", 1.0, "exact"),) * 2),
        ("salt", "Chemical", "no_candidate", ()),
    ]
}
STORE = {"MESH:D1", "MESH:D3"}

OFFICIAL_SAMPLE = (
    "26094 354896 1720453 2224762 2348231 2385256 2887062 2894766 3107448 3173180 3403780 "
    "3615541 3827439 4027862 6287825 7352670 7420681 7468724 8643971 8649546 9088814 9249847 "
    "9660111 9698967 9855119 9869257 10457883 10721819 11147747 11587867 11897407 12584269 "
    "12905102 14513889 15188772 15602202 16298782 16330766 17175308 17242861 17466854 17615423 "
    "18023325 18186898 18439803 18619688 18809400 19657887 19803309 21029050"
)
"""PMIDs of the 50 articles that come with the official scorer of BioCreative V CDR."""


def found(*mentions: tuple[int, str, str]) -> list[tuple[FoundMention, Link]]:
    return [
        (FoundMention(s, s + 4, label, 1.0, name, label), LINKS[name, label])
        for s, name, label in mentions
    ]


def row(counts: Counts, label: str) -> dict[str, int]:
    (values,) = counts.values[:, counts.labels.index(label)]
    return dict(zip(counts.columns, values.tolist(), strict=True))


def test_a_document_has_each_concept_once_wherever_it_was_found() -> None:
    there = found((30, "gout", "Disease"), (35, "gout", "Disease"), (15, "none", "Disease"))
    counts = by_document([GOLD], [there], ("Chemical", "Disease"), STORE)
    assert row(counts, "Disease") == {"gold": 3, "found": 2, "agreed": 1, "held": 2}
    assert row(counts, "Chemical") == {"gold": 1, "found": 0, "agreed": 0, "held": 0}


def test_what_the_linker_did_not_decide_is_not_found() -> None:
    there = found((10, "open", "Disease"), (20, "salt", "Chemical"))
    for count in (by_document, by_mention):
        counts = count([GOLD], [there], ("Chemical", "Disease"), STORE)
        assert row(counts, "Disease")["found"] == row(counts, "Chemical")["found"] == 0


def test_a_mention_agrees_in_span_label_and_one_of_its_concepts() -> None:
    there = found(
        (0, "gout", "Disease"),  # right
        (6, "gout", "Disease"),  # another span
        (10, "both", "Disease"),  # one of two concepts
        (15, "none", "Disease"),  # a concept where gold has none
    )
    counts = by_mention([GOLD], [there], ("Disease",), STORE)
    assert row(counts, "Disease") == {"gold": 3, "found": 4, "agreed": 2, "held": 3}


def test_the_label_a_mention_was_found_under_decides_its_concept() -> None:
    """A found label that is judged as another one is linked as itself, as in a run."""
    ((mention, its),) = found((0, "gout", "Disease"))
    renamed = FoundMention(0, 4, "Finding", 1.0, "gout", mention.own_label)
    gold = GoldDocument("1", "gout", (GoldMention(0, 4, "gout", "Finding", ("MESH:D1",)),))
    counts = by_mention([gold], [[(renamed, its)]], ("Finding",), STORE)
    assert row(counts, "Finding")["agreed"] == 1


def test_gold_counts_are_those_of_the_official_scorer(data_dir: Path) -> None:
    """Its readme (BC5CDR_Evaluation 0.0.3) tells TP and FN of a system for Disease on them.

    Mentions: 303 + 121; concepts of documents: 150 + 64. Their sums are what is gold.
    """
    path = data_dir / "corpora" / "bc5cdr_train.pubtator.gz"
    (corpus,) = read_corpora([path], request(path).label_rules)
    documents = [corpus.documents[f"bc5cdr_train:{pmid}"] for pmid in OFFICIAL_SAMPLE.split()]
    assert sum(m.label == "Disease" for d in documents for m in d.mentions) == 303 + 121
    nothing = [()] * len(documents)
    counts = by_document(documents, nothing, ("Disease",), set())
    assert counts.values[:, 0, 0].sum() == 150 + 64


def test_gold_without_concepts_is_refused(tmp_path: Path) -> None:
    path = pubtator(tmp_path / "bare.txt", ("1", "Gout.", [("Gout", "Disease", "")]))
    with pytest.raises(CharthouseError, match="bare names no concepts"):
        evaluate("concepts", request(path, ontology="sample"), prefect=False, quiet=True)


def test_end_to_end_scores_can_be_told_from_the_predictions(
    tmp_path: Path, store: ConceptStore
) -> None:
    """Whoever takes rows of rank 1 with a concept has what was judged."""
    path = pubtator(
        tmp_path / "ward.txt",
        (
            "1",
            "Asthma and fever in a patient with hypertension.",
            [("Asthma", "Disease", "D001249")],
        ),
        (
            "2",
            "Aspirin for fever.",
            [("Aspirin", "Chemical", "D001241"), ("fever", "Disease", "-1")],
        ),
    )
    asked = request(path, ontology="sample")
    (judgement,) = evaluate("concepts", asked, prefect=False, quiet=True).corpora
    rows = judgement.predictions.filter(rank=1).drop_nulls("concept_id")
    # The lexicon knows *patient* as a human; the gold file says nothing of species.
    rows = rows.filter(pl.col("label").is_in(["Chemical", "Disease"]))
    pairs = set(rows.select("document_id", "label", "concept_id").iter_rows())
    assert pairs
    gold = {("ward:1", "Disease", "MESH:D001249"), ("ward:2", "Chemical", "MESH:D001241")}
    micro = next(
        s
        for s in judgement.scores
        if (s.scope, s.label, s.measure) == ("document", "micro", "precision")
    )
    assert (micro.gold, micro.found, micro.agreed) == (2, len(pairs), len(pairs & gold))
    coverage = [s.value for s in judgement.scores if s.measure == "coverage"]
    assert coverage == [1.0] * 6
    assert judgement.facts["gold_mentions_without_concept"] == 1
