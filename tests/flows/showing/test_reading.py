"""What is read of a document is what the warehouse's views say of it."""

from __future__ import annotations

import pytest

from flows.errors import CharthouseError, UsageError
from flows.showing.document import ShownDocument, ShownMention
from flows.showing.reading import read_document
from flows.warehouse.connection import Connection


def mention_of(document: ShownDocument, name: str) -> ShownMention:
    (found,) = [mention for mention in document.mentions if mention.lookup_text == name]
    return found


def test_links_are_those_of_the_view(connection: Connection) -> None:
    for ontology, linkset in (("1", "l1"), ("other", "l2")):
        for document_id in ("notes:11", "notes:12", "notes:13", "abstracts:77"):
            document = read_document(connection, document_id, ontology=ontology)
            assert sorted(
                (m.mention_id, m.link.concept_id, m.link.concept_name, m.link.method, m.section)
                for m in document.mentions
            ) == (
                connection.execute(
                    "SELECT mention_id, concept_id, concept_name, link_method, section "
                    "FROM entities_all WHERE document_id = ? AND linkset_id = ? ORDER BY 1",
                    [document_id, linkset],
                ).fetchall()
            )


def test_native_id_alone_will_do_where_one_corpus_has_it(connection: Connection) -> None:
    assert read_document(connection, "77").document_id == "abstracts:77"


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ("notes:1", "3 begin with it, 3 differ in one character"),
        ("NOTES:11", "1 differs in case only"),
        ("8", "no document has this id. Ids are CORPUS:NATIVE_ID; corpora are abstracts, notes"),
    ],
)
def test_an_id_that_is_not_there_is_told_by_counts(
    connection: Connection, asked: str, told: str
) -> None:
    with pytest.raises(CharthouseError) as error:
        read_document(connection, asked)
    assert told in str(error.value)
    assert not any(document_id in str(error.value) for document_id in ("notes:11", "notes:12"))


def test_a_native_id_of_two_corpora_needs_the_corpus(bench_of_two: Connection) -> None:
    with pytest.raises(CharthouseError, match=r"2 documents .* corpora more, notes"):
        read_document(bench_of_two, "a")
    assert read_document(bench_of_two, "more:a").text == "rash"


def test_assertion_is_told_apart_from_what_was_not_assessed(connection: Connection) -> None:
    note = read_document(connection, "notes:11")
    said = {mention.lookup_text: mention.assertion for mention in note.mentions}
    assert said == {
        "chest pain": (),
        "fever": ("negated",),
        "diabetes": ("family",),
        "asthma": ("historical",),
        "gout": ("uncertain",),
        "rash": ("hypothetical",),
        "sodium": (),
    }
    assert {m.assertion for m in read_document(connection, "77").mentions} == {None}


def test_candidates_cues_and_context(connection: Connection) -> None:
    note = read_document(connection, "notes:11")
    fever = mention_of(note, "fever").link
    assert [(c.rank, c.concept_id) for c in fever.candidates] == [
        (1, "MESH:D005334"),
        (2, "MESH:D006073"),
    ]
    (cue,) = mention_of(note, "gout").cues
    assert (cue.attribute, cue.rule_id, cue.text) == ("uncertain", "perhaps", "perhaps")
    other = read_document(connection, "notes:11", linkset="l2")
    gout = mention_of(other, "gout").link
    assert (gout.status, gout.concept_id, gout.method) == ("ambiguous", "X:2", "context")
    assert gout.matched_name == "Gout"
    rash, fever = (mention_of(other, name).link for name in ("rash", "fever"))
    assert (rash.status, rash.concept_id, fever.status) == ("no_candidate", None, None)


def test_provenance(connection: Connection) -> None:
    origin = read_document(connection, "notes:11").provenance
    assert [(origin.run_id, origin.source_hash)] == connection.execute(
        "SELECT run_id, d.source_hash FROM document_annotations JOIN documents d "
        "USING (document_id) WHERE document_id = 'notes:11'"
    ).fetchall()
    assert (origin.annotation_id, origin.is_current, origin.other_sets) == ("rule-1", True, 0)
    assert origin.run_status == "done"
    assert origin.linkset is not None
    assert (origin.linkset.linkset_id, origin.linkset.ontology) == ("l1", "Tree of names")
    old = read_document(connection, "notes:11", linkset="ol").provenance.linkset
    assert old is not None
    assert not old.is_current


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"linkset": "l"}, "--linkset l fits several. There are l1, l2, old"),
        ({"linkset": "x"}, "--linkset x is not in the warehouse"),
        ({"ontology": "3"}, "There are 1 Tree of names (r1), 2 Other tree (r2)"),
        ({"annotation": "nothing"}, "no run and no annotation set begins with nothing"),
    ],
)
def test_what_is_not_there_is_refused(
    connection: Connection, options: dict[str, str], told: str
) -> None:
    with pytest.raises(CharthouseError) as error:
        read_document(connection, "77", **options)  # type: ignore[arg-type]
    assert told in str(error.value)


def test_linkset_and_ontology_are_one_choice(connection: Connection) -> None:
    with pytest.raises(UsageError):
        read_document(connection, "77", linkset="l1", ontology="2")
