"""Passages found by words and concepts, in documents, persons and the warehouse."""

from __future__ import annotations

import pytest

from flows.errors import UsageError
from flows.retrieval.concepts import WANTED, find_concepts
from flows.retrieval.search import DOCUMENT, PERSON, WAREHOUSE, Found, search
from flows.warehouse.connection import Connection
from nlp.language_settings import RetrievalSettings


def found(
    connection: Connection, question: str, scope: str = WAREHOUSE, **more: object
) -> list[Found]:
    where = str(more.pop("where", "true"))
    settings = RetrievalSettings.model_validate(more)
    return list(search(connection, [question], scope, settings, where))


def ids(result: Found) -> list[str]:
    return [passage.document_id for passage in result.passages]


def test_passages_are_the_text_at_their_offsets(searched: Connection) -> None:
    for scope in (DOCUMENT, PERSON, WAREHOUSE):
        passages = [
            passage
            for result in found(
                searched, "Was there a heart attack?", scope, passage_characters=100
            )
            for passage in result.passages
        ]
        assert passages
        for passage in passages:
            ((text,),) = searched.execute(
                "SELECT substr(text, $start + 1, $end - $start) FROM documents "
                "WHERE document_id = $id",
                {"start": passage.start_char, "end": passage.end_char, "id": passage.document_id},
            ).fetchall()
            assert text == passage.text


def test_concepts_find_other_words_and_narrower_concepts(searched: Connection) -> None:
    question = "Any ischemic heart disease?"
    (by_words,) = found(searched, question, concepts=False)
    assert "notes:3" not in ids(by_words)  # it says myocardial infarction
    (by_concepts,) = found(searched, question)
    assert set(ids(by_concepts)) == {"notes:1", "notes:2", "notes:3"}


def test_denied_and_family_mentions_bear_on_the_question(searched: Connection) -> None:
    (result,) = found(searched, "myocardial infarction?", concept_weight=2)
    assert ids(result)[0] == "notes:3"  # words and concept
    assert set(ids(result)[1:]) == {"notes:1", "notes:2"}


def test_concept_weight_counts(searched: Connection) -> None:
    (light,) = found(searched, "Infarction of who walks", concept_weight=1)
    (none,) = found(searched, "Infarction of who walks", concept_weight=0)
    assert ids(light) == ids(none)
    (heavy,) = found(searched, "Heart attacks of who walks", concept_weight=20)
    (plain,) = found(searched, "Heart attacks of who walks", concept_weight=0)
    assert {p.document_id: p.score for p in heavy.passages}["notes:1"] > (
        {p.document_id: p.score for p in plain.passages}["notes:1"]
    )


def test_scopes(searched: Connection) -> None:
    by_person = found(searched, "Does the patient smoke?", PERSON)
    assert [result.unit for result in by_person] == ["A", "B"]
    assert all(passage.document_id == "notes:3" for passage in by_person[1].passages)
    by_document = found(searched, "Does the patient smoke?", DOCUMENT)
    assert [result.unit for result in by_document] == [f"notes:{n}" for n in range(1, 5)]
    for result in by_document:
        assert set(ids(result)) == {result.unit}


def test_small_units_are_given_whole_and_others_only_what_fits(searched: Connection) -> None:
    question = "Does the patient smoke?"
    (whole, *_) = found(searched, question, PERSON, passages=2)
    assert ids(whole) == ["notes:2", "notes:1"]  # the second shares no word with the question
    (chosen, *_) = found(searched, question, PERSON, passages=1)
    assert ids(chosen) == ["notes:2"]
    (warehouse,) = found(searched, question)
    assert ids(warehouse) == ["notes:2"]
    (nothing,) = found(searched, "Zebra stripes?")
    assert nothing.passages == ()


def test_a_document_does_not_depend_on_others(searched: Connection) -> None:
    question = "Does the patient walk after a heart attack?"
    among = {result.unit: result for result in found(searched, question, DOCUMENT)}
    for unit, result in among.items():
        (alone,) = found(searched, question, DOCUMENT, where=f"document_id = '{unit}'")
        assert alone == result


def test_ties_go_by_document_id_then_place(searched: Connection) -> None:
    (result,) = found(searched, "walks", passage_characters=100, b=0, concepts=False)
    assert ids(result) == ["notes:2", "notes:3"]
    assert result.passages[0].score == result.passages[1].score


def test_where_limits_what_is_read(searched: Connection) -> None:
    (result,) = found(searched, "heart attack", where="person_id = 'B' -- only B")
    assert ids(result) == ["notes:3"]
    with pytest.raises(UsageError, match="--where"):
        found(searched, "heart attack", where="no_column = 1")
    with pytest.raises(UsageError, match="no condition"):
        found(searched, "heart attack", where="true); DROP TABLE documents; SELECT (1")


def test_questions_do_not_depend_on_each_other(searched: Connection) -> None:
    questions = ["heart attack", "broken arm or fall", "who smokes", "?"]
    together = list(search(searched, questions, WAREHOUSE, RetrievalSettings()))
    for number, question in enumerate(questions):
        (alone,) = found(searched, question)
        assert alone.passages == together[number].passages
    assert together[3].passages == ()


@pytest.mark.parametrize(
    ("question", "concepts"),
    [
        ("Signs of Myocardial infarctions", {"MESH:D009203"}),
        ("infarction, myocardial", {"MESH:D009203"}),
        ("ischaemic heart diseases", {"MESH:D017202", "MESH:D009203"}),
        ("Is it chf?", set()),
        ("Is there CHF?", {"MESH:D000001"}),
        ("acetylsalicylic-acid or aspirins", {"MESH:D001241"}),
        ("", set()),
    ],
)
def test_concepts_of_questions(searched: Connection, question: str, concepts: set[str]) -> None:
    (phrases,) = find_concepts(searched, [question])
    wanted = searched.execute(f"SELECT DISTINCT concept_id FROM {WANTED}").fetchall()
    assert {concept_id for (concept_id,) in wanted} == concepts
    assert bool(phrases) == bool(concepts)
