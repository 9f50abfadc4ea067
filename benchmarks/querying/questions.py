"""Analysts' questions, each asked of the views and, beside it, of mentions and links as they are.

Of a question the two queries give the same rows; an order that is not told apart by its keys is
left out of the comparison.
"""

from __future__ import annotations

from dataclasses import dataclass

from querying.made import NEOPLASMS

from flows.warehouse.connection import Connection


@dataclass(frozen=True)
class Question:
    """What is asked, of a view and without it; ``live`` is None where the view counts nothing."""

    asked: str
    query: str
    live: str | None


_AFFIRMED = (
    "e.negated IS NOT NULL AND NOT e.negated AND NOT coalesce(e.uncertain, false) "
    "AND NOT coalesce(e.hypothetical, false) AND coalesce(e.experiencer, 'patient') = 'patient'"
)

_NAMED = "SELECT DISTINCT document_id, concept_id FROM entities WHERE concept_id IS NOT NULL"

_PAIRS = f"""
WITH named AS ({_NAMED}), n AS (SELECT concept_id, count(*) AS n FROM named GROUP BY ALL),
pairs AS (
  SELECT a.concept_id, b.concept_id AS other_id, count(*) AS documents
  FROM named a JOIN named b USING (document_id) WHERE {{}} GROUP BY ALL HAVING count(*) >= 2
)
SELECT p.concept_id, p.other_id, p.documents, round(log2(p.documents::DOUBLE
  * (SELECT count(*) FROM document_annotations WHERE is_current AND status = 'done')
  / (x.n::DOUBLE * y.n)), 6) AS pmi
FROM pairs p JOIN n x ON x.concept_id = p.concept_id JOIN n y ON y.concept_id = p.other_id
WHERE p.documents >= 10 ORDER BY pmi DESC, 1, 2 LIMIT 20
"""


@dataclass(frozen=True)
class Subjects:
    """What the questions are about: drawn from the warehouse."""

    concept: str
    person: str
    document: str
    branch: str = NEOPLASMS


def subjects_of(connection: Connection) -> Subjects:
    """The most frequent concept, the person with most documents, and some document."""

    def first(query: str) -> str:
        return str(connection.execute(query).fetchall()[0][0])

    return Subjects(
        concept=first(
            "SELECT concept_id FROM concept_counts GROUP BY 1 ORDER BY sum(documents) DESC, 1"
        ),
        person=first(
            "SELECT person_id FROM documents WHERE person_id IS NOT NULL GROUP BY 1 "
            "ORDER BY count(*) DESC, 1 LIMIT 1"
        ),
        document=first("SELECT document_id FROM documents ORDER BY hash(document_id), 1 LIMIT 1"),
    )


def questions(about: Subjects) -> list[Question]:
    """The questions, in the order in which they are told."""
    concept, person, document = about.concept, about.person, about.document
    return [
        Question(
            "counts of a concept by corpus, year and type",
            "SELECT corpus, year, document_type, documents, mentions FROM concept_counts "
            f"WHERE concept_id = '{concept}' ORDER BY ALL",
            "SELECT corpus, year(document_date), document_type, count(DISTINCT document_id), "
            f"count(*) FROM entities WHERE concept_id = '{concept}' GROUP BY 1, 2, 3 ORDER BY ALL",
        ),
        Question(
            "documents and concepts named, by corpus, year and type, of all concepts",
            "SELECT corpus, year, document_type, count(DISTINCT concept_id), sum(mentions) "
            "FROM concept_counts GROUP BY ALL ORDER BY ALL",
            "SELECT corpus, year(document_date), document_type, count(DISTINCT concept_id), "
            "count(*) FROM entities WHERE concept_id IS NOT NULL GROUP BY 1, 2, 3 ORDER BY ALL",
        ),
        Question(
            "top concepts of a year",
            "SELECT concept_id, concept_name, sum(documents) AS n FROM concept_counts "
            "WHERE year = 2015 GROUP BY 1, 2 ORDER BY n DESC, 1 LIMIT 20",
            "SELECT concept_id, concept_name, count(DISTINCT document_id) AS n FROM entities "
            "WHERE year(document_date) = 2015 AND concept_id IS NOT NULL GROUP BY 1, 2 "
            "ORDER BY n DESC, 1 LIMIT 20",
        ),
        Question(
            "a branch (Neoplasms) by corpus and year",
            "SELECT corpus, year, sum(documents), sum(mentions) FROM concept_rollup "
            f"WHERE ancestor_id = '{about.branch}' GROUP BY ALL ORDER BY ALL",
            "SELECT e.corpus, year(e.document_date), count(DISTINCT e.document_id), count(*) "
            "FROM entities e JOIN linksets l USING (linkset_id) JOIN concept_ancestors a "
            "ON a.release_id = l.release_id AND a.concept_id = e.concept_id "
            f"WHERE a.ancestor_id = '{about.branch}' GROUP BY 1, 2 ORDER BY ALL",
        ),
        Question(
            "the largest branches",
            "SELECT ancestor_id, ancestor_name, sum(documents) AS n FROM concept_rollup "
            "GROUP BY 1, 2 ORDER BY n DESC, 1 LIMIT 20",
            "SELECT a.ancestor_id, c.concept_name, count(DISTINCT e.document_id) AS n "
            "FROM entities e JOIN linksets l USING (linkset_id) JOIN concept_ancestors a "
            "ON a.release_id = l.release_id AND a.concept_id = e.concept_id JOIN concepts c "
            "ON c.release_id = l.release_id AND c.concept_id = a.ancestor_id "
            "GROUP BY 1, 2 ORDER BY n DESC, 1 LIMIT 20",
        ),
        Question(
            "what stands beside a concept, by PMI",
            "SELECT concept_id, other_id, documents, round(document_pmi, 6) AS pmi "
            f"FROM concept_cooccurrence WHERE concept_id = '{concept}' AND documents >= 10 "
            "ORDER BY pmi DESC, 1, 2 LIMIT 20",
            _PAIRS.format(f"a.concept_id = '{concept}' AND b.concept_id != '{concept}'"),
        ),
        Question(
            "the strongest pairs of all",
            "SELECT concept_id, other_id, documents, round(document_pmi, 6) AS pmi "
            "FROM concept_cooccurrence WHERE concept_id < other_id AND documents >= 10 "
            "ORDER BY pmi DESC, 1, 2 LIMIT 20",
            _PAIRS.format("a.concept_id < b.concept_id"),
        ),
        Question(
            "first and last mention of a concept, by person",
            "SELECT person_id, first_date, last_date, documents FROM person_concepts "
            f"WHERE concept_id = '{concept}' ORDER BY ALL",
            "SELECT person_id, min(document_date), max(document_date), "
            "count(DISTINCT document_id) FROM entities "
            f"WHERE concept_id = '{concept}' AND person_id IS NOT NULL GROUP BY 1 ORDER BY ALL",
        ),
        Question(
            "affirmed conditions of a person",
            "SELECT concept_id, label, affirmed, historical FROM person_conditions "
            f"WHERE person_id = '{person}' ORDER BY ALL",
            f"SELECT concept_id, min(label) AS label, count(*) FILTER ({_AFFIRMED}), "
            f"count(*) FILTER (historical AND {_AFFIRMED}) FROM entities e "
            f"WHERE person_id = '{person}' AND concept_id IS NOT NULL GROUP BY 1 "
            f"HAVING count(*) FILTER ({_AFFIRMED}) > 0 AND min(label) IN ('Disease', 'Finding') "
            "ORDER BY ALL",
        ),
        Question(
            "persons by affirmed condition",
            "SELECT concept_id, count(*) AS n FROM person_conditions GROUP BY 1 "
            "ORDER BY n DESC, 1 LIMIT 20",
            "SELECT concept_id, count(*) AS n FROM (SELECT person_id, concept_id, "
            f"min(label) AS label, count(*) FILTER ({_AFFIRMED}) AS affirmed FROM entities e "
            "WHERE person_id IS NOT NULL AND concept_id IS NOT NULL GROUP BY 1, 2) "
            "WHERE affirmed > 0 AND label IN ('Disease', 'Finding') GROUP BY 1 "
            "ORDER BY n DESC, 1 LIMIT 20",
        ),
        Question(
            "names without a concept, by mentions",
            "SELECT lookup_text, label, status, mentions, linked_by_context, documents, "
            "mentions - linked_by_context AS remain FROM unlinked_names "
            "ORDER BY remain DESC, 1, 2 LIMIT 50",
            "SELECT m.lookup_text, m.label, n.status, count(*) AS mentions, "
            "count(c.mention_id), count(DISTINCT m.document_id), "
            "count(*) - count(c.mention_id) AS remain FROM mentions m JOIN document_annotations a "
            "USING (document_id, annotation_id) JOIN linksets l ON l.is_current "
            "AND l.position = 1 JOIN name_links n ON n.lookup_text = m.lookup_text "
            "AND n.label = m.label AND n.linkset_id = l.linkset_id AND n.rank = 1 "
            "LEFT JOIN mention_links c ON c.document_id = m.document_id "
            "AND c.annotation_id = m.annotation_id AND c.mention_id = m.mention_id "
            "AND c.linkset_id = l.linkset_id WHERE a.is_current AND n.status != 'linked' "
            "GROUP BY ALL HAVING remain > 0 ORDER BY remain DESC, 1, 2 LIMIT 50",
        ),
        Question(
            "ambiguous names with their candidates",
            "SELECT lookup_text, label, rank, candidate_id, mentions FROM ambiguous_names "
            "ORDER BY mentions DESC, 1, 2, 3 LIMIT 50",
            "SELECT n.lookup_text, n.label, n.rank, n.concept_id, t.mentions FROM (SELECT "
            "m.lookup_text, m.label, count(*) AS mentions FROM mentions m "
            "JOIN document_annotations a USING (document_id, annotation_id) WHERE a.is_current "
            "GROUP BY ALL) t JOIN linksets l ON l.is_current AND l.position = 1 "
            "JOIN name_links n ON n.lookup_text = t.lookup_text AND n.label = t.label "
            "AND n.linkset_id = l.linkset_id AND n.status = 'ambiguous' "
            "ORDER BY mentions DESC, 1, 2, 3 LIMIT 50",
        ),
        Question(
            "current mentions of a document",
            f"SELECT * FROM current_mentions WHERE document_id = '{document}' ORDER BY mention_id",
            None,
        ),
        Question(
            "entities of a document",
            f"SELECT * FROM entities WHERE document_id = '{document}' ORDER BY mention_id",
            None,
        ),
    ]
