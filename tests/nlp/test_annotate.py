"""Documents in, annotation tables out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from nlp import annotate
from nlp.annotate import Annotations, Annotator, Reject
from nlp.ner.engine import NerEngine
from nlp.ner.errors import DeviceError
from nlp.preprocess.pipeline import Preprocessed, Preprocessor
from nlp.schema import ANNOTATION_TABLES, SECTION_SPANS
from nlp.settings import AnnotationSettings

TEXTS = [
    "FAMILY HISTORY: cancer cell. PLAN: aspirin acid.\nALLERGIES\nfever \u00e9😀 fever. Aspirin!",
    "",
    "Acute respiratory distress syndrome (ARDS). Severe ARDS and ards with\nfever.",
    " \n ",
    "aspirin " * 300 + "cancer",
    "x y z",
]


def _documents(texts: Sequence[str], **columns: Any) -> pl.DataFrame:
    frame = pl.DataFrame(
        {"document_id": [f"c:{i}" for i in range(len(texts))], "text": texts},
        schema={"document_id": pl.String, "text": pl.String},
    )
    sections = pl.Series("sections", [[] for _ in texts], dtype=SECTION_SPANS)
    return frame.with_columns(pl.lit("note").alias("kind"), sections).with_columns(**columns)


def _annotator(*folders: Path, **ner: Any) -> Annotator:
    models = [str(folder) for folder in folders]
    settings = {"models": models, "device": "cpu", "precision": "fp32", **ner}
    return Annotator(AnnotationSettings.model_validate({"ner": settings}))


@pytest.fixture(scope="module")
def annotator(obedient_folder: Path) -> Annotator:
    return _annotator(obedient_folder)


@pytest.fixture(scope="module")
def annotated(annotator: Annotator) -> Annotations:
    return annotator.annotate(_documents(TEXTS))


def _assert_same(found: Annotations, expected: Annotations, but: Sequence[str] = ()) -> None:
    for table in ANNOTATION_TABLES:
        kept = expected.frames[table.name].filter(~pl.col("document_id").is_in(list(but)))
        assert_frame_equal(found.frames[table.name], kept, abs_tol=1e-5)


def test_frames_conform_to_the_schema(annotated: Annotations, annotator: Annotator) -> None:
    assert set(annotated.frames) == {table.name for table in ANNOTATION_TABLES}
    for table in ANNOTATION_TABLES:
        frame = annotated.frames[table.name]
        assert dict(frame.schema) == table.schema
        assert frame.select(table.key).is_unique().all()
        assert set(frame["annotation_id"]) <= {annotator.identity.annotation_id}
    assert annotated.rejects == []


def test_no_documents(annotator: Annotator) -> None:
    result = annotator.annotate(_documents([]))
    for table in ANNOTATION_TABLES:
        assert result.frames[table.name].height == 0
        assert dict(result.frames[table.name].schema) == table.schema


def test_the_known_mentions_are_found(annotated: Annotations) -> None:
    mentions = annotated.frames["mentions"].filter(document_id="c:0")
    assert mentions.select("mention_text", "label").rows() == [
        ("cancer cell", "Disease"),
        ("aspirin acid", "Chemical"),
        ("fever", "Disease"),
        ("fever", "Disease"),
        ("Aspirin", "Chemical"),
    ]
    assert mentions["mention_id"].to_list() == [0, 1, 2, 3, 4]
    assert set(mentions["model"]) == {"obedient"}
    assert mentions["negated"].to_list() == [False] * 5
    assert mentions["experiencer"].to_list() == ["family", *["patient"] * 4]


def test_what_is_said_of_mentions_has_its_reason(annotator: Annotator) -> None:
    text = "He denies fever. Aspirin for fever."
    found = annotator.annotate(_documents([text, text], kind=pl.Series(["note", "abstract"])))
    mentions = found.frames["mentions"]
    assert mentions["mention_text"].to_list() == ["fever", "Aspirin", "fever"] * 2
    assert mentions["negated"].to_list() == [True, False, False, None, None, None]
    assert mentions["experiencer"].to_list() == [*["patient"] * 3, *[None] * 3]
    (cue,) = found.frames["assertion_cues"].drop("annotation_id").rows()
    assert cue == ("c:0", 0, "negated", "deny", text.index("denies"), text.index(" fever"))


def test_offsets_spell_the_rows(annotated: Annotations) -> None:
    texts = dict(zip(_documents(TEXTS)["document_id"], TEXTS, strict=True))
    mentions = annotated.frames["mentions"]
    assert mentions.height > 300
    for row in mentions.iter_rows(named=True):
        text = texts[row["document_id"]]
        assert text[row["start_char"] : row["end_char"]] == row["mention_text"]
        assert 0.0 <= row["score"] <= 1.0
    for row in annotated.frames["abbreviations"].iter_rows(named=True):
        text = texts[row["document_id"]]
        assert text[row["short_start_char"] : row["short_end_char"]] == row["short_form"]
        assert text[row["long_start_char"] : row["long_end_char"]] == row["long_form"]


@pytest.mark.parametrize("place", ["sentence", "section"])
def test_mentions_point_to_the_rows_that_hold_their_start(
    annotated: Annotations, place: str
) -> None:
    key = f"{place}_id"
    places = annotated.frames[f"{place}s"]
    for mention in annotated.frames["mentions"].iter_rows(named=True):
        holding = places.filter(
            (pl.col("document_id") == mention["document_id"])
            & (pl.col("start_char") <= mention["start_char"])
            & (pl.col("end_char") > mention["start_char"])
        )
        assert holding[key].to_list() == ([] if mention[key] is None else [mention[key]])


def test_sections_of_mentions_by_name(annotated: Annotations) -> None:
    joined = annotated.frames["mentions"].join(
        annotated.frames["sections"], on=["document_id", "section_id"], maintain_order="left"
    )
    assert joined["name"].to_list() == ["family_history", "plan", *["allergies"] * 3]


def test_innermost_of_stated_sections(annotator: Annotator) -> None:
    stated = [
        {"name": "outer", "start_char": 0, "end_char": 30},
        {"name": "inner", "start_char": 6, "end_char": 12},
    ]
    sections = pl.Series("sections", [stated], dtype=SECTION_SPANS)
    result = annotator.annotate(_documents(["fever fever fever " * 2], sections=sections))
    starts = result.frames["mentions"].select("start_char", "section_id").rows()
    assert starts == [(0, 0), (6, 1), (12, 0), (18, 0), (24, 0), (30, None)]


def test_sections_that_are_null_are_read_from_the_text(annotator: Annotator) -> None:
    sections = pl.Series("sections", [None], dtype=SECTION_SPANS)
    result = annotator.annotate(_documents(["PLAN: aspirin"], sections=sections))
    assert result.rejects == []
    assert result.frames["sections"]["name"].to_list() == ["plan"]


def test_abbreviations_are_expanded_for_lookup(annotated: Annotations) -> None:
    mentions = annotated.frames["mentions"].filter(document_id="c:2")
    long = "Acute respiratory distress syndrome"
    assert mentions.select("mention_text", "lookup_text").rows() == [
        ("ARDS", long),
        ("ARDS", long),
        ("ards", "ards"),
        ("fever", "fever"),
    ]


def test_two_models_side_by_side(obedient_folder: Path, random_folder: Path) -> None:
    both = _annotator(random_folder, obedient_folder).annotate(_documents(TEXTS))
    mentions = both.frames["mentions"]
    assert set(mentions["model"]) == {"random", "obedient"}
    for _, rows in mentions.group_by("document_id", "label"):
        bounds = rows.sort("start_char").select("start_char", "end_char").rows()
        ends = [end for _, end in bounds[:-1]]
        starts = [start for start, _ in bounds[1:]]
        assert all(end <= start for end, start in zip(ends, starts, strict=True))


def test_label_map(obedient_folder: Path) -> None:
    dropping = _annotator(obedient_folder, label_map={"Disease": "", "Chemical": "Drug"})
    found = dropping.annotate(_documents(TEXTS)).frames["mentions"]
    assert set(found["label"]) == {"Drug"}


@pytest.mark.parametrize("characters", [1, 60, 10**9])
def test_batches_change_nothing(
    random_folder: Path, monkeypatch: pytest.MonkeyPatch, characters: int
) -> None:
    annotator = _annotator(random_folder)
    expected = annotator.annotate(_documents(TEXTS))
    assert expected.frames["mentions"].height > 10
    monkeypatch.setattr(annotate, "BATCH_CHARACTERS", characters)
    _assert_same(annotator.annotate(_documents(TEXTS)), expected)


def test_progress_rises_to_the_total(annotator: Annotator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(annotate, "BATCH_CHARACTERS", 100)
    done: list[int] = []
    annotator.annotate(_documents(TEXTS), progress=done.append)
    assert done == sorted(set(done))
    assert len(done) > 2
    assert done[-1] == len(TEXTS)


@pytest.mark.parametrize("bad", [[0], [2, 3], [5], [0, 1, 2, 3, 4, 5]])
def test_a_failing_document_is_a_reject_and_its_neighbours_lose_nothing(
    annotator: Annotator, annotated: Annotations, monkeypatch: pytest.MonkeyPatch, bad: list[int]
) -> None:
    poisonous = {TEXTS[i] for i in bad}
    process = Preprocessor.process

    def fail_on_poison(self: Preprocessor, texts: Sequence[str]) -> list[Preprocessed]:
        for text in texts:
            if text in poisonous:
                raise ValueError(f"cannot read: {text}")
        return process(self, texts)

    monkeypatch.setattr(Preprocessor, "process", fail_on_poison)
    done: list[int] = []
    result = annotator.annotate(_documents(TEXTS), progress=done.append)
    assert result.rejects == [Reject(i, "annotation failed: ValueError") for i in bad]
    assert done[-1] == len(TEXTS)
    _assert_same(result, annotated, but=[f"c:{i}" for i in bad])


def test_a_document_that_fails_in_ner_leaves_no_rows(
    annotator: Annotator, annotated: Annotations, monkeypatch: pytest.MonkeyPatch
) -> None:
    find = NerEngine.find

    def fail(self: NerEngine, texts: Sequence[str]) -> Any:
        if TEXTS[2] in texts:
            raise KeyError(texts)
        return find(self, texts)

    monkeypatch.setattr(NerEngine, "find", fail)
    result = annotator.annotate(_documents(TEXTS))
    assert result.rejects == [Reject(2, "annotation failed: KeyError")]
    _assert_same(result, annotated, but=["c:2"])


def test_a_failing_device_makes_no_rejects(
    annotator: Annotator, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(self: NerEngine, texts: Sequence[str]) -> Any:
        raise DeviceError("the forward pass failed")

    monkeypatch.setattr(NerEngine, "find", fail)
    with pytest.raises(DeviceError):
        annotator.annotate(_documents(TEXTS))


def test_seconds_are_counted_by_stage(annotated: Annotations) -> None:
    assert set(annotated.seconds) == {"preprocess", "ner", "assertion"}
    assert all(seconds > 0 for seconds in annotated.seconds.values())
