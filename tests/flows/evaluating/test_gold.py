"""Gold files as they are judged by: ids, labels, repeated documents and mentions."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from flows.errors import CharthouseError, SourceError
from flows.evaluating.gold import GoldCorpus, read_corpora
from tests.flows.evaluating.requests import pubtator, request


def read(*paths: Path, label_map: tuple[str, ...] = (), limit: int | None = None) -> GoldCorpus:
    asked = request(*paths, label_map=label_map)
    return read_corpora(paths, asked.label_rules, limit)[-1]


def mentions(corpus: GoldCorpus) -> list[tuple[str, str, tuple[str, ...]]]:
    return [
        (m.mention_text, m.label, m.concept_ids)
        for document in corpus.documents.values()
        for m in document.mentions
    ]


@pytest.fixture
def gold(tmp_path: Path) -> Path:
    return pubtator(
        tmp_path / "ward.pubtator",
        ("1", "Gout and CHF in mice.", [("Gout", "SpecificDisease", "D006073")]),
        ("2", "Gout again.", [("Gout", "Modifier", "D006073"), ("again", "Time", "")]),
    )


def test_labels_of_known_corpora_are_ours_and_others_are_kept(gold: Path) -> None:
    corpus = read(gold)
    assert corpus.labels == ("Disease", "Time")
    assert list(corpus.documents) == ["ward:1", "ward:2"]
    assert corpus.sha256 == hashlib.sha256(gold.read_bytes()).hexdigest()


@pytest.mark.parametrize(
    ("label_map", "labels"),
    [
        (("Time=",), ("Disease",)),
        (("Modifier=", "SpecificDisease=Finding", "Time="), ("Finding",)),
        (("ward:Time=When",), ("Disease", "When")),
    ],
)
def test_a_label_map_renames_and_drops(
    gold: Path, label_map: tuple[str, ...], labels: tuple[str, ...]
) -> None:
    assert read(gold, label_map=label_map).labels == labels


def test_the_last_document_of_an_id_counts(tmp_path: Path) -> None:
    path = pubtator(
        tmp_path / "twice.txt",
        ("7", "Old gout.", [("gout", "Disease", "")]),
        ("8", "Gout.", [("Gout", "Disease", "")]),
        ("7", "New asthma.", [("asthma", "Disease", "")]),
    )
    corpus = read(path)
    assert [d.text for d in corpus.documents.values()] == ["New asthma.", "Gout."]
    assert corpus.repeated == 1


def test_mentions_that_become_the_same_count_once_with_the_concepts_of_all(tmp_path: Path) -> None:
    path = pubtator(
        tmp_path / "gold.txt",
        (
            "1",
            "Gout.",
            [("Gout", "SpecificDisease", "D1"), ("Gout", "DiseaseClass", "D2|D1")],
        ),
    )
    assert mentions(read(path)) == [("Gout", "Disease", ("MESH:D1", "MESH:D2"))]


def test_words_elsewhere_than_at_their_offsets_are_counted(tmp_path: Path) -> None:
    path = tmp_path / "gold.txt"
    path.write_text("1|t|A gout.\n1\t0\t4\tgout\tDisease\n1\t2\t6\tgout\tDisease\n")
    assert read(path).misplaced == 1


def test_a_limit_takes_documents_and_leaves_labels(gold: Path) -> None:
    """What the file annotates does not hang on how many of its documents are looked at."""
    corpus = read(gold, limit=1)
    assert list(corpus.documents) == ["ward:1"]
    assert corpus.labels == ("Disease", "Time")
    assert corpus.concept_labels == ("Disease",)


def test_documents_without_text_are_passed_over_and_without_id_refused(tmp_path: Path) -> None:
    path = pubtator(tmp_path / "gold.txt", ("1", " ", []), ("2", "Gout.", [("Gout", "X", "")]))
    assert list(read(path).documents) == ["gold:2"]
    path.write_text('{"passages": [{"offset": 0, "text": "Gout."}]}\n')
    with pytest.raises(SourceError, match=r"gold\.txt, document 1: has no id"):
        read(path)


def test_files_that_share_a_name_are_refused(gold: Path, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    copy = tmp_path / "other" / "ward.txt"
    copy.write_bytes(gold.read_bytes())
    with pytest.raises(CharthouseError, match=r"ward\.txt are both named corpus ward"):
        read(gold, copy)


def test_a_file_with_nothing_to_judge_by_is_refused(gold: Path) -> None:
    dropped = ("Time=", "Modifier=", "SpecificDisease=")
    with pytest.raises(SourceError, match="labels in the file: Modifier, SpecificDisease, Time"):
        read(gold, label_map=dropped)


def test_every_kind_of_ncbi_is_disease(data_dir: Path) -> None:
    corpus = read(data_dir / "corpora" / "ncbi_train.pubtator.gz")
    assert corpus.labels == ("Disease",)
    assert (len(corpus.documents), corpus.repeated) == (592, 1)  # PMID 8528200 stands twice


@pytest.mark.parametrize(
    ("name", "labels"),
    [
        ("BC2GM", {"Gene"}),
        ("linnaeus", {"Species"}),
        ("CRAFT", {"Chemical", "Cell", "Gene", "Species", "GO", "SO"}),
        ("BioNLP13PC", {"Chemical", "Gene", "Cellular_component", "Complex"}),
    ],
)
def test_labels_of_real_corpora(data_dir: Path, name: str, labels: set[str]) -> None:
    corpus = read(data_dir / "corpora" / "iob" / f"{name}_dev.tsv.gz")
    assert set(corpus.labels) == labels
    assert corpus.misplaced == 0
