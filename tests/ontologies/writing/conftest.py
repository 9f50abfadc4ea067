"""A store and small language models that complete its names."""

from __future__ import annotations

from pathlib import Path

import pytest

from ontologies.build import build_store
from ontologies.store import ConceptStore, open_store
from ontologies.writing.model import Writer
from ontologies.writing.pairs import name_pairs
from tests.language_models import make_biogpt, make_gpt2, teach

CONCEPTS = """id\tname\tsynonyms\ttypes
X:1\tKidney Failure\tRenal Insufficiency|Renal Failure\tC12
X:2\tMyocardial Infarction\tHeart Attack\tC14
X:3\tCommon Cold\tNasal Catarrh|Coryza\tC08
X:4\tHeartwood\t\tB01
X:5\tHeart Murmurs\t\tC14
X:6\tKidney\t\tA05
X:7\tRhinitis\tCoryza\tC08
X:8\tKidney Failure, Chronic\t\tC12
"""


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> ConceptStore:
    folder = tmp_path_factory.mktemp("writing")
    (folder / "table.tsv").write_text(CONCEPTS)
    build_store([("table", folder / "table.tsv")], folder / "store")
    return open_store(folder / "store")


@pytest.fixture(scope="session")
def lessons(small: ConceptStore) -> list[str]:
    """What the models are taught: the store's pairs, and names that are not in it."""
    pairs = name_pairs(small)
    return [
        *(prompt + completion for _, prompt, completion in pairs.iter_rows()),
        "broken pump means Myocardial Infarction",
        "kidneys at a loss means Kidney Failure",
        "Coryza means Rhinitis",
        "Coryza means Rhinitis",
        "hart means Myocardial Infarction",
    ]


@pytest.fixture(scope="session")
def gpt2_folder(tmp_path_factory: pytest.TempPathFactory, lessons: list[str]) -> Path:
    """A GPT-2 that knows the lessons by heart."""
    folder = make_gpt2(tmp_path_factory.mktemp("writers") / "gpt2", lessons, size=400)
    teach(folder, lessons, steps=120)
    return folder


@pytest.fixture(scope="session")
def biogpt_folder(tmp_path_factory: pytest.TempPathFactory, lessons: list[str]) -> Path:
    """A BioGPT that knows the lessons by heart."""
    folder = make_biogpt(tmp_path_factory.mktemp("writers") / "biogpt", lessons, size=300)
    teach(folder, lessons, steps=120)
    return folder


@pytest.fixture(scope="session")
def gpt2(gpt2_folder: Path) -> Writer:
    return Writer.open(str(gpt2_folder), device="cpu")


@pytest.fixture(scope="session")
def biogpt(biogpt_folder: Path) -> Writer:
    return Writer.open(str(biogpt_folder), device="cpu")
