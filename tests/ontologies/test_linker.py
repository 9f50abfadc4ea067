from __future__ import annotations

import gzip
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from ontologies.build import build_store
from ontologies.linker import LinkSettings, link_names, linkset_id
from ontologies.schema import NAME_LINKS
from ontologies.store import open_store
from ontologies.writing.settings import WriterSettings

DEFAULT = LinkSettings()


def frame(*pairs: tuple[str, str]) -> pl.DataFrame:
    schema = {"lookup_text": pl.String, "label": pl.String}
    return pl.DataFrame(list(pairs), schema=schema, orient="row")


def link(store, text: str, label: str, settings: LinkSettings = DEFAULT) -> list[dict]:
    return link_names(store, frame((text, label)), settings).to_dicts()


@pytest.mark.parametrize(
    ("text", "label", "concept", "score"),
    [
        ("Diabetes Mellitus", "Disease", "MESH:D003920", 1.0),
        ("DIABETES MELLITUS", "Disease", "MESH:D003920", 1.0),
        ("diabetes mellitus - type 2", "Disease", "MESH:D003924", 1.0),
        ("hand-foot fevers", "Disease", "MESH:C000002", 0.98),
        ("type 2 diabetes mellitus", "Disease", "MESH:D003924", 0.97),
        ("cancer of the breast", "Disease", "MESH:D001943", 0.95),
        ("diaphragmatic hernias, epidermolytic bullosa", "Disease", "MESH:C565588", 0.9),
    ],
)
def test_exact_levels(small_store, text: str, label: str, concept: str, score: float) -> None:
    (row,) = link(small_store, text, label)
    assert row["status"] == "linked"
    assert (row["concept_id"], row["score"], row["method"]) == (concept, score, "exact")


@pytest.mark.parametrize(
    ("text", "label", "concept", "method", "score"),
    [
        ("paracetamol", "Chemical", "MESH:D000082", "equivalent", 0.99),
        ("adult-onset diabetes", "Disease", "MESH:D003924", "equivalent", 0.99),
        ("breast and ovarian cancer", "Disease", "MESH:D001943", "part", 0.85),
        ("endocrine system damage", "Disease", "MESH:D004700", "broader", 0.8),
    ],
)
def test_names_that_are_looked_up_by_others(
    small_store, text: str, label: str, concept: str, method: str, score: float
) -> None:
    first, *_ = link(small_store, text, label)
    assert first["status"] == "linked"
    assert (first["concept_id"], first["method"], first["score"]) == (concept, method, score)


def test_near_names(small_store) -> None:
    first, *others = link(small_store, "epidermolysis bullosa w. diaphragmatic hernia", "Disease")
    assert first["status"] == "linked"
    assert first["method"] == "ngram"
    assert first["concept_id"] == "MESH:C565588"
    assert first["matched_name"] == "Epidermolysis Bullosa With Diaphragmatic Hernia"
    assert 0.7 <= first["score"] < 1
    assert all(row["score"] <= first["score"] for row in others)


def test_no_candidate_is_one_row_without_concept(small_store) -> None:
    for text in ("xyzzy", "", "+", "  "):
        (row,) = link(small_store, text, "Disease")
        assert (row["status"], row["rank"]) == ("no_candidate", 1)
        assert row["concept_id"] is row["score"] is row["method"] is row["matched_name"] is None


def test_below_threshold_keeps_candidates(small_store) -> None:
    rows = link(small_store, "diabetic state", "Disease")
    assert rows[0]["concept_id"] == "MESH:D003920"
    assert {row["status"] for row in rows} == {"below_threshold"}
    lower = DEFAULT.model_copy(update={"threshold": 0.3})
    assert {row["status"] for row in link(small_store, "diabetic state", "Disease", lower)} == {
        "linked"
    }


def test_more_candidates_may_be_asked_for_than_are_kept(small_store) -> None:
    names = frame(("diabetes", "Phenomenon"), ("disease of the heart", "Disease"))
    few = LinkSettings(candidates=1, floor=0.0)
    more = link_names(small_store, names, few, candidates=20)
    kept = link_names(small_store, names, few)
    assert more.height > kept.height
    assert more.filter(rank=1).equals(kept)


def test_threshold_holds_for_exact_levels_too(small_store) -> None:
    strict = LinkSettings(threshold=1.0)
    assert link(small_store, "NIDDM", "Disease", strict)[0]["status"] == "linked"
    assert link(small_store, "hand-foot fevers", "Disease", strict)[0]["status"] == (
        "below_threshold"
    )


def test_labels_restrict(small_store) -> None:
    (disease,) = link(small_store, "Cold", "Disease")
    assert disease["concept_id"] == "MESH:D001943", "cold temperature is no disease"
    free = link(small_store, "Cold", "Phenomenon")
    assert {row["concept_id"] for row in free} == {"MESH:D001943", "MESH:D003080"}
    assert {row["status"] for row in free} == {"ambiguous"}
    weather = LinkSettings(labels={"Disease": ("G16",)})
    assert link(small_store, "Cold", "Disease", weather)[0]["concept_id"] == "MESH:D003080"


def test_what_no_rule_separates_is_ambiguous(small_store) -> None:
    rows = link(small_store, "Coryza", "Disease")
    assert [row["concept_id"] for row in rows] == ["MESH:D003139", "MESH:D012220"]
    assert [row["rank"] for row in rows] == [1, 2]
    assert {row["status"] for row in rows} == {"ambiguous"}


def test_typed_before_untyped(small_store) -> None:
    rows = link(small_store, "rhinitis", "Disease")
    assert [row["concept_id"] for row in rows] == ["MESH:D012220", "MESH:C000004"]
    assert {row["status"] for row in rows} == {"linked"}


@pytest.fixture
def rules_store(tmp_path: Path, write_mesh, mesh_record):
    """Pairs that one rule each separates, the right one with the higher id."""
    descriptors = [
        mesh_record("D1", "Alpha", "MASS", trees=("C01",)),
        mesh_record("D2", "Beta", "Mass", trees=("C02",)),
        mesh_record("D3", "Gamma", "Fit", trees=("C03",)),
        mesh_record("D4", "Fit", trees=("C04",)),
        mesh_record("D9", "Delta", "Croup", trees=("C05",)),
    ]
    supplementary = [mesh_record("C1", "Epsilon", "Croup", scr_class=3)]
    sources = [
        ("mesh", write_mesh(tmp_path / "desc.xml", *descriptors)),
        (
            "mesh",
            write_mesh(tmp_path / "supp.xml", *supplementary, root="SupplementalRecordSet"),
        ),
    ]
    build_store(sources, tmp_path / "store")
    return open_store(tmp_path / "store")


@pytest.mark.parametrize(
    ("text", "first", "second"),
    [
        ("Mass", "MESH:D2", "MESH:D1"),  # letter for letter
        ("MASS", "MESH:D1", "MESH:D2"),
        ("fit", "MESH:D4", "MESH:D3"),  # preferred name before synonym
        ("croup", "MESH:D9", "MESH:C1"),  # descriptor before supplementary record
    ],
)
def test_tie_rules(rules_store, text: str, first: str, second: str) -> None:
    rows = link(rules_store, text, "Disease")
    assert [row["concept_id"] for row in rows] == [first, second]
    assert {row["status"] for row in rows} == {"linked"}
    assert {row["score"] for row in rows} == {1.0}


def test_candidates_are_limited_but_ties_still_seen(small_store) -> None:
    one = LinkSettings(candidates=1)
    (row,) = link(small_store, "Coryza", "Disease", one)
    assert row["status"] == "ambiguous"


@pytest.fixture
def used_store(tmp_path: Path, write_mesh, mesh_record):
    """Names that annotators gave concepts, and how often."""
    records = [
        mesh_record("D1", "Hepatitis", trees=("C01",)),
        mesh_record("D2", "Liver Injury", trees=("C02",)),
        mesh_record("D3", "Polyposis Coli", "APC", trees=("C03",)),
        mesh_record("D4", "Clotting Disorder", "APC", trees=("C04",)),
        mesh_record("D5", "GS", trees=("C05",)),
        mesh_record("D6", "Gardner Syndrome", "GS", trees=("C06",)),
        mesh_record("D7", "Painful Swallowing", trees=("C07",)),
        mesh_record("D8", "Painful Swelling", trees=("C08",)),
    ]
    extra = pl.DataFrame(
        [
            ("MESH:D1", "hepatitis", 1),
            ("MESH:D2", "hepatitis", 1),
            ("MESH:D2", "Hepatitis", 2),
            ("MESH:D4", "APC", 2),
            ("MESH:D8", "sore lump", 40),
        ],
        schema=["concept_id", "name", "count"],
        orient="row",
    )
    path = write_mesh(tmp_path / "desc.xml", *records)
    build_store([("mesh", path)], tmp_path / "store", extra=extra)
    return open_store(tmp_path / "store")


def test_what_given_names_mean_more_often_comes_first(used_store) -> None:
    rows = link(used_store, "hepatitis", "Disease")
    assert [row["concept_id"] for row in rows] == ["MESH:D2", "MESH:D1"]
    assert {row["status"] for row in rows} == {"linked"}


def test_a_short_form_is_linked_only_where_one_sense_leads_clearly(used_store) -> None:
    assert link(used_store, "APC", "Disease")[0]["status"] == "linked"
    # That one of two senses is its preferred name does not make it the likelier one.
    rows = link(used_store, "GS", "Disease")
    assert (rows[0]["concept_id"], rows[0]["status"]) == ("MESH:D5", "ambiguous")
    # Similar names of other things are no senses of it.
    rows = link(used_store, "APCD", "Disease", LinkSettings(threshold=0.1, floor=0.1))
    assert rows[0]["status"] in {"below_threshold", "no_candidate"}


def test_familiar_concepts_are_raised_among_near_matches(used_store) -> None:
    name = "painful swallings"
    plain = LinkSettings(familiar_weight=0)
    assert link(used_store, name, "Disease", plain)[0]["concept_id"] == "MESH:D7"
    raised = link(used_store, name, "Disease", LinkSettings(familiar_weight=0.6))
    assert raised[0]["concept_id"] == "MESH:D8"
    assert raised[0]["score"] < 1


@pytest.fixture
def related_store(tmp_path: Path):
    (tmp_path / "do.obo").write_text(
        "format-version: 1.2\n"
        '[Term]\nid: X:1\nname: Anaemia\nsynonym: "pallor" RELATED []\n\n'
        '[Term]\nid: X:2\nname: Skin colour\nsynonym: "pallor" EXACT []\n'
    )
    build_store([("obo", tmp_path / "do.obo")], tmp_path / "store")
    return open_store(tmp_path / "store")


def test_a_synonym_comes_before_a_name_that_is_only_related(related_store) -> None:
    rows = link(related_store, "pallor", "Anything")
    assert [row["concept_id"] for row in rows] == ["X:2", "X:1"]
    assert {row["status"] for row in rows} == {"linked"}


DIABETES = ("diabetes", "diabetic state", "mellitus diabetes")
RHINITIS = ("rhinitis", "Rhinitis", "Coryza", "cold")
OTHERS = ("vitamin B6", "breast tumor", "humans", "", "hand foot fever", "xyzzy", "proteinz")
NAMES = st.sampled_from((*DIABETES, *RHINITIS, *OTHERS))
PAIRS = st.tuples(NAMES, st.sampled_from(["Disease", "Chemical", "Gene", "Other"]))


@settings(max_examples=40, deadline=None)
@given(st.lists(PAIRS, min_size=1, max_size=12), st.randoms())
def test_links_do_not_depend_on_order_or_company(small_store, pairs, random) -> None:
    linked = link_names(small_store, frame(*pairs), DEFAULT)
    shuffled = random.sample(pairs * 2, 2 * len(pairs))
    assert link_names(small_store, frame(*shuffled), DEFAULT).equals(linked)
    alone = [link_names(small_store, frame(pair), DEFAULT) for pair in sorted(set(pairs))]
    assert pl.concat(alone).equals(linked)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.text(max_size=20), st.text(max_size=3)), max_size=6))
def test_every_pair_is_answered_as_declared(small_store, pairs) -> None:
    links = link_names(small_store, frame(*pairs), DEFAULT)
    assert links.schema == pl.Schema(NAME_LINKS.schema)
    assert links.equals(links.sort("lookup_text", "label", "rank"))
    assert set(links.select("lookup_text", "label").rows()) == set(pairs)
    assert not links.select(NAME_LINKS.key).is_duplicated().any()
    for (_, _), rows in links.group_by("lookup_text", "label"):
        assert sorted(rows["rank"]) == list(range(1, rows.height + 1))
        assert rows.height <= 5
        assert rows["status"].n_unique() == 1
        assert rows["concept_id"].n_unique() == rows.height


def test_no_names_give_no_rows(small_store) -> None:
    links = link_names(small_store, frame(), DEFAULT)
    assert links.is_empty()
    assert links.schema == pl.Schema(NAME_LINKS.schema)


def test_linkset_id() -> None:
    base = linkset_id("mesh-1", DEFAULT)
    assert base == linkset_id("mesh-1", LinkSettings())
    assert linkset_id("mesh-2", DEFAULT) != base
    for change in (
        {"threshold": 0.71},
        {"floor": 0.31},
        {"candidates": 4},
        {"neighbours": 49},
        {"untyped_weight": 0.8},
        {"supplementary_weight": 0.8},
        {"familiar_weight": 0.2},
        {"context": False},
        {"context_ratio": 0.8},
        {"context_floor": 0.4},
        {"context_information": 2.0},
        {"context_lead": 0.1},
        {"encoder": "minilm"},
        {"dense_weight": 0.6},
        {"dense_neighbours": 0},
        {"preferred_bonus": 0.0},
        {"labels": {"Disease": ("C",)}},
    ):
        assert linkset_id("mesh-1", DEFAULT.model_copy(update=change)) != base
    reordered = dict(reversed(DEFAULT.labels.items()))
    assert linkset_id("mesh-1", LinkSettings(labels=reordered)) == base


def test_every_setting_changes_the_linkset() -> None:
    described = {name for name, field in LinkSettings.model_fields.items() if field.description}
    assert described == {
        "threshold",
        "floor",
        "candidates",
        "neighbours",
        "untyped_weight",
        "supplementary_weight",
        "familiar_weight",
        "context",
        "context_ratio",
        "context_floor",
        "context_information",
        "context_lead",
        "encoder",
        "pooling",
        "dense_weight",
        "dense_neighbours",
        *WriterSettings.model_fields,
        "preferred_bonus",
        "labels",
    }, "a new setting needs a case in test_linkset_id and a description"


@pytest.mark.parametrize("wrong", [{"threshold": 1.1}, {"candidates": 6}, {"treshold": 0.5}])
def test_settings_are_checked(wrong: dict) -> None:
    with pytest.raises(ValidationError):
        LinkSettings(**wrong)


@pytest.mark.parametrize(
    ("text", "label", "concept"),
    [
        ("type 2 diabetes mellitus", "Disease", "MESH:D003924"),
        ("breast cancer", "Disease", "MESH:D001943"),
        ("Parkinson's disease", "Disease", "MESH:D010300"),
        ("tricuspid regurgitation", "Disease", "MESH:D014262"),
        ("lithium carbonate", "Chemical", "MESH:D016651"),
        ("haloperidol", "Chemical", "MESH:D006220"),
    ],
)
def test_known_names_in_mesh(mesh_store, text: str, label: str, concept: str) -> None:
    best = link(mesh_store, text, label)[0]
    assert best["status"] == "linked"
    assert best["concept_id"] == concept


@pytest.mark.parametrize(("label", "floor"), [("Disease", 0.78), ("Chemical", 0.86)])
def test_accuracy_on_gold_mentions(mesh_store, data_dir: Path, label: str, floor: float) -> None:
    """First candidate against the gold id, where the store has it; abbreviations unexpanded."""
    ids = set(pl.read_parquet(mesh_store.table_path("concepts"))["concept_id"])
    gold = []
    with gzip.open(data_dir / "corpora" / "bc5cdr_dev.pubtator.gz", "rt", encoding="utf-8") as file:
        for line in file:
            fields = line.rstrip("\n").split("\t")
            if len(fields) == 6 and fields[4] == label:
                wanted = {f"MESH:{ui}" for ui in fields[5].split("|")}
                if wanted & ids:
                    gold.append((fields[3], wanted))
    links = link_names(mesh_store, frame(*((text, label) for text, _ in gold)), DEFAULT)
    best = dict(links.filter(rank=1).select("lookup_text", "concept_id").iter_rows())
    right = sum(best[text] in wanted for text, wanted in gold)
    assert len(gold) > 4000
    assert right / len(gold) >= floor
