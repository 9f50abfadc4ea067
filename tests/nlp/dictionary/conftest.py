"""Small stores to look names up in."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from ontologies.build import build_store
from ontologies.store import ConceptStore, open_store

MakeStore = Callable[..., ConceptStore]


@pytest.fixture(scope="session")
def make_store(tmp_path_factory: pytest.TempPathFactory) -> MakeStore:
    """``make_store((name, types), ...)``: a store of concepts; names may be joined by ``|``."""

    def make(*concepts: tuple[str, str]) -> ConceptStore:
        folder = tmp_path_factory.mktemp("stores")
        rows = ["id\tname\tsynonyms\ttypes"]
        for number, (names, types) in enumerate(concepts):
            name, _, synonyms = names.partition("|")
            rows.append(f"X:{number:03d}\t{name}\t{synonyms}\t{types}")
        (folder / "concepts.tsv").write_text("\n".join(rows) + "\n", encoding="utf-8")
        build_store([("table", folder / "concepts.tsv")], folder / "store")
        return open_store(folder / "store")

    return make


@pytest.fixture(scope="session")
def ward(make_store: MakeStore) -> ConceptStore:
    """A store of what a ward's notes hold."""
    return make_store(
        ("Heart Failure", "C14"),
        ("Failure, Respiratory|Respiratory Insufficiency", "C08"),
        ("Heart", "A07"),
        ("Fever", "C23"),
        ("Pain", "C10|C23"),
        ("Appendectomy", "E04"),
        ("Fluorouracil", "D03"),
        ("Acetylcholine|ACh", "D02"),
        ("Leukemia, Acute Lymphoblastic|ALL|ALLO", "C04"),
        ("Aches", "C23"),
        ("Cats|CAT", "B01"),
        ("Lisinopril", "D12"),
        ("Albumin", "D12"),
        ("Analgesics", "D27"),
        ("Weather", "G16"),
        ("Hypertension, Essential", "C14"),
        ("Tumor Necrosis Factor", "D12"),
    )
