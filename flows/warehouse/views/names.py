"""Names that the first ontology does not decide: what to add to it, and what to look at."""

from __future__ import annotations

from flows.warehouse.views.concepts import FIRST
from flows.warehouse.views.view import View

_COLUMNS = {
    "mentions": "current mentions of the name",
    "linked_by_context": "of these, mentions for which context chose a concept all the same",
    "documents": "documents with one",
    "status": "no_candidate, below_threshold or ambiguous",
    "candidate_id": "the best candidate, if any",
    "candidate_name": "its preferred name",
    "candidate_score": "its score",
}

UNLINKED_NAMES = View(
    "unlinked_names",
    "Names that leave mentions without a concept: what to add to the ontology, to be sorted by "
    "mentions - linked_by_context. Not here are names of which context linked every mention.",
    f"""
SELECT t.lookup_text, t.label, n.status, t.mentions, t.linked_by_context, t.documents,
  n.concept_id AS candidate_id, c.concept_name AS candidate_name, n.score AS candidate_score
FROM name_totals t JOIN {FIRST} l ON true
JOIN name_links n ON n.lookup_text = t.lookup_text AND n.label = t.label
  AND n.linkset_id = l.linkset_id AND n.rank = 1 AND n.status != 'linked'
LEFT JOIN concepts c ON c.release_id = l.release_id AND c.concept_id = n.concept_id
WHERE t.mentions > t.linked_by_context
""",
    _COLUMNS,
)

AMBIGUOUS_NAMES = View(
    "ambiguous_names",
    "Names that two or more concepts claim alike, each with its candidates, best first.",
    f"""
SELECT t.lookup_text, t.label, t.mentions, t.linked_by_context, t.documents, n.rank,
  n.concept_id AS candidate_id, c.concept_name AS candidate_name, n.score AS candidate_score
FROM name_totals t JOIN {FIRST} l ON true
JOIN name_links n ON n.lookup_text = t.lookup_text AND n.label = t.label
  AND n.linkset_id = l.linkset_id AND n.status = 'ambiguous'
LEFT JOIN concepts c ON c.release_id = l.release_id AND c.concept_id = n.concept_id
""",
    _COLUMNS,
)

NAME_VIEWS = (UNLINKED_NAMES, AMBIGUOUS_NAMES)
