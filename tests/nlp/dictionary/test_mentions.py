"""Mentions of dictionaries in annotated documents, alone and beside a model's."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from flows.readers import READERS
from flows.readers.discover import discover
from flows.readers.record import Document
from nlp.annotate import Annotator
from nlp.dictionary.dictionary import Dictionary
from nlp.schema import MENTIONS, SECTION_SPANS
from nlp.settings import AnnotationSettings
from ontologies.store import ConceptStore

from .conftest import MakeStore

#        0         1         2         3         4         5         6         7
#        01234567890123456789012345678901234567890123456789012345678901234567890123456789
NOTE = "PLAN: aspirin acid.\nHeart failure (HF) with fever, HF is old. Pain\nafter appendectomy."


def documents(*texts: str) -> pl.DataFrame:
    frame = pl.DataFrame({"document_id": [f"c:{i}" for i in range(len(texts))], "text": texts})
    return frame.with_columns(kind=pl.lit("note"), sections=pl.lit(None, dtype=SECTION_SPANS))


def mentions(text: str, *stores: ConceptStore, models: tuple[Path, ...] = ()) -> pl.DataFrame:
    settings = {
        "ner": {"models": [str(m) for m in models], "device": "cpu", "precision": "fp32"},
        "dictionary": {"stores": [str(store.path) for store in stores]},
    }
    annotator = Annotator(AnnotationSettings.model_validate(settings))
    annotations = annotator.annotate(documents(text))
    assert annotations.rejects == []
    frame = annotations.frames[MENTIONS.name]
    assert dict(frame.schema) == MENTIONS.schema
    return frame


def test_mentions_of_a_dictionary_alone(ward: ConceptStore) -> None:
    found = mentions(NOTE, ward)
    assert found.select("mention_text", "label", "lookup_text", "sentence_id").rows() == [
        ("Heart failure", "Disease", "Heart failure", 1),
        ("HF", "Disease", "Heart failure", 1),
        ("fever", "Finding", "fever", 1),
        ("HF", "Disease", "Heart failure", 1),
        ("Pain", "Disease", "Pain", 2),
        ("appendectomy", "Procedure", "appendectomy", 2),
    ]
    assert found["mention_id"].to_list() == list(range(6))
    assert set(found["model"]) == {f"dictionary:{ward.release.release_id}"}
    assert set(found["score"]) == {1.0}
    assert set(found["section_id"]) == {0}
    for row in found.iter_rows(named=True):
        assert NOTE[row["start_char"] : row["end_char"]] == row["mention_text"]


def test_mentions_of_a_model_stand(ward: ConceptStore, obedient_folder: Path) -> None:
    found = mentions(NOTE, ward, models=(obedient_folder,))
    name = f"dictionary:{ward.release.release_id}"
    assert found.select("mention_text", "label", "model").rows() == [
        ("aspirin acid", "Chemical", "obedient"),
        ("Heart failure", "Disease", name),
        ("HF", "Disease", name),
        ("fever", "Disease", "obedient"),
        ("HF", "Disease", name),
        ("Pain", "Disease", name),
        ("appendectomy", "Procedure", name),
    ]
    assert found["mention_id"].to_list() == list(range(7))


def test_a_dictionary_adds_nothing_to_what_a_model_finds_by_itself(
    ward: ConceptStore, random_folder: Path
) -> None:
    alone = mentions(NOTE, models=(random_folder,)).drop("annotation_id", "mention_id")
    both = mentions(NOTE, ward, models=(random_folder,)).drop("annotation_id", "mention_id")
    assert alone.height > 0
    assert both.filter(model="random").equals(alone)


def test_two_dictionaries(ward: ConceptStore, make_store: MakeStore) -> None:
    own = make_store(("Old heart failure|fever", "T184"), ("Acute heart failure", "T047"))
    found = mentions("Acute heart failure, fever, pain.", ward, own)
    assert found.select("mention_text", "model").rows() == [
        ("Acute heart failure", f"dictionary:{own.release.release_id}"),
        ("fever", f"dictionary:{ward.release.release_id}"),
        ("pain", f"dictionary:{ward.release.release_id}"),
    ]


def test_a_document_that_fails_in_a_dictionary_is_a_reject(
    ward: ConceptStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = {"ner": {"models": []}, "dictionary": {"stores": [str(ward.path)]}}
    annotator = Annotator(AnnotationSettings.model_validate(settings))
    find = Dictionary.find

    def fail(self: Dictionary, texts: list[str], sentences: list[list[tuple[int, int]]]) -> object:
        if "poison" in texts:
            raise ValueError(texts)
        return find(self, texts, sentences)

    monkeypatch.setattr(Dictionary, "find", fail)
    result = annotator.annotate(documents("fever", "poison", "pain"))
    assert [(reject.row, reject.reason) for reject in result.rejects] == [
        (1, "annotation failed: ValueError")
    ]
    assert result.frames[MENTIONS.name]["mention_text"].to_list() == ["fever", "pain"]


def test_real_notes(data_dir: Path, mesh_folder: Path) -> None:
    (file,) = discover([str(data_dir / "notes" / "transcribed_notes.csv.gz")])
    records = READERS[file.format].read(file)
    texts = [record.text for record in records if isinstance(record, Document)][:100]
    settings = {"ner": {"models": []}, "dictionary": {"stores": [str(mesh_folder)]}}
    annotator = Annotator(AnnotationSettings.model_validate(settings))
    frames = annotator.annotate(documents(*texts)).frames
    found = frames[MENTIONS.name]
    labels = dict(found["label"].value_counts().iter_rows())
    for label, at_least in {"Disease": 500, "Finding": 200, "Procedure": 200}.items():
        assert labels[label] > at_least
    by_document = dict(enumerate(texts))
    ends: dict[str, int] = {}
    for row in found.iter_rows(named=True):
        document_id, start, end = row["document_id"], row["start_char"], row["end_char"]
        # Compared as a truth value: a failure must not print the text.
        same = by_document[int(document_id[2:])][start:end] == row["mention_text"]
        assert same, (document_id, start)
        assert ends.get(document_id, 0) <= start
        ends[document_id] = end
    # Every mention lies in one sentence.
    sentences = frames["sentences"].rename({"start_char": "first", "end_char": "last"})
    joined = found.join(sentences, on=["document_id", "sentence_id"], how="left")
    assert joined.filter(pl.col("end_char") > pl.col("last")).height == 0
    assert joined["last"].null_count() == 0
