from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from polars.testing import assert_frame_equal

from ontologies.content import Content, ReadOptions
from ontologies.errors import OntologyError
from ontologies.obo import read_obo
from ontologies.obograph import read_obograph
from ontologies.problems import Problems

OBO = "http://purl.obolibrary.org/obo/"
IN_OWL = "http://www.geneontology.org/formats/oboInOwl#"

FLAT = """\
format-version: 1.4
data-version: doid/releases/2026-01-01

[Term]
id: DOID:4
name: disease

[Term]
id: DOID:1612
name: breast cancer
alt_id: DOID:1613
def: "A cancer of the \\"breast\\"." [url:http\\://example.org]
synonym: "breast tumor" RELATED []
synonym: "mammary cancer" EXACT layperson [PMID:1]
synonym: "mammary thing" EXACT obsolete_synonym []
synonym: "male breast cancer" NARROW []
synonym: "thoracic cancer" BROAD []
xref: MESH:D001943
is_a: DOID:4 ! disease
is_a: DOID:5093 ! thoracic cancer, in no file

[Term]
id: DOID:1614
name: obsolete mamma cancer
is_obsolete: true
replaced_by: DOID:1612

[Typedef]
id: part_of
name: part of
"""


def synonym(scope: str, text: str, kind: str = "") -> dict[str, str]:
    typed = {"synonymType": f"{OBO}doid#{kind}"} if kind else {}
    return {"pred": f"has{scope}Synonym", "val": text, **typed}


def value(predicate: str, text: str) -> dict[str, str]:
    return {"pred": predicate, "val": text}


def node(number: str, label: str | None = None, **meta: Any) -> dict[str, Any]:
    labelled = {} if label is None else {"lbl": label}
    return {"id": OBO + number, "type": "CLASS", **labelled, "meta": meta}


def graph(*nodes: dict[str, Any], edges: list[dict[str, str]] | None = None) -> dict[str, Any]:
    return {
        "id": f"{OBO}doid.json",
        "meta": {"version": f"{OBO}doid/releases/2026-01-01/doid.json"},
        "nodes": list(nodes),
        "edges": edges or [],
    }


def is_a(child: str, parent: str) -> dict[str, str]:
    return {"sub": OBO + child, "pred": "is_a", "obj": OBO + parent}


GRAPH = graph(
    node("DOID_4", "disease"),
    {"id": f"{OBO}BFO_0000050", "type": "PROPERTY", "lbl": "part of"},
    node(
        "DOID_1612",
        "breast cancer",
        definition={"val": 'A cancer of the "breast".', "xrefs": ["url:http://example.org"]},
        synonyms=[
            synonym("Related", "breast tumor"),
            synonym("Exact", "mammary cancer", "layperson"),
            synonym("Exact", "mammary thing", "obsolete_synonym"),
            synonym("Narrow", "male breast cancer"),
            synonym("Broad", "thoracic cancer"),
        ],
        xrefs=[{"val": "MESH:D001943"}],
        basicPropertyValues=[value(f"{IN_OWL}hasAlternativeId", "DOID:1613")],
    ),
    node(
        "DOID_1614",
        "obsolete mamma cancer",
        deprecated=True,
        basicPropertyValues=[value(f"{OBO}IAO_0100001", f"{OBO}DOID_1612")],
    ),
    edges=[
        is_a("DOID_1612", "DOID_4"),
        {"sub": f"{OBO}DOID_1612", "pred": f"{OBO}BFO_0000050", "obj": f"{OBO}UBERON_0000310"},
        is_a("DOID_1612", "DOID_5093"),
    ],
)


def read(path: Path, *graphs: dict[str, Any], **options: Any) -> Content:
    file = path / "doid.json"
    file.write_text(json.dumps({"graphs": list(graphs)}, ensure_ascii=False), encoding="utf-8")
    return read_obograph(file, ReadOptions(**options))


@pytest.mark.parametrize("suppressed", [False, True])
def test_both_forms_of_an_ontology_give_the_same_content(tmp_path: Path, suppressed: bool) -> None:
    flat = tmp_path / "doid.obo"
    flat.write_text(FLAT)
    expected = read_obo(flat, ReadOptions(suppressed=suppressed))
    content = read(tmp_path, GRAPH, suppressed=suppressed)
    assert_frame_equal(content.concepts.drop("line"), expected.concepts.drop("line"))
    assert_frame_equal(content.names, expected.names)
    assert_frame_equal(content.parents, expected.parents)
    assert_frame_equal(content.replaced, expected.replaced)
    assert content.version == expected.version == "2026-01-01"
    assert content.concepts["semantic_types"].to_list()[0] == ["OBO:DOID"]
    assert content.replaced.rows() == [("DOID:1613", "DOID:1612"), ("DOID:1614", "DOID:1612")]


def test_a_merged_class_without_label_is_replaced(tmp_path: Path) -> None:
    content = read(
        tmp_path,
        graph(
            node("Y_1", "kept", basicPropertyValues=[value(f"{IN_OWL}hasAlternativeId", "Y:2")]),
            node("Y_2", deprecated=True, basicPropertyValues=[value(f"{OBO}IAO_0100001", "Y:1")]),
        ),
    )
    assert content.concepts["concept_id"].to_list() == ["Y:1"]
    assert content.replaced.rows() == [("Y:2", "Y:1")]


def test_a_class_may_be_deprecated_by_a_property_value(tmp_path: Path) -> None:
    old = [value("http://www.w3.org/2002/07/owl#deprecated", "true")]
    content = read(
        tmp_path, graph(node("GO_1", "nucleus"), node("GO_2", "old", basicPropertyValues=old))
    )
    assert content.concepts["concept_id"].to_list() == ["GO:1"]


def test_classes_that_are_only_mentioned_are_passed_over(tmp_path: Path) -> None:
    thing = {"id": "http://www.w3.org/2002/07/owl#Thing", "type": "CLASS", "lbl": "Thing"}
    content = read(tmp_path, graph(node("HP_1", "All"), node("UBERON_0000062"), thing))
    assert content.concepts["concept_id"].to_list() == ["HP:1"]


def test_the_version_may_stand_among_the_properties(tmp_path: Path) -> None:
    stated = [value("http://www.w3.org/2002/07/owl#versionInfo", "2023-04-05")]
    content = read(tmp_path, graph(node("HP_1", "All")) | {"meta": {"basicPropertyValues": stated}})
    assert content.version == "2023-04-05"


def test_every_graph_of_a_file_is_read(tmp_path: Path) -> None:
    content = read(
        tmp_path,
        graph(node("HP_1", "All")),
        graph(node("HP_2", "Köhler sign"), edges=[is_a("HP_2", "HP_1")]),
    )
    assert content.concepts["concept_name"].to_list() == ["All", "Köhler sign"]
    assert content.parents["parent_id"].to_list() == ["HP:1"]


def test_gzip_makes_no_difference(tmp_path: Path) -> None:
    plain = read(tmp_path, GRAPH)
    path = tmp_path / "doid.json"
    path.write_bytes(gzip.compress(path.read_bytes()))
    assert_frame_equal(read_obograph(path, ReadOptions()).concepts, plain.concepts)


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        (
            {"id": "http://example.org/thing", "type": "CLASS", "lbl": "thing"},
            "the class http://example.org/thing has no id",
        ),
        (node("HP_2", "Two", synonyms=[value("hasSynonym", "2")]), "HP:2 has a synonym with"),
    ],
)
def test_a_bad_class_raises_or_is_listed(tmp_path: Path, bad: dict[str, Any], said: str) -> None:
    ontology = graph(node("HP_1", "All"), bad)
    with pytest.raises(OntologyError, match=said):
        read(tmp_path, ontology)
    problems = Problems(lenient=True)
    content = read(tmp_path, ontology, problems=problems)
    assert "HP:1" in content.concepts["concept_id"].to_list()
    assert len(problems.found) == 1
    assert said in problems.found[0]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"graphs": [\n{"nodes": [}\n]}', ":2: not well-formed JSON"),
        ('{"nodes": []}', "is no OBO Graph"),
        ("[]", "is no OBO Graph"),
        ('{"graphs": 7}', "is no OBO Graph"),
        ('{"graphs": [{"nodes": null, "edges": 3}]}', "holds no terms"),
        ('{"graphs": [{"nodes": [7, {"id": 7, "type": "CLASS"}]}]}', "holds no terms"),
        (FLAT, ":1: not well-formed JSON"),
    ],
)
def test_a_file_that_is_no_obo_graph_is_refused(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "doid.json"
    path.write_text(text)
    with pytest.raises(OntologyError) as caught:
        read_obograph(path, ReadOptions())
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)
