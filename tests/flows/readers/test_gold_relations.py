"""Relations of gold files: PubTator's rows and BioC's elements say the same."""

from __future__ import annotations

import json
from pathlib import Path

from flows.readers.gold import GoldRelation, read_gold_file

CID = (
    GoldRelation("CID", "MESH:D016651", "MESH:D003490"),
    GoldRelation("CID", "MESH:D016651", "MESH:D001145"),
)
PUBTATOR = """7|t|Lithium toxicity.
7|a|Lithium causes cyanosis.
7\t0\t7\tLithium\tChemical\tD016651
7\t33\t41\tcyanosis\tDisease\tD003490|D001145
7\tCID\tD016651\tD003490|D001145
7\tCID\tD016651\t-1
7\t-1\t16\tLithium\tChemical\tD016651
7\t0.0\t7\tLithium\tChemical\tD016651
"""


def test_relation_rows_of_pubtator(tmp_path: Path) -> None:
    path = tmp_path / "gold.pubtator"
    path.write_text(PUBTATOR, encoding="utf-8")
    (document,) = read_gold_file(path)
    assert document.relations == CID
    assert [m.mention_text for m in document.mentions] == ["Lithium", "cyanosis"]


def test_relations_of_bioc_in_either_form_and_place(tmp_path: Path) -> None:
    xml = tmp_path / "gold.xml"
    xml.write_text(
        "<collection><document><id>7</id><passage><offset>0</offset><text>Lithium.</text>"
        '<relation id="R1"><infon key="relation">CID</infon><infon key="Chemical">D016651</infon>'
        '<infon key="Disease">D001145</infon></relation></passage>'
        '<relation id="R0"><infon key="relation">CID</infon><infon key="Chemical">D016651</infon>'
        '<infon key="Disease">D003490</infon></relation></document></collection>',
        encoding="utf-8",
    )
    (document,) = read_gold_file(xml)
    assert document.relations == CID

    infons = {"type": "Association", "entity1": "D016651", "entity2": "D003490"}
    raw = {
        "id": "7",
        "passages": [{"offset": 0, "text": "Lithium.", "infons": {}}],
        "relations": [{"infons": infons}, {"infons": {"type": "Points"}, "nodes": []}],
    }
    bioc = tmp_path / "gold.json"
    bioc.write_text(json.dumps({"documents": [raw]}), encoding="utf-8")
    (document,) = read_gold_file(bioc)
    assert document.relations == (GoldRelation("Association", "MESH:D016651", "MESH:D003490"),)


def test_cdr_relates_concepts_of_its_mentions(data_dir: Path) -> None:
    documents = list(read_gold_file(data_dir / "corpora" / "bc5cdr_dev.pubtator.gz"))
    assert sum(len(set(d.relations)) for d in documents) == 1012
    for document in documents:
        named = {c for m in document.mentions for c in m.concept_ids}
        assert all(r.subject in named and r.object in named for r in document.relations)
