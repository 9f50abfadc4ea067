"""Labels of types and concepts."""

from __future__ import annotations

from pathlib import Path

import pytest

from nlp.dictionary.labels import LABEL_ORDER, NO_LABEL, concept_labels, type_label
from ontologies.build import build_store
from ontologies.labels import LABEL_TYPES, is_allowed
from ontologies.store import open_store

from .conftest import MakeStore

CODES = [f"{letter}{number:02d}" for letter in "ABCDEFGHIJKLMNVZ" for number in range(1, 28)]
CODES += [f"T{number:03d}" for number in range(1, 206)]
CODES += [f"SCR{number}" for number in range(1, 7)]
CODES += [f"OBO:{name}" for name in ("HP", "DOID", "MONDO", "CHEBI", "HGNC", "PR", "CL", "UBERON")]


def test_the_linker_allows_every_type_under_the_label_a_mention_of_it_gets() -> None:
    labelled = {code: number for code in CODES if (number := type_label(code)) != NO_LABEL}
    assert len(labelled) > 150
    for code, number in labelled.items():
        if code not in {"D12", "T123"}:  # their concepts may be chemicals as well
            assert is_allowed(code, LABEL_TYPES[LABEL_ORDER[number]]), code


def test_every_label_of_the_types_has_a_place() -> None:
    assert sorted(LABEL_ORDER) == sorted(LABEL_TYPES)
    assert {LABEL_ORDER[n] for n in map(type_label, CODES) if n != NO_LABEL} == set(LABEL_ORDER)


@pytest.mark.parametrize(
    ("types", "label"),
    [
        ("C23", "Finding"),
        ("C10|C23|G11", "Disease"),
        ("C04", "Disease"),
        ("D06|D12", "Chemical"),
        ("D08|D12", "Gene"),
        ("D12|SCR1", "Gene"),
        ("D23|D27", None),
        ("SCR1", None),
        ("", None),
        ("T047|T033", "Disease"),
        ("T184", "Finding"),
        ("T061", "Procedure"),
        ("T116|T121", "Chemical"),
        ("T116|T123", "Gene"),
        ("A11", "Cell"),
        ("E05", None),
    ],
)
def test_of_several_types_the_first_label_is_taken(
    make_store: MakeStore, types: str, label: str | None
) -> None:
    store = make_store(("name", types), ("other", "Z01"))
    found, other = concept_labels(store).tolist()
    assert (None if found == NO_LABEL else LABEL_ORDER[found]) == label
    assert other == NO_LABEL


def test_amino_acids_and_peptides_are_chemicals(tmp_path: Path) -> None:
    table = tmp_path / "proteins.tsv"
    table.write_text(
        "id\tname\ttypes\ttree_numbers\n"
        "X:1\tlysine\tD12\tD12.125.095\n"
        "X:2\tlisinopril\tD12\tD12.644.456|D12.9\n"
        "X:3\talbumin\tD12\tD12.776.034\n"
        "X:4\tp99\tD12\t\n"
    )
    build_store([("table", table)], tmp_path / "store")
    labels = [LABEL_ORDER[number] for number in concept_labels(open_store(tmp_path / "store"))]
    assert labels == ["Chemical", "Chemical", "Gene", "Gene"]
