"""Macros kept in a warehouse: a chosen annotation set or linkset, and what is under a concept.

A macro's tables are looked up where it is called, in DuckDB's current database: whoever attaches a
warehouse beside others says ``USE`` first. Arguments are put in as they are written, so a name
inside a macro must be none that a caller's expression may have.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from flows.generating.schema import SET_PREFIX
from flows.warehouse.ddl import literal, quoted
from flows.warehouse.views.concepts import FIRST
from flows.warehouse.views.entities import (
    ENTITY_COLUMNS,
    ENTITY_JOINS,
    ENTITY_JOINS_OF,
    FIRST_LINKSET,
)


@dataclass(frozen=True)
class Macro:
    """A macro: what it gives, its parameters and its body.

    ``parameters`` has their meanings, and ``defaults`` SQL for those that can be left out. A table
    macro's body is a query, and ``columns`` has the meanings of columns that are not simply one of
    a table's; a scalar macro's body is an expression.
    """

    name: str
    meaning: str
    body: str
    parameters: dict[str, str]
    defaults: dict[str, str] = field(default_factory=dict)
    is_table: bool = True
    columns: dict[str, str] = field(default_factory=dict)

    @property
    def signature(self) -> str:
        """As it is called: ``entities_of(annotation := NULL, linkset := NULL)``."""
        given = [
            f"{name} := {self.defaults[name]}" if name in self.defaults else name
            for name in self.parameters
        ]
        return f"{self.name}({', '.join(given)})"

    @property
    def statements(self) -> tuple[str, str]:
        """What makes it, in place of one of an older release, and what comments on it."""
        table = " TABLE" if self.is_table else ""
        body = self.body if self.is_table else f"({self.body})"
        head = f"{quoted(self.name)}{self.signature.removeprefix(self.name)}"
        return (
            f"CREATE OR REPLACE MACRO {head} AS{table} {body}",
            f"COMMENT ON MACRO{table} {quoted(self.name)} IS {literal(self.meaning)}",
        )


NO_SUCH_SET = (
    "no annotation set, or more than one, has an id that begins so: annotation_sets lists them"
)
NO_SUCH_LINKSET = "no linkset, or more than one, has an id that begins so: linksets lists them"
NO_SUCH_CONCEPT = (
    "no concept of the first ontology, or more than one, has this id or preferred name: "
    "concepts_named('...') finds them"
)

REFUSALS = (NO_SUCH_SET, NO_SUCH_LINKSET, NO_SUCH_CONCEPT)
"""All that macros say where an argument fits nothing. They quote no value."""


def _one(argument: str, column: str, source: str, refusal: str) -> str:
    """The one ``column`` of ``source`` whose ``fits`` begins with an argument, or is it; null for
    null.
    """
    return f"""(SELECT CASE WHEN {argument} IS NULL THEN NULL
    WHEN count(*) FILTER (fits = {argument}) > 0 THEN min({column}) FILTER (fits = {argument})
    WHEN count(DISTINCT {column}) = 1 THEN min({column}) ELSE error({literal(refusal)}) END
  FROM ({source}) WHERE starts_with(fits, {argument}))"""


_SET = _one(
    "annotation",
    "annotation_id",
    "SELECT annotation_id, annotation_id AS fits FROM annotation_sets "
    "UNION ALL SELECT annotation_id, run_id FROM runs "
    f"WHERE NOT starts_with(annotation_id, {literal(SET_PREFIX)})",
    NO_SUCH_SET,
)
_LINKSET = _one(
    "linkset", "linkset_id", "SELECT linkset_id, linkset_id AS fits FROM linksets", NO_SUCH_LINKSET
)
_CONCEPT = f"""(SELECT CASE WHEN concept IS NULL THEN NULL
    WHEN count(*) FILTER (c.concept_id = concept) = 1 THEN concept
    WHEN count(*) = 1 THEN min(c.concept_id) ELSE error({literal(NO_SUCH_CONCEPT)}) END
  FROM concepts c JOIN {FIRST} l USING (release_id)
  WHERE c.concept_id = concept OR lower(c.concept_name) = lower(concept))"""

_OF_SETS = f"""CASE WHEN annotation IS NULL THEN a.is_current
  ELSE a.annotation_id = {_SET} END"""
_OF_LINKSETS = f"""LEFT JOIN linksets l ON CASE WHEN linkset IS NULL
  THEN l.is_current AND l.position = 1 ELSE l.linkset_id = {_LINKSET} END"""

_ASKED_SET = (
    "the start of an annotation_id, or of the run_id of a run that wrote it, as long as it fits "
    "one set alone; null for each document's current set"
)
_ASKED_LINKSET = (
    "the start of a linkset_id, as long as it fits one alone; null for the current one of the "
    "first ontology"
)
_ASKED_CONCEPT = "id or preferred name of a concept of the first ontology, whatever the case"
ENTITIES_OF = Macro(
    "entities_of",
    "The view entities for a chosen annotation set, a chosen linkset, or both.",
    f"SELECT {ENTITY_COLUMNS}, a.is_current "
    + ENTITY_JOINS_OF.format(annotations=f"({_OF_SETS})", linksets=_OF_LINKSETS),
    {"annotation": _ASKED_SET, "linkset": _ASKED_LINKSET},
    {"annotation": "NULL", "linkset": "NULL"},
    columns={"is_current": "whether it is the document's current annotation set"},
)

MENTIONS_OF = Macro(
    "mentions_of",
    "The mentions of a chosen annotation set.",
    f"SELECT m.* FROM mentions m WHERE m.annotation_id = {_SET}",
    {"annotation": _ASKED_SET.partition(";")[0]},
)

LINKS_OF = Macro(
    "links_of",
    "Names and their ranked concepts in a chosen linkset.",
    f"SELECT n.* FROM name_links n WHERE n.linkset_id = {_LINKSET}",
    {"linkset": _ASKED_LINKSET.partition(";")[0]},
    columns={
        "concept_id": "a concept that the name may mean; null where there is none",
        "score": "how well the two match, 0 to 1",
    },
)

CONCEPTS_UNDER = Macro(
    "concepts_under",
    "A concept and all that is narrower, nearest first.",
    f"""SELECT a.concept_id, c.concept_name, a.distance
FROM concept_ancestors a JOIN {FIRST} l USING (release_id)
LEFT JOIN concepts c ON c.release_id = l.release_id AND c.concept_id = a.concept_id
WHERE a.ancestor_id = {_CONCEPT} ORDER BY a.distance, a.concept_id""",
    {"concept": _ASKED_CONCEPT},
    columns={"distance": "fewest steps down from the concept, which is at 0"},
)

# Names are few beside mentions: those that lead to the concepts find the mentions, where the view
# would be made whole first. What context chose is looked for beside.
_PICKED = f"""WITH under AS (
  SELECT a.concept_id, l.linkset_id FROM concept_ancestors a JOIN {FIRST} l USING (release_id)
  WHERE a.ancestor_id = {_CONCEPT}
), said AS (
  SELECT DISTINCT lookup_text, label FROM name_links SEMI JOIN under USING (linkset_id, concept_id)
  WHERE rank = 1 AND status = 'linked'
), chosen AS (
  FROM mention_links SEMI JOIN under USING (linkset_id, concept_id)
), picked AS (
  SELECT m.* FROM mentions m SEMI JOIN said USING (lookup_text, label)
  UNION ALL
  SELECT m.* FROM mentions m SEMI JOIN chosen USING (document_id, annotation_id, mention_id)
    ANTI JOIN said USING (lookup_text, label)
)"""

ENTITIES_UNDER = Macro(
    "entities_under",
    "Rows of the view entities whose concept is a chosen one or narrower.",
    f"{_PICKED} SELECT {ENTITY_COLUMNS} "
    + ENTITY_JOINS.format(linksets=FIRST_LINKSET).replace("FROM mentions m", "FROM picked m")
    + "WHERE coalesce(ml.concept_id, n.concept_id) IN (SELECT concept_id FROM under)",
    {"concept": _ASKED_CONCEPT},
)

CONCEPTS_NAMED = Macro(
    "concepts_named",
    "Concepts of the current ontologies with words in one of their names, shortest name first.",
    """SELECT n.concept_id, c.concept_name, n.name, n.is_preferred, n.release_id
FROM concept_names n JOIN (FROM linksets WHERE is_current) l USING (release_id)
LEFT JOIN concepts c ON c.release_id = n.release_id AND c.concept_id = n.concept_id
WHERE contains(lower(n.name), lower(words))
ORDER BY length(n.name), n.name, n.concept_id, n.release_id""",
    {"words": "part of a name, whatever the case"},
)

# The names inside are none that a caller's column could have.
CONCEPT_NAME = Macro(
    "concept_name",
    "The preferred name of a concept in the current ontologies; null where they lack it.",
    """SELECT min(name_in_macro) FROM (SELECT c.concept_id AS id_in_macro,
  c.concept_name AS name_in_macro FROM concepts c
  SEMI JOIN (FROM linksets WHERE is_current) l USING (release_id)) WHERE id_in_macro = concept""",
    {"concept": "a concept_id"},
    is_table=False,
)

SPAN = Macro(
    "span",
    "The words of a text between two offsets as charthouse counts them.",
    "substr(body, start_char + 1, end_char - start_char)",
    {
        "body": "text of a document",
        "start_char": "first character, from 0",
        "end_char": "one past the last",
    },
    is_table=False,
)

SNIPPET = Macro(
    "snippet",
    "The same with the words around, on one line, the span in [[ ]].",
    """regexp_replace(
  substr(body, greatest(start_char - around, 0) + 1, start_char - greatest(start_char - around, 0))
  || '[[' || substr(body, start_char + 1, end_char - start_char) || ']]'
  || substr(body, end_char + 1, around), '\\s+', ' ', 'g')""",
    {**SPAN.parameters, "around": "so many characters on either side"},
    {"around": "40"},
    is_table=False,
)

MACROS = (
    ENTITIES_OF,
    MENTIONS_OF,
    LINKS_OF,
    CONCEPTS_UNDER,
    ENTITIES_UNDER,
    CONCEPTS_NAMED,
    CONCEPT_NAME,
    SPAN,
    SNIPPET,
)
