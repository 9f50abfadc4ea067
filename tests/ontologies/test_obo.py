from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from ontologies.content import Content, ReadOptions
from ontologies.errors import OntologyError
from ontologies.obo import read_obo
from ontologies.problems import Problems

HEADER = "format-version: 1.4\ndata-version: hp/releases/2026-01-01\n\n"
FINGER = "[Term]\nid: HP:0001167\nname: Abnormality of finger\n"


def write(path: Path, *stanzas: str, header: str = HEADER) -> Path:
    path.write_text(header + "\n".join(stanzas), encoding="utf-8")
    return path


def read(path: Path, *stanzas: str, header: str = HEADER, **options: object) -> Content:
    return read_obo(write(path / "hp.obo", *stanzas, header=header), ReadOptions(**options))


def names(content: Content) -> list[tuple[str | None, ...]]:
    return content.names.select("name", "lexical_tag", "relation").rows()


def test_a_term_becomes_a_concept_with_the_line_of_its_stanza(tmp_path: Path) -> None:
    content = read(
        tmp_path,
        "[Term]\n"
        "id: HP:0000010\n"
        "name: Recurrent urinary tract infections\n"
        "namespace: human_phenotype\n"
        'def: "Repeated infections of the \\"urinary\\" tract." [PMID:1, "a note"]\n'
        "subset: hposlim_core\n"
        "xref: UMLS:C0262655\n"
        "is_a: HP:0002719 ! Recurrent infections\n"
        'is_a: HP:0000079 {is_inferred="true"} ! Abnormality of the urinary system\n',
    )
    (concept,) = content.concepts.rows(named=True)
    assert concept["concept_id"] == "HP:0000010"
    assert concept["concept_name"] == "Recurrent urinary tract infections"
    assert concept["semantic_types"] == ["OBO:HP"]
    assert concept["definition"] == 'Repeated infections of the "urinary" tract.'
    assert concept["line"] == 4
    assert not concept["is_supplementary"]
    assert content.parents.select("concept_id", "parent_id").rows() == [
        ("HP:0000010", "HP:0002719"),
        ("HP:0000010", "HP:0000079"),
    ], "parents need not be in the file"
    assert content.names.is_empty(), "references to other vocabularies are no names"
    assert content.version == "2026-01-01"


def test_synonyms_keep_their_scope_as_tag_and_relation(tmp_path: Path) -> None:
    content = read(
        tmp_path,
        FINGER + 'synonym: "Finger anomaly" EXACT []\n'
        'synonym: "Thumb anomaly" NARROW layperson [PMID:1, https://orcid.org/0000-0002]\n'
        'synonym: "Hand anomaly" BROAD [] {comment="broad, \\"really\\""} ! a comment\n'
        'synonym: "Digit  anomaly " RELATED [UMLS:C1 "words [in brackets]"]\n'
        'synonym: "Anomaly" []\n'
        'synonym: "" EXACT []\n',
    )
    assert names(content) == [
        ("Finger anomaly", "EXACT", None),
        ("Thumb anomaly", "NARROW", "NRW"),
        ("Hand anomaly", "BROAD", "BRD"),
        ("Digit anomaly", "RELATED", "REL"),
        ("Anomaly", "RELATED", "REL"),
    ]


def test_a_synonym_that_equals_the_name_tells_its_scope(tmp_path: Path) -> None:
    content = read(tmp_path, FINGER + 'synonym: "Abnormality of finger" EXACT layperson []\n')
    assert names(content) == [("Abnormality of finger", "EXACT", None)]


def test_escapes_are_undone(tmp_path: Path) -> None:
    content = read(
        tmp_path,
        "[Term]\nid: HP:1\nname: 5\\, 10\\-dihydro\\{x\\} a\\!b \\! c\n"
        'synonym: "the \\"fifth\\"\\Wfinger\\tof \\\\ \\[a\\]\\nhand" EXACT []\n',
    )
    assert content.concepts["concept_name"].to_list() == ["5, 10-dihydro{x} a!b ! c"]
    assert names(content) == [('the "fifth" finger of \\ [a] hand', "EXACT", None)]


def test_comments_and_modifiers_are_no_part_of_a_name(tmp_path: Path) -> None:
    content = read(
        tmp_path,
        '! a comment\n[Term] ! of a stanza\nid: HP:1 {a="b"} ! one\nname: One {a="b", c="d"} ! x',
        "! between\n[Term]\nid: HP:2\n! inside: it\nname: N-{2-[ethyl]} acid!\n",
    )
    assert content.concepts["concept_name"].to_list() == ["One", "N-{2-[ethyl]} acid!"]


def test_obsolete_terms_are_left_out_and_replaced_by_the_one_that_took_their_place(
    tmp_path: Path,
) -> None:
    stanzas = (
        FINGER + "alt_id: HP:0004157\nalt_id: HP:0009448\n",
        "[Term]\nid: HP:0009448\nname: obsolete Long finger\nis_obsolete: true\n"
        "replaced_by: HP:0001167\n",
        "[Term]\nid: HP:0000999\nis_obsolete: true\nreplaced_by: HP:0001167\n",
        "[Term]\nid: HP:0000998\nname: obsolete Two\nis_obsolete: true\n"
        "replaced_by: HP:0001167\nreplaced_by: HP:0001168\n",
        "[Term]\nid: HP:0000997\nname: obsolete Perhaps\nis_obsolete: true\nconsider: HP:0001167\n",
    )
    content = read(tmp_path, *stanzas)
    assert content.concepts["concept_id"].to_list() == ["HP:0001167"]
    assert content.replaced.rows() == [
        ("HP:0000999", "HP:0001167"),
        ("HP:0004157", "HP:0001167"),
        ("HP:0009448", "HP:0001167"),
    ]


def test_obsolete_terms_and_synonyms_are_read_when_asked_for(tmp_path: Path) -> None:
    stanzas = (
        FINGER + 'synonym: "Finger thing" EXACT obsolete_synonym []\n',
        "[Term]\nid: HP:0009448\nname: obsolete Long finger\nis_obsolete: true\n"
        "replaced_by: HP:0001167\n",
    )
    assert names(read(tmp_path, *stanzas)) == []
    content = read(tmp_path, *stanzas, suppressed=True)
    assert content.concepts["concept_id"].to_list() == ["HP:0001167", "HP:0009448"]
    assert content.replaced.rows() == [("HP:0009448", "HP:0001167")]
    assert names(content) == [("Finger thing", "EXACT", None)]


def test_an_alternative_id_of_a_term_in_use_replaces_nothing(tmp_path: Path) -> None:
    content = read(tmp_path, FINGER + "alt_id: HP:2\n", "[Term]\nid: HP:2\nname: Thumb\n")
    assert content.replaced.is_empty()


def test_iris_are_shortened(tmp_path: Path) -> None:
    content = read(
        tmp_path,
        "[Term]\nid: http://identifiers.org/hgnc/1884\nname: CFTR\n"
        "is_a: http://www.ebi.ac.uk/efo/EFO_0000001\n",
    )
    assert content.concepts["concept_id"].to_list() == ["HGNC:1884"]
    assert content.parents["parent_id"].to_list() == ["EFO:0000001"]


def test_only_terms_of_the_wanted_types_are_read(tmp_path: Path) -> None:
    stanzas = (FINGER, "[Term]\nid: UBERON:0002389\nname: manual digit\n")
    content = read(tmp_path, *stanzas, semantic_types=("OBO:HP",))
    assert content.concepts["concept_id"].to_list() == ["HP:0001167"]
    with pytest.raises(OntologyError, match="holds no terms of the types T047"):
        read(tmp_path, *stanzas, semantic_types=("T047",))


def test_other_stanzas_are_passed_over(tmp_path: Path) -> None:
    content = read(
        tmp_path,
        "[Typedef]\nid: part_of\nname: part of\n",
        FINGER,
        "[Instance]\nid: HP:9\nname: thing\n",
    )
    assert content.concepts["concept_id"].to_list() == ["HP:0001167"]


def test_a_term_defined_twice_is_given_twice_with_both_lines(tmp_path: Path) -> None:
    content = read(tmp_path, FINGER, FINGER)
    assert content.concepts.select("concept_id", "line").rows() == [
        ("HP:0001167", 4),
        ("HP:0001167", 8),
    ]


@pytest.mark.parametrize(
    ("header", "version"),
    [
        ("data-version: releases/2016-02-19\n", "2016-02-19"),
        ("data-version: 252\n", "252"),
        ('property_value: owl:versionInfo "2023-04-05" xsd:string\n', "2023-04-05"),
        ("format-version: 1.2\n", None),
    ],
)
def test_the_header_tells_the_version(tmp_path: Path, header: str, version: str | None) -> None:
    assert read(tmp_path, FINGER, header=header).version == version


def test_gzip_byte_order_mark_and_foreign_line_ends_make_no_difference(tmp_path: Path) -> None:
    path = write(tmp_path / "hp.obo", FINGER + 'synonym: "Finger anomaly" EXACT []\n')
    plain = read_obo(path, ReadOptions())
    foreign = b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n")
    path.write_bytes(gzip.compress(foreign))
    again = read_obo(path, ReadOptions())
    assert again.concepts.equals(plain.concepts)
    assert again.names.equals(plain.names)
    assert again.version == plain.version


@pytest.mark.parametrize(
    ("stanza", "said"),
    [
        ("[Term]\nname: Nameless id\n", ":4: a [Term] without id"),
        ("[Term]\nid: HP:1\n", ":4: term HP:1 has no name"),
        ("[Term]\nid: part_of\nname: part of\n", ":4: the id part_of is no CURIE"),
        (FINGER + "synonym: Finger EXACT []\n", ":7: a synonym without quotes"),
        (FINGER + 'synonym: "5" finger" EXACT []\n', ':7: finger" is no scope'),
        (FINGER + "def: A finger. []\n", ":7: a definition without quotes"),
        (FINGER + "what is this\n", ":7: no tag and value"),
    ],
)
def test_a_bad_stanza_raises_or_is_listed(tmp_path: Path, stanza: str, said: str) -> None:
    good = "[Term]\nid: HP:0000001\nname: All\n"
    with pytest.raises(OntologyError) as caught:
        read(tmp_path, stanza, good)
    assert said in str(caught.value)
    assert "; " in str(caught.value), "tells the way out"
    problems = Problems(lenient=True)
    content = read(tmp_path, stanza, good, problems=problems)
    assert "HP:0000001" in content.concepts["concept_id"].to_list()
    assert len(problems.found) == 1
    assert said in problems.found[0]


def test_a_file_without_terms_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "hp.owl"
    path.write_text('<?xml version="1.0"?>\n<rdf:RDF></rdf:RDF>\n')
    with pytest.raises(OntologyError, match=r"hp\.owl: holds no terms; give an ontology's \.obo"):
        read_obo(path, ReadOptions())
