from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from ontologies.content import Content, ReadOptions
from ontologies.errors import OntologyError
from ontologies.kb import read_kb
from ontologies.problems import Problems

DIABETES: dict[str, Any] = {
    "concept_id": "C0011849",
    "canonical_name": "Diabetes Mellitus",
    "aliases": ["Diabetes", "diabetes  mellitus", "", "DM"],
    "types": ["T047"],
    "definition": "A group of disorders with\nhigh blood sugar.",
}


def read(path: Path, *records: Any, **options: Any) -> Content:
    file = path / "kb.jsonl"
    lines = [record if isinstance(record, str) else json.dumps(record) for record in records]
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return read_kb(file, ReadOptions(**options))


def test_an_object_becomes_a_concept_with_its_line(tmp_path: Path) -> None:
    content = read(tmp_path, "", DIABETES)
    (concept,) = content.concepts.rows(named=True)
    assert concept["concept_id"] == "UMLS:C0011849"
    assert concept["concept_name"] == "Diabetes Mellitus"
    assert concept["semantic_types"] == ["T047"]
    assert concept["definition"] == "A group of disorders with high blood sugar."
    assert concept["line"] == 2
    assert content.names["name"].to_list() == ["Diabetes", "diabetes mellitus", "DM"]
    assert content.parents.is_empty()
    assert content.replaced.is_empty()


def test_keys_may_be_missing_null_or_unknown(tmp_path: Path) -> None:
    record = {"concept_id": "D003920", "canonical_name": "Diabetes", "definition": None, "tui": 1}
    (concept,) = read(tmp_path, record | {"aliases": None}).concepts.rows(named=True)
    assert concept["semantic_types"] == []
    assert concept["definition"] is None


@pytest.mark.parametrize(
    ("written", "concept_id", "supplementary"),
    [
        ("C0011849", "UMLS:C0011849", False),
        ("C000001", "MESH:C000001", True),
        ("C000591739", "MESH:C000591739", True),
        ("D003920", "MESH:D003920", False),
        ("D000068759", "MESH:D000068759", False),
        ("HP:0000001", "HP:0000001", False),
        ("MESH:C000001", "MESH:C000001", True),
    ],
)
def test_an_id_gets_the_prefix_that_its_form_tells(
    tmp_path: Path, written: str, concept_id: str, supplementary: bool
) -> None:
    content = read(tmp_path, {"concept_id": written, "canonical_name": "a"})
    assert content.concepts["concept_id"].to_list() == [concept_id]
    assert content.concepts["is_supplementary"].to_list() == [supplementary]


def test_only_concepts_of_the_wanted_types_are_read(tmp_path: Path) -> None:
    other = {"concept_id": "C0000001", "canonical_name": "b", "types": ["T121", "T109"]}
    content = read(tmp_path, DIABETES, other, semantic_types=("T109",))
    assert content.concepts["concept_id"].to_list() == ["UMLS:C0000001"]


def test_a_concept_defined_twice_is_given_twice_with_both_lines(tmp_path: Path) -> None:
    content = read(tmp_path, DIABETES, DIABETES)
    assert content.concepts["line"].to_list() == [1, 2]


def test_gzip_makes_no_difference(tmp_path: Path) -> None:
    plain = read(tmp_path, DIABETES)
    path = tmp_path / "kb.jsonl"
    path.write_bytes(gzip.compress(path.read_bytes()))
    assert read_kb(path, ReadOptions()).concepts.equals(plain.concepts)


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        ('{"concept_id": "C0011849", "canonical_na', "not well-formed JSON"),
        ("7", "no JSON object"),
        ({"canonical_name": "a"}, "an object without concept_id"),
        ({"concept_id": "C0000001"}, "an object without canonical_name"),
        ({"concept_id": "C0000001", "canonical_name": " "}, "an object without canonical_name"),
        ({"concept_id": 7, "canonical_name": "a"}, "concept_id is no text"),
        ({"concept_id": "C12", "canonical_name": "a"}, "the vocabulary of the concept_id C12"),
        ({"concept_id": "D003920", "canonical_name": "a", "aliases": "b"}, "aliases is no list"),
        ({"concept_id": "D003920", "canonical_name": "a", "types": [7]}, "types is no list"),
    ],
)
def test_a_bad_line_raises_or_is_listed(tmp_path: Path, bad: Any, said: str) -> None:
    with pytest.raises(OntologyError) as caught:
        read(tmp_path, DIABETES, bad)
    assert "kb.jsonl:2: " in str(caught.value)
    assert said in str(caught.value)
    assert "; " in str(caught.value), "tells the way out"
    problems = Problems(lenient=True)
    content = read(tmp_path, DIABETES, bad, problems=problems)
    assert content.concepts["concept_id"].to_list() == ["UMLS:C0011849"]
    assert len(problems.found) == 1
    assert said in problems.found[0]


def test_the_error_for_an_id_of_unknown_form_tells_the_rule(tmp_path: Path) -> None:
    with pytest.raises(OntologyError, match="C and 7 digits is a UMLS id, else C or D and 6 to 9"):
        read(tmp_path, {"concept_id": "0011849", "canonical_name": "a"})


def test_a_json_list_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OntologyError, match="is one JSON list; write one object a line"):
        read(tmp_path, json.dumps([DIABETES]))
