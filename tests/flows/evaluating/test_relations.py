"""Relations against gold, by document: counts, rules beside them, and what a warehouse holds."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from flows.errors import CharthouseError, SourceError
from flows.evaluating import relations as judging
from flows.evaluating.evaluation import Evaluation
from flows.evaluating.request import Request
from flows.evaluating.run import evaluate
from flows.evaluating.store import store_evaluation
from flows.generating.schema import GENERATION_ITEMS, GENERATION_SETS
from flows.readers.gold import read_gold_file
from flows.related import broader_in, related_labels, related_pairs
from flows.relation_model import Classified
from flows.settings import Settings
from flows.warehouse.connection import open_warehouse, read_warehouse
from nlp.relations.schema import RELATIONS
from nlp.relations.text import Relation, RelationText, pairs
from tests.flows.generating.related import WHEN, fill, put

GOLD = """1|t|Lithium caused cyanosis.
1|a|Heparin did not. Ulcer too.
1\t0\t7\tLithium\tChemical\tD1
1\t15\t23\tcyanosis\tDisease\tD3
1\t25\t32\tHeparin\tChemical\tD2
1\t42\t47\tUlcer\tDisease\tD4|D5
1\tCID\tD1\tD3
1\tCID\tD1\tD5

2|t|Heparin and mystery, then heparin and ulcer.
2|a|
2\t0\t7\tHeparin\tChemical\tD2
2\t12\t19\tmystery\tDisease\t-1
2\t26\t33\theparin\tChemical\tD2
2\t38\t43\tulcer\tDisease\tD4
2\tCID\tD2\tD4
"""
CID = "chemical_induces_disease"


@pytest.fixture
def gold(tmp_path: Path) -> Path:
    path = tmp_path / "gold.pubtator"
    path.write_text(GOLD, encoding="utf-8")
    return path


class _Finder:
    """Finds the first pair of each text, and one of another type."""

    def find(
        self, texts: Sequence[RelationText], threshold: float | None = None
    ) -> list[list[Relation]]:
        found = []
        for text in texts:
            (subject, other), *_ = pairs(text, "Chemical", "Disease")
            relation = Relation(subject, other, 0, 1, CID, 0.9)
            found.append([relation, Relation(other, subject, 1, 0, "other", 0.9)])
        return found


@pytest.fixture
def found(monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = Classified("finder", "f", None, None)  # type: ignore[arg-type]
    monkeypatch.setattr(judging, "choose_relation_model", lambda settings: chosen)
    monkeypatch.setattr(judging, "_load", lambda request, its: _Finder())


def _counts(evaluation: Evaluation) -> dict[str, tuple[int, int | None, int]]:
    (judgement,) = evaluation.corpora
    return {
        score.scope: (score.gold, score.found, score.agreed)
        for score in judgement.scores
        if score.label == CID and score.measure == "f1"
    }


def test_distinct_pairs_of_concepts_are_judged(gold: Path, found: None, tmp_path: Path) -> None:
    evaluation = evaluate("relations", Request((gold,), Settings(), resamples=10), quiet=True)
    # D1-D3 is right, D2-D4 too; what has no concept is in no pair.
    assert _counts(evaluation) == {
        "relations": (3, 2, 2),
        "all_pairs": (3, 7, 3),
        "same_sentence": (3, 2, 2),
    }
    assert [m.name for m in evaluation.models] == ["finder"]
    rows = evaluation.corpora[0].predictions
    assert rows.filter(relation=CID).select("subject", "object").rows() == [
        ("MESH:D1", "MESH:D3"),
        ("MESH:D2", "MESH:D4"),
    ]
    store_evaluation(tmp_path / "w.duckdb", evaluation)
    with read_warehouse(tmp_path / "w.duckdb") as connection:
        ((tasks, models),) = connection.execute(
            "SELECT list(DISTINCT task), list(DISTINCT models[1]) FROM evaluations"
        ).fetchall()
    assert (tasks, models) == (["relations"], ["finder"])


def test_a_file_without_relations_is_refused(tmp_path: Path, found: None) -> None:
    path = tmp_path / "gold.pubtator"
    path.write_text(GOLD.replace("CID", "3\t4\t"), encoding="utf-8")
    path.write_text("\n".join(r for r in GOLD.splitlines() if "CID" not in r), encoding="utf-8")
    with pytest.raises(SourceError, match="states no relation"):
        evaluate("relations", Request((path,), Settings()), quiet=True)


def test_relations_of_another_kind_are_refused(gold: Path, found: None) -> None:
    gold.write_text(GOLD.replace("CID", "treats"), encoding="utf-8")
    with pytest.raises(CharthouseError, match=r"finds chemical_induces_disease, other"):
        evaluate("relations", Request((gold,), Settings()), quiet=True)


TEXTS = {
    "1": "Lithium caused cyanosis. Heparin did not. Ulcer too.",
    "2": "Heparin and mystery, then heparin and ulcer.",
}
FOUND = [("1", 0, 1), ("1", 2, 3), ("2", 2, 3), ("2", 0, 1)]
"""Native id, subject and object: right, wrong, right, and one of a mention without a concept."""


def _relate(path: Path, corpus: str, generation_id: str = "gen-1") -> None:
    with open_warehouse(path) as connection:
        made = {
            "generation_id": generation_id,
            "task": "relations",
            "model": "m",
            "model_fingerprint": "f",
            "parameters": "{}",
            "created_at": WHEN,
        }
        put(connection, GENERATION_SETS, [made])
        done = {"generation_id": generation_id, "source_hash": "", "run_id": "r", "shard_id": "s"}
        put(
            connection,
            GENERATION_ITEMS,
            [
                done | {"item_id": d, "document_id": d, "status": "done"}
                for d in (f"{corpus}:1", f"{corpus}:2")
            ],
        )
        rows = [
            {
                "generation_id": generation_id,
                "document_id": f"{corpus}:{native_id}",
                "annotation_id": "a1",
                "relation_id": number,
                "subject_mention_id": subject,
                "relation": CID,
                "object_mention_id": other,
                "score": 0.5,
                "model": "m",
            }
            for number, (native_id, subject, other) in enumerate(FOUND)
        ]
        put(connection, RELATIONS, rows)


@pytest.mark.parametrize("corpus", ["gold", "elsewhere"])
def test_relations_of_a_warehouse_are_those_of_its_concepts(
    gold: Path, tmp_path: Path, corpus: str
) -> None:
    path = tmp_path / "w.duckdb"
    fill(path, TEXTS, corpus)
    _relate(path, corpus)
    request = Request((gold,), Settings(), resamples=10, from_warehouse=path)
    evaluation = evaluate("relations", request, quiet=True)
    assert _counts(evaluation) == {
        "relations": (3, 3, 2),
        "all_pairs": (3, 5, 2),
        "same_sentence": (3, 2, 2),
    }
    (judgement,) = evaluation.corpora
    assert any("has no concept: 1" in note for note in judgement.notes)
    assert evaluation.linkset_id == "l"


def test_a_warehouse_without_relations_says_so(gold: Path, tmp_path: Path) -> None:
    path = tmp_path / "w.duckdb"
    fill(path, TEXTS, "gold")
    with pytest.raises(CharthouseError, match="holds no relations"):
        evaluate("relations", Request((gold,), Settings(), from_warehouse=path), quiet=True)
    _relate(path, "gold")
    request = Request((gold,), Settings(), from_warehouse=path, generation_id="gen-2")
    with pytest.raises(CharthouseError, match="no relations of gen-2"):
        evaluate("relations", request, quiet=True)


def test_labels_and_pairs_of_cdr(data_dir: Path) -> None:
    documents = list(read_gold_file(data_dir / "corpora" / "bc5cdr_dev.pubtator.gz"))
    assert related_labels(documents) == {CID: ("Chemical", "Disease")}
    assert sum(len(related_pairs(d)[CID]) for d in documents if d.relations) == 1012


def test_broader_concepts_are_those_with_a_narrower_one_beside() -> None:
    broader = {"a": frozenset({"b", "c"}), "b": frozenset({"c"})}
    assert broader_in({"a", "b"}, broader) == {"b"}
    assert broader_in({"a", "d"}, broader) == frozenset()
