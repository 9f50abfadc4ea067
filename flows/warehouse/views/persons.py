"""What documents say of each person."""

from __future__ import annotations

from flows.warehouse.views.concepts import FIRST
from flows.warehouse.views.view import View

_COLUMNS = {
    "first_date": "date of the first document that names it; null where none is dated",
    "last_date": "date of the last one",
    "first_affirmed": "date of the first document that affirms it",
    "last_affirmed": "date of the last one that does",
    "last_current": "date of the last one that does, and not as history alone; null where none of "
    "these is dated",
    "documents": "documents of the person that name it",
    "mentions": "mentions of it there",
    "affirmed": "mentions that are affirmed: assessed, of the patient, and neither negated nor "
    "uncertain nor hypothetical",
    "historical": "of the affirmed, those that are historical: of the patient's past or history",
    "negated": "mentions that are negated",
    "concept_id": "the concept, of the first ontology",
    "label": "label of its mentions, the first by name where there are several",
}

_PERSON = f"""
SELECT t.person_id, t.concept_id, c.concept_name, t.label, t.first_date, t.last_date,
  t.first_affirmed, t.last_affirmed, t.last_current, t.documents, t.mentions, t.affirmed,
  t.historical, t.negated
FROM person_totals t JOIN {FIRST} l USING (linkset_id)
LEFT JOIN concepts c ON c.release_id = l.release_id AND c.concept_id = t.concept_id
"""

PERSON_CONCEPTS = View(
    "person_concepts",
    "What concepts each person's documents name, with first and last date.",
    _PERSON,
    _COLUMNS,
)

# As where names are linked, the case of a label says nothing: models write DISEASE and Disease.
PERSON_CONDITIONS = View(
    "person_conditions",
    "Diseases and findings that notes affirm of the person; only where assertion was assessed. "
    "It is person_concepts WHERE affirmed > 0 AND lower(label) IN ('disease', 'finding'): ask so "
    "for labels of your own.",
    f"{_PERSON} WHERE t.affirmed > 0 AND lower(t.label) IN ('disease', 'finding')",
    _COLUMNS,
)

PERSON_VIEWS = (PERSON_CONCEPTS, PERSON_CONDITIONS)
