"""Small MeSH files as the tests write them, and stores built from them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from xml.sax.saxutils import escape

import pytest
import torch
from transformers import BertConfig, BertModel, BertTokenizerFast

from ontologies.build import build_store
from ontologies.encoder import NameEncoder
from ontologies.store import ConceptStore, open_store

WriteMesh = Callable[..., Path]
BuildMesh = Callable[..., ConceptStore]
MakeEncoder = Callable[..., Path]


def record(
    ui: str,
    *names: str,
    trees: tuple[str, ...] = (),
    scr_class: int = 1,
    mapped_to: tuple[str, ...] = (),
    note: str = "",
) -> str:
    """A record in NLM's form: supplementary if its UI starts with C. First name preferred."""
    terms = "".join(f"<Term><String>{escape(name)}</String></Term>" for name in names)
    scope = f"<ScopeNote>{escape(note)}</ScopeNote>" if note else ""
    concepts = (
        '<ConceptList><Concept PreferredConceptYN="Y">'
        f"{scope}<TermList>{terms}</TermList></Concept></ConceptList>"
    )
    if ui.startswith("C"):
        headings = "".join(
            "<HeadingMappedTo><DescriptorReferredTo>"
            f"<DescriptorUI>*{heading}</DescriptorUI>"
            "</DescriptorReferredTo></HeadingMappedTo>"
            for heading in mapped_to
        )
        return (
            f'<SupplementalRecord SCRClass="{scr_class}">'
            f"<SupplementalRecordUI>{ui}</SupplementalRecordUI>"
            f"<SupplementalRecordName><String>{escape(names[0])}</String></SupplementalRecordName>"
            f"<HeadingMappedToList>{headings}</HeadingMappedToList>{concepts}"
            "</SupplementalRecord>"
        )
    numbers = "".join(f"<TreeNumber>{number}</TreeNumber>" for number in trees)
    return (
        f"<DescriptorRecord><DescriptorUI>{ui}</DescriptorUI>"
        f"<DescriptorName><String>{escape(names[0])}</String></DescriptorName>"
        f"<TreeNumberList>{numbers}</TreeNumberList>{concepts}</DescriptorRecord>"
    )


def mesh_file(path: Path, *records: str, root: str = "DescriptorRecordSet") -> Path:
    """Write records, one a line from line 2 on, and return the path."""
    path.write_text("\n".join([f'<?xml version="1.0"?><{root}>', *records, f"</{root}>\n"]))
    return path


DESCRIPTORS = (
    record("D004700", "Endocrine System Diseases", trees=("C19",)),
    record(
        "D003920",
        "Diabetes Mellitus",
        "Diabetes",
        "DOID:9351",
        "0000400",
        "HP:0000819",
        trees=("C18.452.394.750", "C19.246"),
        note="A heterogeneous group\n of disorders.",
    ),
    record(
        "D003924",
        "Diabetes Mellitus, Type 2",
        "Diabetes, Maturity-Onset",
        "NIDDM",
        trees=("C18.452.394.750.149", "C19.246.300"),
    ),
    record("D001943", "Breast Neoplasms", "Cold", trees=("C04.588.180",)),
    record("D003080", "Cold Temperature", "Cold", trees=("G16.500",)),
    record("D003139", "Common Cold", "Coryza", trees=("C01.748.561",)),
    record("D012220", "Rhinitis", "Coryza", trees=("C08.460.799",)),
    record("D000082", "Acetaminophen", trees=("D02.065",)),
    record("D011736", "Pyridoxine", "Vitamin B 6", trees=("D03.383.725",)),
    record("D006801", "Humans", trees=("B01.050",)),
    record("D011506", "Proteins", trees=("D12.776",)),
)
SUPPLEMENTARY = (
    record("C565588", "Epidermolysis Bullosa With Diaphragmatic Hernia"),
    record("C000001", "p99 protein, human", mapped_to=("D011506",)),
    record("C000002", "Hand foot fever", scr_class=3, mapped_to=("D004700", "D012220")),
    record("C000003", "Coryza virus X", scr_class=4),
    record("C000004", "Rhinitis", "Stuffy nose"),
)


@pytest.fixture
def small_mesh(tmp_path: Path) -> list[tuple[str, Path]]:
    """Sources of a small MeSH: a descriptor file and a supplementary file."""
    return [
        ("mesh", mesh_file(tmp_path / "desc.xml", *DESCRIPTORS)),
        (
            "mesh",
            mesh_file(tmp_path / "supp.xml", *SUPPLEMENTARY, root="SupplementalRecordSet"),
        ),
    ]


@pytest.fixture(scope="session")
def small_store(tmp_path_factory: pytest.TempPathFactory) -> ConceptStore:
    """A store of the small MeSH."""
    folder = tmp_path_factory.mktemp("small")
    sources = [
        ("mesh", mesh_file(folder / "desc.xml", *DESCRIPTORS)),
        ("mesh", mesh_file(folder / "supp.xml", *SUPPLEMENTARY, root="SupplementalRecordSet")),
    ]
    build_store(sources, folder / "store")
    return open_store(folder / "store")


@pytest.fixture(scope="session")
def mesh_store(mesh_folder: Path) -> ConceptStore:
    """A store of the whole MeSH of the real data."""
    return open_store(mesh_folder)


@pytest.fixture(scope="session")
def write_mesh() -> WriteMesh:
    """``write_mesh(path, *records, root=...)`` writes a MeSH file."""
    return mesh_file


@pytest.fixture(scope="session")
def mesh_record() -> Callable[..., str]:
    """``mesh_record(ui, *names, trees=..., scr_class=..., mapped_to=..., note=...)``."""
    return record


@pytest.fixture(scope="session")
def make_encoder(tmp_path_factory: pytest.TempPathFactory) -> MakeEncoder:
    """``make_encoder(seed=1, dimension=32)`` saves a random encoder of letters in a new folder."""

    def make(seed: int = 1, dimension: int = 32) -> Path:
        letters = [chr(code) for code in range(33, 127) if not chr(code).isupper()]
        specials = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
        pieces = [*specials, *letters, *(f"##{letter}" for letter in letters)]
        torch.manual_seed(seed)
        config = BertConfig(
            vocab_size=len(pieces),
            hidden_size=dimension,
            num_hidden_layers=2,
            num_attention_heads=4,
            intermediate_size=2 * dimension,
            initializer_range=0.5,  # wide, so that vectors differ
        )
        folder = tmp_path_factory.mktemp("encoders") / "random"
        BertModel(config).save_pretrained(folder)
        BertTokenizerFast(vocab={p: i for i, p in enumerate(pieces)}).save_pretrained(folder)
        return folder

    return make


@pytest.fixture(scope="session")
def encoder_folder(make_encoder: MakeEncoder) -> Path:
    """A random encoder."""
    return make_encoder()


@pytest.fixture(scope="session")
def random_encoder(encoder_folder: Path) -> NameEncoder:
    """The same, loaded."""
    return NameEncoder.open(str(encoder_folder), device="cpu", precision="fp32")
