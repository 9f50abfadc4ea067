"""How often concepts are named, alone, with all that is narrower, and together.

All read tables that a run derives at its end (``flows/warehouse/derived``): counting ten million
mentions anew for every question would take seconds each time.
"""

from __future__ import annotations

from flows.warehouse.views.view import View

FIRST = "(SELECT linkset_id, release_id FROM linksets WHERE is_current AND position = 1)"
"""The linkset of the first ontology, which is what views show."""

_CONCEPT = "the concept, of the first ontology"
_YEAR = "year of document_date; null where there is none"
_COUNTS = {
    "documents": "documents that name it",
    "mentions": "mentions of it",
    "affirmed": "mentions that a note affirms: assessed, of the patient, and neither negated nor "
    "uncertain nor hypothetical",
    "historical": "of the affirmed, those that are historical: of the patient's past or history",
    "negated": "mentions that are negated",
    "year": _YEAR,
}

CONCEPT_COUNTS = View(
    "concept_counts",
    "How often each concept is named, by corpus, kind and type of document, and year.",
    f"""
SELECT t.concept_id, c.concept_name, t.label, t.corpus, t.kind, t.document_type, t.year,
  t.documents, t.mentions, t.affirmed, t.historical, t.negated, t.persons
FROM concept_totals t JOIN {FIRST} l USING (linkset_id)
LEFT JOIN concepts c ON c.release_id = l.release_id AND c.concept_id = t.concept_id
""",
    {
        "concept_id": _CONCEPT,
        "label": "label of its mentions, the first by name where there are several",
        **_COUNTS,
        "persons": "persons whose documents name it; one who is in several rows counts in each",
    },
)

CONCEPT_ROLLUP = View(
    "concept_rollup",
    "The same along the hierarchy: documents and mentions of a concept and all that is narrower. A "
    "document counts in each branch that it names something of.",
    f"""
SELECT t.ancestor_id, c.concept_name AS ancestor_name, t.corpus, t.kind, t.document_type, t.year,
  t.documents, t.mentions, t.affirmed, t.historical, t.negated, t.persons
FROM branch_totals t JOIN {FIRST} l USING (linkset_id)
LEFT JOIN concepts c ON c.release_id = l.release_id AND c.concept_id = t.ancestor_id
""",
    {
        "ancestor_id": "the concept that, with all that is narrower, is counted",
        "ancestor_name": "its preferred name",
        **_COUNTS,
        "documents": "documents that name one of them",
        "persons": "persons whose documents name one of them; one who is in several rows counts in "
        "each",
    },
)

_PAIR = """
SELECT t.{one}_id AS concept_id, t.{two}_id AS other_id, t.documents, t.sentences,
  t.{one}_documents AS concept_documents, t.{two}_documents AS other_documents,
  t.document_pmi, t.sentence_pmi, t.linkset_id
FROM concept_pairs t"""

CONCEPT_COOCCURRENCE = View(
    "concept_cooccurrence",
    "Concepts that documents and sentences name together, each pair from either side, with "
    "pointwise mutual information (Church and Hanks 1990, base 2).",
    f"""
SELECT t.concept_id, c.concept_name, t.other_id, o.concept_name AS other_name, t.documents,
  t.sentences, t.concept_documents, t.other_documents, t.document_pmi, t.sentence_pmi
FROM ({_PAIR.format(one="first", two="second")} UNION ALL {_PAIR.format(one="second", two="first")}
) t JOIN {FIRST} l USING (linkset_id)
LEFT JOIN concepts c ON c.release_id = l.release_id AND c.concept_id = t.concept_id
LEFT JOIN concepts o ON o.release_id = l.release_id AND o.concept_id = t.other_id
""",
    {
        "concept_id": "one concept",
        "concept_name": "its preferred name",
        "other_id": "the other",
        "other_name": "its preferred name",
        "documents": "documents that name both",
        "sentences": "sentences that name both",
        "concept_documents": "documents that name the one",
        "other_documents": "documents that name the other",
        "document_pmi": "log2 of how much oftener documents name both than chance would have it",
        "sentence_pmi": "the same of sentences; null where no sentence names both",
    },
)

CONCEPT_VIEWS = (CONCEPT_COUNTS, CONCEPT_ROLLUP, CONCEPT_COOCCURRENCE)
