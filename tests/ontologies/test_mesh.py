from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import pytest

from ontologies.content import ReadOptions
from ontologies.errors import OntologyError
from ontologies.mesh import read_mesh
from ontologies.problems import Problems

FULL = """<DescriptorRecord DescriptorClass="1">
<DescriptorUI>D000068579</DescriptorUI>
<DescriptorName><String>Celecoxib</String></DescriptorName>
<PharmacologicalActionList><PharmacologicalAction><DescriptorReferredTo>
<DescriptorUI>D052246</DescriptorUI><DescriptorName><String>Cyclooxygenase 2 Inhibitors</String>
</DescriptorName></DescriptorReferredTo></PharmacologicalAction></PharmacologicalActionList>
<TreeNumberList><TreeNumber>D02.065.884.155</TreeNumber></TreeNumberList>
<ConceptList>
<Concept PreferredConceptYN="N"><ConceptUI>M2</ConceptUI>
<RegistryNumber>0</RegistryNumber>
<TermList><Term LexicalTag="TRD"><String>Celebrex</String></Term>
<Term LexicalTag="NON"><String>Celecoxib</String></Term></TermList></Concept>
<Concept PreferredConceptYN="Y"><ConceptUI>M1</ConceptUI>
<RegistryNumberList><RegistryNumber>JCX84Q7J1L</RegistryNumber><RegistryNumber>169590-42-5</RegistryNumber>
</RegistryNumberList>
<ConceptRelationList><ConceptRelation RelationName="NRW">
<Concept1UI>M1</Concept1UI><Concept2UI>M2</Concept2UI></ConceptRelation></ConceptRelationList>
<TermList><Term LexicalTag="NON"><String>Celecoxib</String></Term>
<Term LexicalTag="LAB"><String>SC 58635</String></Term></TermList></Concept>
</ConceptList></DescriptorRecord>"""


def read(path: Path, options: ReadOptions | None = None) -> dict[str, dict[str, Any]]:
    """Concepts of a file by id, with their names as ``names``: rows of name, tag and relation."""
    content = read_mesh(path, options or ReadOptions())
    found = {row["concept_id"]: row for row in content.concepts.iter_rows(named=True)}
    for row in found.values():
        names = content.names.filter(concept_id=row["concept_id"])
        row["names"] = names.select("name", "lexical_tag", "relation").rows()
    return found


def texts(concept: dict[str, Any]) -> list[str]:
    return [name for name, _, _ in concept["names"]]


def test_descriptor(small_mesh) -> None:
    diabetes = read(small_mesh[0][1])["MESH:D003920"]
    assert diabetes["concept_name"] == "Diabetes Mellitus"
    assert texts(diabetes) == ["Diabetes Mellitus", "Diabetes"], "codes are no names"
    assert diabetes["semantic_types"] == ["C18", "C19"]
    assert diabetes["tree_numbers"] == ["C18.452.394.750", "C19.246"]
    assert diabetes["definition"] == "A heterogeneous group of disorders."
    assert not diabetes["is_supplementary"]
    assert diabetes["line"] == 3


def test_names_come_with_tags_and_relations(tmp_path: Path, write_mesh) -> None:
    celecoxib = read(write_mesh(tmp_path / "desc.xml", FULL))["MESH:D000068579"]
    assert celecoxib["names"] == [
        ("Celecoxib", "NON", None),
        ("SC 58635", "LAB", None),
        ("Celebrex", "TRD", "NRW"),
        ("Celecoxib", "NON", "NRW"),
    ]
    assert celecoxib["registry_numbers"] == ["JCX84Q7J1L", "169590-42-5"]
    assert celecoxib["actions"] == ["MESH:D052246"]


def test_the_year_is_told_by_the_file_name(tmp_path: Path, write_mesh) -> None:
    options = ReadOptions()
    assert read_mesh(write_mesh(tmp_path / "desc2026.xml", FULL), options).version == "2026"
    assert read_mesh(write_mesh(tmp_path / "desc.xml", FULL), options).version is None


def test_supplementary_record(small_mesh) -> None:
    fever = read(small_mesh[1][1])["MESH:C000002"]
    assert fever["is_supplementary"]
    assert fever["semantic_types"] == ["SCR3"]
    assert fever["mapped_to"] == ["MESH:D004700", "MESH:D012220"]


def test_gzip_is_told_by_content_not_name(small_mesh) -> None:
    path = small_mesh[0][1]
    plain = read(path)
    path.write_bytes(gzip.compress(path.read_bytes()))
    assert read(path) == plain


def test_names_of_every_concept_count(tmp_path: Path, write_mesh) -> None:
    record = (
        "<DescriptorRecord><DescriptorUI>D1</DescriptorUI>"
        "<DescriptorName><String>Pain</String></DescriptorName><ConceptList>"
        "<Concept><TermList><Term><String>Ache</String></Term></TermList></Concept>"
        '<Concept PreferredConceptYN="Y"><TermList><Term><String>Pain</String></Term>'
        "<Term><String>Suffering, <i>Physical</i></String>"
        "</Term></TermList></Concept></ConceptList></DescriptorRecord>"
    )
    pain = read(write_mesh(tmp_path / "desc.xml", record))["MESH:D1"]
    assert texts(pain) == ["Pain", "Suffering, Physical", "Ache"]


def test_a_lenient_reader_leaves_bad_records_out_and_lists_them(tmp_path: Path, write_mesh) -> None:
    nameless = "<DescriptorRecord><DescriptorUI>D9</DescriptorUI></DescriptorRecord>"
    options = ReadOptions(problems=Problems(lenient=True))
    path = write_mesh(tmp_path / "desc.xml", nameless, FULL)
    assert list(read(path, options)) == ["MESH:D000068579"]
    assert options.problems.found == [f"{path}:2: a DescriptorRecord without UI or name"]


def test_a_lenient_reader_keeps_what_stands_before_the_break(tmp_path: Path, small_mesh) -> None:
    lines = small_mesh[0][1].read_text().split("\n")
    path = tmp_path / "cut.xml"
    path.write_text("\n".join(lines[:4]))
    options = ReadOptions(problems=Problems(lenient=True))
    assert list(read(path, options)) == ["MESH:D004700", "MESH:D003920", "MESH:D003924"][:2]
    (problem,) = options.problems.found
    assert "not well-formed XML" in problem


def test_external_entities_are_not_read(tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("secret")
    path = tmp_path / "desc.xml"
    path.write_text(
        f'<!DOCTYPE DescriptorRecordSet [<!ENTITY e SYSTEM "{secret}">]>'
        "<DescriptorRecordSet><DescriptorRecord><DescriptorUI>D1</DescriptorUI>"
        "<DescriptorName><String>a&e;</String></DescriptorName>"
        "</DescriptorRecord></DescriptorRecordSet>"
    )
    try:
        names = [concept["concept_name"] for concept in read(path).values()]
    except OntologyError:
        return
    assert all("secret" not in name for name in names)


def _missing(path: Path, good: bytes) -> None:
    pass


def _folder(path: Path, good: bytes) -> None:
    path.mkdir()


def _empty(path: Path, good: bytes) -> None:
    path.write_bytes(b"")


def _truncated_gzip(path: Path, good: bytes) -> None:
    path.write_bytes(gzip.compress(good)[:-60])


def _damaged_gzip(path: Path, good: bytes) -> None:
    path.write_bytes(gzip.compress(good)[:-8] + b"\0" * 8)


def _html(path: Path, good: bytes) -> None:
    path.write_bytes(b"<!DOCTYPE html>\n<html><body>Not found</body></html>")


def _zip(path: Path, good: bytes) -> None:
    path.write_bytes(b"PK\x03\x04" + good)


def _other_xml(path: Path, good: bytes) -> None:
    path.write_bytes(b"<PubmedArticleSet></PubmedArticleSet>")


def _cut_xml(path: Path, good: bytes) -> None:
    path.write_bytes(good[: len(good) // 2])


def _binary(path: Path, good: bytes) -> None:
    path.write_bytes(bytes(range(256)))


def _no_records(path: Path, good: bytes) -> None:
    path.write_bytes(b"<DescriptorRecordSet></DescriptorRecordSet>")


def _no_name(path: Path, good: bytes) -> None:
    path.write_bytes(
        b"<DescriptorRecordSet>\n<DescriptorRecord><DescriptorUI>D1</DescriptorUI>"
        b"</DescriptorRecord></DescriptorRecordSet>"
    )


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (_missing, "no such file"),
        (_folder, "is a folder"),
        (_empty, "is empty"),
        (_truncated_gzip, "cut short"),
        (_damaged_gzip, "damaged"),
        (_html, "HTML page"),
        (_zip, "zip archive"),
        (_other_xml, "root element is PubmedArticleSet"),
        (_cut_xml, "not well-formed XML"),
        (_binary, "not well-formed XML"),
        (_no_records, "holds no DescriptorRecord"),
        (_no_name, ":2: a DescriptorRecord without UI or name"),
    ],
)
def test_unusable_files(tmp_path: Path, small_mesh, spoil, said: str) -> None:
    path = tmp_path / "bad.xml.gz"
    spoil(path, small_mesh[0][1].read_bytes())
    with pytest.raises(OntologyError) as caught:
        read_mesh(path, ReadOptions())
    message = str(caught.value)
    assert str(path) in message
    assert said in message
    assert "\n" not in message


def test_malformed_xml_names_the_line(tmp_path: Path, small_mesh) -> None:
    path = tmp_path / "bad.xml"
    lines = small_mesh[0][1].read_text().split("\n")
    lines[4] = lines[4].replace("</DescriptorUI>", "</Wrong>")
    path.write_text("\n".join(lines))
    with pytest.raises(OntologyError, match=r"bad\.xml:5: not well-formed XML"):
        read_mesh(path, ReadOptions())
