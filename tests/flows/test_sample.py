"""The bundled sample: what a newcomer's first run reads must be whole and agree with itself."""

from __future__ import annotations

import csv
import re
from datetime import date
from pathlib import Path

import pytest
from lxml import etree

ROOT = Path(__file__).resolve().parents[2]
ABSTRACTS = ROOT / "flows" / "sample" / "abstracts.xml"
NOTES = ROOT / "flows" / "sample" / "notes.csv"
MESH = ROOT / "ontologies" / "sample" / "mesh_sample.xml"


def duplicates(values: list[str]) -> set[str]:
    return {value for value in values if values.count(value) > 1}


@pytest.fixture(scope="module")
def citations() -> list[etree._Element]:
    return etree.parse(str(ABSTRACTS)).findall("PubmedArticle/MedlineCitation")


@pytest.fixture(scope="module")
def notes() -> list[dict[str, str]]:
    with NOTES.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


@pytest.fixture(scope="module")
def descriptors() -> list[etree._Element]:
    return etree.parse(str(MESH)).findall("DescriptorRecord")


def abstract(citation: etree._Element) -> str:
    return " ".join("".join(p.itertext()) for p in citation.iterfind(".//AbstractText"))


def test_there_are_enough_documents_and_their_ids_are_unique(citations, notes):
    assert len(citations) >= 25
    assert len(notes) >= 25
    assert len(citations) + len(notes) >= 40
    assert not duplicates([c.findtext("PMID") for c in citations])
    assert not duplicates([n["note_id"] for n in notes])


def test_citations_have_title_abstract_and_dates(citations):
    for citation in citations:
        pmid = citation.findtext("PMID")
        assert int(pmid) > 90_000_000, "PMIDs stay outside PubMed's range"
        assert citation.findtext("Article/ArticleTitle"), pmid
        assert citation.findtext("Article/Language") == "eng", pmid
        assert 100 <= len(abstract(citation).split()) <= 250, pmid
        published = int(citation.findtext("Article/Journal/JournalIssue/PubDate/Year"))
        revised = [int(citation.findtext(f"DateRevised/{f}")) for f in ("Year", "Month", "Day")]
        assert 2019 <= published <= 2025, pmid
        assert published <= date(*revised).year, pmid


def test_citations_show_what_a_reader_must_cope_with(citations):
    labelled = [c for c in citations if c.find(".//AbstractText[@Label]") is not None]
    assert 10 <= len(labelled) < len(citations)
    assert {e.tag for c in citations for e in c.find(".//Abstract").iter()} >= {"i", "sub", "sup"}
    assert re.search("[α-ω]", " ".join(map(abstract, citations)))
    assert not any(c.find(".//AuthorList") is not None for c in citations), "no person is named"


def test_abbreviations_are_defined_and_used_again(citations):
    reused = 0
    for citation in citations:
        text = abstract(citation)
        reused += any(
            len(re.findall(rf"\b{short}\b", text)) > 1
            for short in re.findall(r"\(([A-Z][A-Z0-9]+)\)", text)
        )
    assert reused >= 10


def test_mesh_headings_are_in_the_sample_ontology(citations, descriptors):
    names = {d.findtext("DescriptorUI"): d.findtext("DescriptorName/String") for d in descriptors}
    for citation in citations:
        headings = citation.findall("MeshHeadingList/MeshHeading/DescriptorName")
        assert len(headings) >= 3
        for heading in headings:
            assert names.get(heading.get("UI")) == heading.text


def test_notes_are_complete(notes):
    person_of: dict[str, str] = {}
    for note in notes:
        assert set(note) == {
            "note_id", "person_id", "encounter_id", "note_date", "note_type", "text",
        }  # fmt: skip
        assert re.fullmatch(r"N\d{4}", note["note_id"])
        assert re.fullmatch(r"P\d{3}", note["person_id"])
        assert re.fullmatch(r"E\d{5}", note["encounter_id"])
        assert 2021 <= date.fromisoformat(note["note_date"]).year <= 2025
        assert 700 <= len(note["text"]) <= 2200, note["note_id"]
        assert person_of.setdefault(note["encounter_id"], note["person_id"]) == note["person_id"]


def test_persons_recur_and_note_types_vary(notes):
    persons = [n["person_id"] for n in notes]
    assert len(set(persons)) == 12
    assert len(duplicates(persons)) >= 6
    assert len({n["note_type"] for n in notes}) >= 7


@pytest.mark.parametrize(
    ("what", "pattern", "at_least"),
    [
        ("heading with its text behind it", r"(?m)^[A-Z][A-Z ]{3,}: \S", 5),
        ("heading in capitals on its own line", r"(?m)^[A-Z][A-Z ,]{3,}$", 5),
        ("mixed-case heading", r"(?m)^[A-Z][a-z]+( [A-Za-z]+)*:", 5),
        ("numbered heading or list", r"(?m)^\d\. ", 5),
        ("denial", r"(?i)\bdenies\b", 12),
        ("family history", r"(?im)family history|^FH:", 10),
        ("relative with a disease", r"(?i)\b(mother|father|sister|brother|parents)\b", 12),
        ("uncertainty", r"(?i)\b(possible|probable|suspected|rule out|cannot be excluded)\b", 12),
        ("condition to watch for", r"(?i)\bif\b[^.]{0,40}\b(fever|bleeding|rash|syncope|pain)", 6),
        ("past event", r"(?i)\b(h/o|history of|in (19|20)\d\d)\b", 10),
        ("text beyond ASCII", r"[^\x00-\x7f]", 5),
        ("quotation marks", r'"', 3),
    ],
)
def test_notes_hold(notes, what, pattern, at_least):
    found = [n["note_id"] for n in notes if re.search(pattern, n["text"])]
    assert len(found) >= at_least, f"{what}: only in {found}"


def test_descriptors_and_their_parts_are_unique(descriptors):
    assert 600 <= len(descriptors) <= 800
    for path in ("DescriptorUI", "DescriptorName/String", ".//ConceptUI", ".//TermUI"):
        assert not duplicates([e.text for d in descriptors for e in d.iterfind(path)]), path
    assert not duplicates([e.text for d in descriptors for e in d.iterfind(".//TreeNumber")])
    assert all(re.fullmatch(r"D\d{6}|D\d{9}", d.findtext("DescriptorUI")) for d in descriptors)


def test_the_tree_is_connected(descriptors):
    numbers = {e.text for d in descriptors for e in d.iterfind(".//TreeNumber")}
    for descriptor in descriptors:
        own = [e.text for e in descriptor.iterfind(".//TreeNumber")]
        assert own, descriptor.findtext("DescriptorUI")
        for number in own:
            assert re.fullmatch(r"([ABCD]\d\d|F03)(\.\d{3})*", number)
            assert "." not in number or number.rpartition(".")[0] in numbers, number


def test_names_are_words_and_point_to_one_descriptor(descriptors):
    owner: dict[str, str] = {}
    for descriptor in descriptors:
        ui = descriptor.findtext("DescriptorUI")
        preferred = [
            t.findtext("String") for t in descriptor.iterfind(".//Term[@RecordPreferredTermYN='Y']")
        ]
        assert preferred == [descriptor.findtext("DescriptorName/String")]
        for term in descriptor.iterfind(".//Term/String"):
            assert len(term.text) > 1
            assert not re.match(r"(?i)(doid|hp|chebi|omim|mesh|umls):", term.text)
            assert owner.setdefault(term.text.casefold(), ui) == ui, term.text


def test_common_concepts_have_synonyms_and_a_scope_note(descriptors):
    assert sum(d.find(".//ScopeNote") is not None for d in descriptors) >= 150
    assert sum(len(d.findall(".//Term")) >= 3 for d in descriptors) >= 150


@pytest.mark.parametrize(
    ("name", "ui"),
    [
        ("T2DM", "D003924"),
        ("high blood pressure", "D006973"),
        ("heart attack", "D009203"),
        ("acute kidney injury", "D058186"),
        ("shortness of breath", "D004417"),
        ("aspirin", "D001241"),
        ("paracetamol", "D000082"),
        ("metformin", "D008687"),
    ],
)
def test_everyday_names_lead_to_the_right_descriptor(descriptors, name, ui):
    owners = {
        d.findtext("DescriptorUI")
        for d in descriptors
        if any(t.text.casefold() == name.casefold() for t in d.iterfind(".//Term/String"))
    }
    assert owners == {ui}


@pytest.mark.parametrize("path", [ABSTRACTS, MESH])
def test_the_head_says_where_it_comes_from(path):
    head = path.read_text(encoding="utf-8")[:1500]
    assert "Medical Subject" in head
    assert "U.S. National Library of Medicine" in head
    assert "invented" in head or "not an NLM release".lower() in head.lower()
