from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from ontologies.errors import OntologyError
from ontologies.mesh import read_mesh


def test_descriptor(small_mesh) -> None:
    diabetes = {c.concept_id: c for c in read_mesh(small_mesh[0][1])}["MESH:D003920"]
    assert diabetes.concept_name == "Diabetes Mellitus"
    assert diabetes.synonyms == ("Diabetes",), "codes of other vocabularies are no names"
    assert diabetes.semantic_types == ("C18", "C19")
    assert diabetes.tree_numbers == ("C18.452.394.750", "C19.246")
    assert diabetes.definition == "A heterogeneous group of disorders."
    assert not diabetes.is_supplementary
    assert diabetes.line == 3


def test_supplementary_record(small_mesh) -> None:
    records = {c.concept_id: c for c in read_mesh(small_mesh[1][1])}
    fever = records["MESH:C000002"]
    assert fever.is_supplementary
    assert fever.semantic_types == ("SCR3",)
    assert fever.mapped_to == ("MESH:D004700", "MESH:D012220")


def test_gzip_is_told_by_content_not_name(small_mesh) -> None:
    path = small_mesh[0][1]
    plain = list(read_mesh(path))
    path.write_bytes(gzip.compress(path.read_bytes()))
    assert list(read_mesh(path)) == plain


def test_names_of_every_concept_count_once(tmp_path: Path, write_mesh) -> None:
    record = (
        "<DescriptorRecord><DescriptorUI>D1</DescriptorUI>"
        "<DescriptorName><String>Pain</String></DescriptorName><ConceptList>"
        "<Concept><TermList><Term><String>Ache</String></Term></TermList></Concept>"
        '<Concept PreferredConceptYN="Y"><TermList><Term><String>Pain</String></Term>'
        "<Term><String>Ache</String></Term><Term><String>Suffering, <i>Physical</i></String>"
        "</Term></TermList></Concept></ConceptList></DescriptorRecord>"
    )
    (pain,) = read_mesh(write_mesh(tmp_path / "desc.xml", record))
    assert pain.synonyms == ("Ache", "Suffering, Physical")


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
        names = [concept.concept_name for concept in read_mesh(path)]
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
        list(read_mesh(path))
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
        list(read_mesh(path))
