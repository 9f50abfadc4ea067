"""Files of questions in their makers' forms; the questions here are invented."""

from __future__ import annotations

import csv
import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import zstandard
from hypothesis import assume, given
from hypothesis import strategies as st

from flows.errors import SourceError
from flows.questions.file import read_questions
from nlp.qa.question import YES_NO_MAYBE, Question

MMLU = (
    "Which organ makes insulin?,Liver,Pancreas,Spleen,Kidney,B\n"
    '"Two lines,\nand a ""quoted"" comma",a,b,"c, d",e,D\n'
)
MEDMCQA = [
    {
        "question": "Which vitamin is fat-soluble?",
        "exp": "A, D, E and K are.",
        "cop": 4,
        "opa": "B1",
        "opb": "B12",
        "opc": "C",
        "opd": "K",
        "subject_name": "Biochemistry",
        "topic_name": None,
        "id": "0a1b-2c",
        "choice_type": "single",
    },
    {
        "question": "Which nerve moves the diaphragm?",
        "exp": None,
        "cop": 1,
        "opa": "Phrenic",
        "opb": "Vagus",
        "opc": "Ulnar",
        "opd": "Sural",
        "subject_name": "Anatomy",
        "topic_name": None,
        "id": "0a1b-2d",
        "choice_type": "multi",
    },
]
MEDQA = {
    "question": "A man has a cough. What is next?",
    "answer": "Radiograph",
    "options": {"A": "Biopsy", "B": "Radiograph", "C": "Wait", "D": "Surgery"},
    "meta_info": "step2&3",
    "answer_idx": "B",
}
PUBMEDQA = {
    "101": {
        "QUESTION": "Does tea help?",
        "CONTEXTS": ["Forty people drank tea.", "Half felt better."],
        "LABELS": ["METHODS", "RESULTS"],
        "MESHES": ["Tea"],
        "YEAR": "2001",
        "reasoning_required_pred": "maybe",
        "reasoning_free_pred": "maybe",
        "final_decision": "maybe",
        "LONG_ANSWER": "Tea may help.",
    },
    "102": {"QUESTION": "Is rest best?", "CONTEXTS": ["They rested."], "LONG_ANSWER": "Yes."},
}


def lines(rows: list[dict[str, Any]]) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def test_mmlu(tmp_path: Path) -> None:
    file = read_questions(write(tmp_path / "virus_lore_dev.csv", MMLU))
    assert file.form == "mmlu"
    assert file.questions == (
        Question(
            "1",
            "Which organ makes insulin?",
            ("Liver", "Pancreas", "Spleen", "Kidney"),
            1,
            subject="virus_lore",
        ),
        Question(
            "2",
            'Two lines,\nand a "quoted" comma',
            ("a", "b", "c, d", "e"),
            3,
            subject="virus_lore",
        ),
    )


WORDS = st.text(
    st.characters(exclude_categories=("Cs", "Cc")) | st.just("\n"), min_size=1, max_size=30
).filter(lambda text: bool(text.strip()))


@given(
    rows=st.lists(st.tuples(WORDS, WORDS, WORDS, WORDS, WORDS, st.sampled_from("ABCD")), min_size=1)
)
def test_mmlu_whatever_stands_in_it(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, ...]]
) -> None:
    assume(rows[0][0].lstrip()[0] not in "{[\ufeff")  # would be taken for JSON
    path = tmp_path_factory.mktemp("any") / "any_val.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)
    found = [(q.text, *q.options, "ABCD"[q.answer or 0]) for q in read_questions(path).questions]
    assert found == rows


def test_mmlu_that_begins_with_a_bracket(tmp_path: Path) -> None:
    path = write(tmp_path / "anatomy_test.csv", "[x] stands for?,a,b,c,d,B\n" + MMLU)
    assert read_questions(path).questions[0].text.startswith("[x]")


def test_medmcqa_of_its_authors_counts_from_one(tmp_path: Path) -> None:
    file = read_questions(write(tmp_path / "dev.json", lines(MEDMCQA)))
    assert file.form == "medmcqa"
    first, second = file.questions
    assert (first.question_id, first.answer, first.subject) == ("0a1b-2c", 3, "Biochemistry")
    assert first.explanation == "A, D, E and K are."
    assert (second.answer, second.explanation) == (0, "")
    assert second.options == ("Phrenic", "Vagus", "Ulnar", "Sural")


def test_medmcqa_of_the_hub_counts_from_zero(tmp_path: Path) -> None:
    hub = [MEDMCQA[0] | {"cop": 3}, MEDMCQA[1] | {"cop": 0}, MEDMCQA[1] | {"cop": -1, "id": "t"}]
    file = read_questions(write(tmp_path / "validation.jsonl", lines(hub)))
    assert [question.answer for question in file.questions] == [3, 0, None]


def test_medmcqa_that_does_not_tell_must_be_told(tmp_path: Path) -> None:
    path = write(tmp_path / "few.jsonl", lines([MEDMCQA[0] | {"cop": 2}]))
    with pytest.raises(SourceError, match="--first-option"):
        read_questions(path)
    for first, answer in ((0, 2), (1, 1)):
        assert read_questions(path, first_option=first).questions[0].answer == answer
    told = write(tmp_path / "told.jsonl", lines(MEDMCQA))
    with pytest.raises(SourceError, match="does not count from 0"):
        read_questions(told, first_option=0)


@pytest.mark.parametrize("as_list", [False, True])
def test_medqa(tmp_path: Path, as_list: bool) -> None:
    row = dict(MEDQA)
    if as_list:
        options = [{"key": key, "value": value} for key, value in MEDQA["options"].items()]
        row |= {"options": options}
    file = read_questions(write(tmp_path / "test.jsonl", lines([row, row])))
    assert file.form == "medqa"
    assert file.questions[1] == Question(
        "2",
        "A man has a cough. What is next?",
        ("Biopsy", "Radiograph", "Wait", "Surgery"),
        1,
        subject="step2&3",
    )


def test_medqa_by_the_answers_text(tmp_path: Path) -> None:
    row = {name: value for name, value in MEDQA.items() if name != "answer_idx"}
    (question,) = read_questions(write(tmp_path / "t.jsonl", lines([row]))).questions
    assert question.answer == 1


@pytest.mark.parametrize("indent", [None, 1])
def test_pubmedqa(tmp_path: Path, indent: int | None) -> None:
    path = write(tmp_path / "pqal.json", json.dumps(PUBMEDQA, indent=indent))
    file = read_questions(path)
    assert file.form == "pubmedqa"
    first, second = file.questions
    assert first == Question(
        "101",
        "Does tea help?",
        YES_NO_MAYBE,
        2,
        context="Forty people drank tea.\nHalf felt better.",
        explanation="Tea may help.",
    )
    assert second.answer is None


def test_a_single_pubmedqa_entry_on_one_line(tmp_path: Path) -> None:
    path = write(tmp_path / "one.json", json.dumps({"102": PUBMEDQA["102"]}))
    assert read_questions(path).form == "pubmedqa"


@pytest.mark.parametrize(
    ("suffix", "pack"), [(".gz", gzip.compress), (".zst", zstandard.ZstdCompressor().compress)]
)
def test_compressed(tmp_path: Path, suffix: str, pack: Callable[[bytes], bytes]) -> None:
    path = tmp_path / f"virology_test.csv{suffix}"
    path.write_bytes(pack(MMLU.encode()))
    file = read_questions(path)
    assert [question.subject for question in file.questions] == ["virology", "virology"]


def without(row: dict[str, Any], field: str) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name != field}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (MMLU + "q,a,b,c,B\n", "row 3: 5 fields"),
        (MMLU + "q,a,b,c,d,E\n", "row 3, field answer"),
        (MMLU + "q,a,,c,d,B\n", "row 3, field B: is empty"),
        ("question,A,B,C,D,answer\n" + MMLU, "row 1, field answer.*header"),
        (lines([MEDMCQA[0], without(MEDMCQA[1], "opc")]), "row 2, field opc: is missing"),
        (lines([MEDMCQA[0], MEDMCQA[1] | {"opc": 3}]), "row 2, field opc: is no text"),
        (lines([MEDMCQA[0], MEDMCQA[1] | {"cop": 7}]), "row 2, field cop"),
        (lines([MEDMCQA[0], MEDMCQA[1] | {"cop": "\u00b2"}]), "row 2, field cop"),
        (lines([MEDMCQA[0], MEDMCQA[1] | {"cop": 0}]), "field cop: both 0 and 4"),
        (lines([MEDMCQA[0], MEDMCQA[0]]), "row 2, field id"),
        (lines([MEDMCQA[0]]) + "{broken\n", "row 2: is not well-formed"),
        (lines([MEDQA, MEDQA | {"answer_idx": "F"}]), "row 2, field answer_idx"),
        (lines([MEDQA, MEDQA | {"options": {"A": "x"}}]), "row 2, field options"),
        (lines([MEDQA, MEDQA | {"options": {"A": "x", "B": " "}}]), "row 2, field options"),
        (json.dumps({"7": {"QUESTION": "q", "CONTEXTS": "c"}}), "row 7, field CONTEXTS"),
        (
            json.dumps({"7": {"QUESTION": "q", "CONTEXTS": [], "final_decision": "no!"}}),
            "row 7, field final_decision",
        ),
        (json.dumps({"7": {"CONTEXTS": []}, "8": PUBMEDQA["102"]}), "row 7, field QUESTION"),
        (json.dumps({"a": 1}), "JSON of no known form"),
        ("  \n", "is empty"),
    ],
)
def test_what_is_damaged_is_named(tmp_path: Path, text: str, said: str) -> None:
    path = write(tmp_path / "some_test.csv", text)
    with pytest.raises(SourceError, match=said) as error:
        read_questions(path)
    assert str(path) in str(error.value)
    assert not any(word in str(error.value) for word in ("insulin", "vitamin", "cough", "Vagus"))


def test_files_as_published(data_dir: Path) -> None:
    folder = data_dir / "questions"
    anatomy = read_questions(folder / "mmlu" / "anatomy_test.csv")
    assert (anatomy.form, len(anatomy.questions)) == ("mmlu", 135)
    assert anatomy.questions[0].subject == "anatomy"
    pubmedqa = read_questions(folder / "pubmedqa_dev.json.gz")
    answers = [YES_NO_MAYBE[q.answer] for q in pubmedqa.questions if q.answer is not None]
    counts = [answers.count(word) for word in YES_NO_MAYBE]
    assert counts == [276, 169, 55]
    assert all(question.context and question.explanation for question in pubmedqa.questions)
