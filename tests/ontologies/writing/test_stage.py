"""A language model as a stage of the linker."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from ontologies.build import build_store
from ontologies.linker import LinkSettings, link_names, linkset_id
from ontologies.store import ConceptStore, open_store
from ontologies.writing import names as names_module
from ontologies.writing.names import TRIES_FOLDER
from ontologies.writing.pairs import name_pairs
from ontologies.writing.settings import WriterSettings, WriterUse
from ontologies.writing.writing import Writing

ASKED = ["broken pump", "kidneys at a loss", "hart", "Renal Failure", "heart murmuring", "xyzzy"]


def using(folder: Path, use: WriterUse, **more) -> LinkSettings:
    return LinkSettings(writer=str(folder), writer_use=use, **more)


def linked(store: ConceptStore, names: list[str], settings: LinkSettings, label: str = "any"):
    frame = pl.DataFrame({"lookup_text": names}).with_columns(label=pl.lit(label))
    return link_names(store, frame, settings)


def first(links: pl.DataFrame, name: str) -> dict:
    return links.row(
        by_predicate=(pl.col("lookup_text") == name) & (pl.col("rank") == 1), named=True
    )


@pytest.fixture(params=["gpt2", "biogpt"])
def folder(request: pytest.FixtureRequest) -> Path:
    return request.getfixturevalue(f"{request.param}_folder")


def test_a_model_writes_what_spelling_does_not_tell(folder: Path, small: ConceptStore) -> None:
    assert first(linked(small, ASKED, LinkSettings()), "broken pump")["concept_id"] != "X:2"
    for use in ("generate", "both", "fallback"):
        found = first(linked(small, ASKED, using(folder, use, writer_weight=0.7)), "broken pump")
        assert (found["concept_id"], found["method"]) == ("X:2", "generated"), use
    sure = first(linked(small, ASKED, using(folder, "generate")), "kidneys at a loss")
    assert (sure["concept_id"], sure["status"]) == ("X:1", "linked")
    assert 0.7 <= sure["score"] <= 1


def test_a_model_reorders_what_similarity_found(folder: Path, small: ConceptStore) -> None:
    plain = linked(small, ["hart murmur", "hart"], LinkSettings(floor=0.1))
    assert first(plain, "hart")["concept_id"] != "X:2"
    ranked = linked(small, ["hart"], using(folder, "rerank", floor=0.1, writer_weight=0.8))
    assert set(ranked["concept_id"]) <= set(plain["concept_id"]) | {"X:2"}
    found = first(ranked, "hart")
    assert (found["concept_id"], found["method"]) == ("X:2", "reranked")
    weightless = linked(small, ASKED, using(folder, "rerank", writer_weight=0.0))
    same = ["lookup_text", "rank", "concept_id", "score", "status", "matched_name"]
    plain = linked(small, ASKED, LinkSettings())
    assert weightless.select(same).equals(plain.select(same))


def test_exact_links_are_as_without_a_model(folder: Path, small: ConceptStore) -> None:
    names = ["renal failure", "HEART ATTACK", "kidney", "chronic kidney failure", "Coryza"]
    plain = linked(small, names, LinkSettings()).drop("linkset_id")
    for use in ("generate", "fallback"):
        assert linked(small, names, using(folder, use)).drop("linkset_id").equals(plain)


def test_of_concepts_that_share_a_name_the_likelier_stands_first(
    folder: Path, small: ConceptStore
) -> None:
    plain = linked(small, ["Coryza"], LinkSettings())
    assert plain["concept_id"].to_list() == ["X:3", "X:7"]
    ranked = linked(small, ["Coryza"], using(folder, "rerank"))
    assert ranked["concept_id"].to_list() == ["X:7", "X:3"]
    assert set(ranked["status"]) == {"ambiguous"}
    assert set(ranked["method"]) == {"exact"}


def test_labels_restrict_what_a_model_writes(folder: Path, small: ConceptStore) -> None:
    settings = using(folder, "generate", floor=0.0, labels={"Wood": ("B01",), "Organ": ("A",)})
    for label, concept in (("Wood", "X:4"), ("Organ", "X:6")):
        assert linked(small, ["broken pump"], settings, label)["concept_id"].to_list() == [concept]


def test_names_find_the_same_alone_and_in_company(gpt2_folder: Path, small: ConceptStore) -> None:
    for use in ("rerank", "both", "fallback"):
        settings = using(gpt2_folder, use)
        together = linked(small, ASKED, settings)
        alone = [linked(small, [name], settings) for name in sorted(ASKED)]
        assert pl.concat(alone).equals(together), use


def test_only_a_set_model_is_part_of_the_linkset(gpt2_folder: Path, biogpt_folder: Path) -> None:
    plain = linkset_id("mesh-1", LinkSettings())
    assert plain == "ls-cc48555d69d2"  # of version 2 of the linker, before models took part
    unset = LinkSettings(writer_use="both", writer_beams=9, writer_weight=0.1)
    assert linkset_id("mesh-1", unset) == plain
    ids = {
        linkset_id("mesh-1", settings)
        for settings in (
            LinkSettings(),
            using(gpt2_folder, "rerank"),
            using(biogpt_folder, "rerank"),
            using(gpt2_folder, "both"),
            using(gpt2_folder, "both", writer_beams=4),
            using(gpt2_folder, "both", writer_weight=0.4),
            using(gpt2_folder, "both", writer_candidates=4),
            using(gpt2_folder, "both", writer_template="{mention} is"),
        )
    }
    assert len(ids) == 8


def test_every_setting_of_a_model_is_described() -> None:
    assert all(field.description for field in WriterSettings.model_fields.values())


def test_the_trie_is_kept_beside_the_store_and_made_anew_for_another_release(
    gpt2_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def store_of(*names: str) -> ConceptStore:
        rows = [f"X:{at}\t{name}" for at, name in enumerate(names)]
        (tmp_path / "table.tsv").write_text("\n".join(["id\tname", *rows]) + "\n")
        build_store([("table", tmp_path / "table.tsv")], tmp_path / "new")
        tries = tmp_path / "store" / TRIES_FOLDER
        if tries.exists():  # as if someone had copied it
            tries.rename(tmp_path / "new" / TRIES_FOLDER)
            (tmp_path / "store").rename(tmp_path / "old")
        (tmp_path / "new").rename(tmp_path / "store")
        return open_store(tmp_path / "store")

    def written(store: ConceptStore) -> list[str]:
        _, name, _ = Writing(store, str(gpt2_folder), "{mention} means").written(["cold"], (), 9)
        return sorted(store.name_texts(name))

    store = store_of("Common Cold", "Kidney")
    assert written(store) == ["Common Cold", "Kidney"]
    made = []
    make = names_module._make
    monkeypatch.setattr(names_module, "_make", lambda *a: made.append(1) or make(*a))
    assert written(store) == ["Common Cold", "Kidney"]
    assert not made
    assert written(store_of("Common Cold", "Heart", "Kidney")) == ["Common Cold", "Heart", "Kidney"]
    assert made


@pytest.mark.parametrize("damage", ["gone", "cut", "shorter", "foreign rows", "no manifest"])
def test_a_damaged_trie_is_made_anew(gpt2_folder: Path, tmp_path: Path, damage: str) -> None:
    (tmp_path / "table.tsv").write_text("id\tname\nX:1\tCommon Cold\nX:2\tKidney\n")
    build_store([("table", tmp_path / "table.tsv")], tmp_path / "store")
    store = open_store(tmp_path / "store")

    def written() -> list[str]:
        _, name, _ = Writing(store, str(gpt2_folder), "{mention} means").written(["cold"], (), 9)
        return sorted(store.name_texts(name))

    assert written() == ["Common Cold", "Kidney"]
    (kept,) = (tmp_path / "store" / TRIES_FOLDER).iterdir()
    whole = {path.name: path.read_bytes() for path in kept.iterdir()}
    token, name = kept / "trie.token.npy", kept / "name.name.npy"
    if damage == "gone":
        token.unlink()
    elif damage == "cut":
        token.write_bytes(whole[token.name][:-4])
    elif damage == "shorter":
        np.save(token, np.load(token)[:-1])
    elif damage == "foreign rows":
        np.save(name, np.load(name) + 5)
    else:
        (kept / "trie.json").write_text("[]")
    assert written() == ["Common Cold", "Kidney"]
    assert {path.name: path.read_bytes() for path in kept.iterdir()} == whole


def test_a_store_that_cannot_be_written_is_linked_to(
    gpt2_folder: Path, small: ConceptStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(folder: Path):
        raise PermissionError("read-only")

    monkeypatch.setattr(names_module, "replacing", refuse)
    monkeypatch.setattr(names_module, "TRIES_VERSION", -1)
    _, name, score = Writing(small, str(gpt2_folder), "{mention} means").written(["hart"], (), 3)
    assert small.name_texts(name[:1]) == ["Myocardial Infarction"]
    assert (np.diff(score) <= 0).all()


def test_pairs_lead_from_names_to_preferred_names(small: ConceptStore) -> None:
    pairs = name_pairs(small)
    said = {(concept, prompt): completion for concept, prompt, completion in pairs.iter_rows()}
    assert said["X:2", "Heart Attack means"] == " Myocardial Infarction"
    assert said["X:2", "Myocardial Infarction means"] == " Myocardial Infarction"
    assert said["X:3", "Coryza means"] == " Common Cold"
    assert said["X:7", "Coryza means"] == " Rhinitis"
    others = name_pairs(small, same=False, types=("C08",), template="{mention} is")
    assert others.select("prompt", "completion").rows() == [
        ("Coryza is", " Common Cold"),
        ("Nasal Catarrh is", " Common Cold"),
        ("Coryza is", " Rhinitis"),
    ]
    extra = pl.DataFrame({"concept_id": ["X:4", "X:99"], "name": ["core wood", "nothing"]})
    more = name_pairs(small, extra=extra)
    assert more.height == pairs.height + 1
    assert ("X:4", "core wood means", " Heartwood") in more.rows()
