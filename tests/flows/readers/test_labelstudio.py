"""Label Studio's export becomes gold: offsets of both kinds, several annotators, concept ids."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flows.errors import SourceError
from flows.readers.gold import GoldDocument, GoldMention, read_gold_file

TEXT = "Gout, then fever."
GOUT, FEVER = (0, 4, "Disease"), (11, 16, "Disease")


def region(start: int, end: int, label: str, words: str | None = None, **more: Any) -> Any:
    said = {} if words is None else {"text": words}
    value = {"start": start, "end": end, "labels": [label], **said}
    return {"id": f"{start}", "from_name": "label", "type": "labels", "value": value, **more}


def done(*results: Any, **more: Any) -> dict[str, Any]:
    return {"result": list(results), **more}


def read(path: Path, *annotations: Any, text: str = TEXT, **task: Any) -> GoldDocument:
    (document,) = read_all(path, {"data": {"text": text}, "annotations": annotations, **task})
    return document


def read_all(path: Path, *tasks: Any) -> list[GoldDocument]:
    path = path / "export.json"
    path.write_text(json.dumps(tasks, ensure_ascii=False), encoding="utf-8")
    return list(read_gold_file(path))


def spans(document: GoldDocument) -> list[tuple[int, int, str]]:
    return [(m.start_char, m.end_char, m.label) for m in document.mentions]


def test_regions_are_mentions_and_other_types_are_passed_over(tmp_path: Path) -> None:
    others = [
        {"type": "relation", "from_id": "0", "to_id": "11", "direction": "right"},
        {"id": "x", "from_name": "sure", "type": "choices", "value": {"choices": ["yes"]}},
    ]
    document = read(tmp_path, done(region(*FEVER), *others, region(*GOUT)), id=7)
    assert document == GoldDocument(
        "7", TEXT, (GoldMention(0, 4, "Gout", "Disease"), GoldMention(11, 16, "fever", "Disease"))
    )


def test_a_region_with_two_labels_is_two_mentions(tmp_path: Path) -> None:
    twice = region(*GOUT)
    twice["value"]["labels"] = ["Disease", "Symptom"]
    assert spans(read(tmp_path, done(twice))) == [GOUT, (0, 4, "Symptom")]


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("textarea", {"text": ["MESH:D006073|D005334"]}),
        ("textarea", {"text": "D006073, D005334"}),
        ("taxonomy", {"taxonomy": [["Diseases", "MESH:D006073"], ["MESH:D005334"]]}),
        ("choices", {"choices": ["MESH:D006073", "MESH:D005334"]}),
    ],
)
def test_concepts_stand_in_a_field_of_the_region(tmp_path: Path, kind: str, value: Any) -> None:
    concept = {"id": "0", "from_name": "concept", "type": kind, "value": value}
    gout, fever = read(tmp_path, done(region(*GOUT), concept, region(*FEVER))).mentions
    assert gout.concept_ids == ("MESH:D006073", "MESH:D005334")
    assert fever.concept_ids == ()


def test_white_space_at_the_ends_of_a_region_is_no_part_of_it(tmp_path: Path) -> None:
    document = read(tmp_path, done(region(10, 17, "X", " fever."), region(5, 6, "X", " ")))
    assert document.mentions == (GoldMention(11, 17, "fever.", "X"),)


def test_a_line_end_is_written_as_two_characters(tmp_path: Path) -> None:
    document = read(tmp_path, done(region(2, 7, "X", "b\\ncd")), text="a b\ncd e")
    assert document.mentions == (GoldMention(2, 6, "b\ncd", "X"),)


def test_words_that_do_not_stand_there_are_kept_for_the_count_of_misplaced(tmp_path: Path) -> None:
    (mention,) = read(tmp_path, done(region(0, 4, "X", "fever"))).mentions
    assert (mention.start_char, mention.mention_text) == (0, "fever")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("exports")


texts = st.text(st.sampled_from("ab 💊𝛽é\n"), min_size=1, max_size=30)


@given(text=texts, data=st.data(), old=st.booleans())
@settings(max_examples=80, deadline=None)
def test_both_kinds_of_offsets_are_understood(
    folder: Path, text: str, data: st.DataObject, old: bool
) -> None:
    """Where two readings fit, code points win: so old offsets are tried on unmistakable texts."""
    if old:
        text = "".join(c if c in "💊𝛽 \n" else chr(0x3B1 + at) for at, c in enumerate(text)) + "💊"
        text += "Ω" * len(text)  # room for a reading as code points, whose words are others
    start = data.draw(st.integers(0, len(text) - 1))
    end = data.draw(st.integers(start + 1, len(text)))
    words = text[start:end]
    if not words.strip():
        return
    units = [len(text[:at].encode("utf-16-le")) // 2 for at in (start, end)]
    at = units if old else [start, end]
    if old and text[at[0] : at[1]].split() == words.split():
        return
    shown = words.replace("\n", "\\n")
    (mention,) = read(folder, done(region(*at, "X", shown)), text=text).mentions
    first = start + len(words) - len(words.lstrip())
    assert (mention.start_char, mention.end_char) == (first, first + len(words.strip()))
    assert mention.mention_text == words.strip()


def test_one_region_tells_the_kind_of_offsets_for_all_of_a_task(tmp_path: Path) -> None:
    text = "💊 gout, fever"
    old = [region(3, 7, "X", "gout"), region(9, 14, "X")]
    assert spans(read(tmp_path, done(*old), text=text)) == [(2, 6, "X"), (8, 13, "X")]
    new = [region(2, 6, "X", "gout"), region(8, 13, "X")]
    assert spans(read(tmp_path, done(*new), text=text)) == [(2, 6, "X"), (8, 13, "X")]


def test_more_than_half_of_the_annotators_decide(tmp_path: Path) -> None:
    one, two = done(region(*GOUT), completed_by=1), done(region(*FEVER), completed_by={"id": 2})
    three = done(region(*GOUT), region(*FEVER), completed_by=3)
    assert spans(read(tmp_path, one, two)) == []
    assert spans(read(tmp_path, one, three)) == [GOUT]
    document = read(tmp_path, one, two, three)
    assert spans(document) == [GOUT, FEVER]
    assert [len(its) for its in document.annotators] == [1, 1, 2]


def test_concepts_too_are_those_that_more_than_half_gave(tmp_path: Path) -> None:
    def linked(who: int, *ids: str) -> dict[str, Any]:
        value = {"text": list(ids)}
        concept = {"id": "0", "from_name": "concept", "type": "textarea", "value": value}
        return done(region(*GOUT), concept, completed_by=who)

    (gout,) = read(tmp_path, linked(1, "A:1"), linked(2, "A:1", "A:2"), linked(3, "A:3")).mentions
    assert gout.concept_ids == ("A:1",)


def test_of_one_annotator_the_latest_counts_and_ground_truth_alone(tmp_path: Path) -> None:
    old = done(region(*GOUT), completed_by=1, updated_at="2026-01-01T00:00:00Z")
    new = done(region(*FEVER), completed_by=1, updated_at="2026-01-02T00:00:00Z")
    assert spans(read(tmp_path, new, old)) == [FEVER]
    true = done(region(*GOUT), completed_by=2, ground_truth=True)
    document = read(tmp_path, new, true, old)
    assert spans(document) == [GOUT]
    assert document.annotators == ()


def test_cancelled_and_open_tasks_are_left_out(tmp_path: Path) -> None:
    cancelled = {"data": {"text": TEXT}, "annotations": [done(region(*GOUT), was_cancelled=True)]}
    open_ = {"data": {"text": TEXT}, "annotations": [], "predictions": [done(region(*GOUT))]}
    empty = {"data": {"text": TEXT}, "annotations": [done()]}
    (document,) = read_all(tmp_path, cancelled, open_, empty)
    assert document.mentions == ()
    with pytest.raises(SourceError, match=r"export\.json holds no completed annotation"):
        read_all(tmp_path, cancelled, open_)


@pytest.mark.parametrize(
    ("task", "problem"),
    [
        ({"annotation_id": 1, "text": TEXT, "label": []}, "task 1: has no text.*not JSON-MIN"),
        ({"data": {"image": "x"}, "annotations": []}, "task 1: has no text in its data"),
        (
            {"data": {"text": "Gout."}, "annotations": [done(region(0, 9, "X"))]},
            "task 1: a region is no piece of its text",
        ),
        (
            {"data": {"text": "Gout."}, "annotations": [done(region("/p[1]", 9, "X"))]},  # type: ignore[arg-type]
            "task 1: a region is no piece of its text",
        ),
    ],
)
def test_what_is_not_of_the_form_is_refused(tmp_path: Path, task: Any, problem: str) -> None:
    with pytest.raises(SourceError, match=problem):
        read_all(tmp_path, task)
