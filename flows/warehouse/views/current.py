"""Tables as they stand now: of the current annotation set, linksets and ontology releases."""

from __future__ import annotations

from flows.warehouse.views.view import View
from nlp.schema import ANNOTATION_TABLES
from ontologies.schema import CONCEPT_ANCESTORS, CONCEPT_NAMES, CONCEPTS

_DOCUMENTS = View(
    "current_documents",
    "Documents that their source has not withdrawn.",
    "SELECT * FROM documents WHERE NOT is_deleted",
)

_ANNOTATIONS = tuple(
    View(
        f"current_{table.name}",
        f"{table.name} of each document's current annotation set.",
        f"SELECT t.* FROM {table.name} t SEMI JOIN (FROM document_annotations WHERE is_current) a "
        "ON a.document_id = t.document_id AND a.annotation_id = t.annotation_id",
    )
    for table in ANNOTATION_TABLES
)

_NAME_LINKS = View(
    "current_name_links",
    "name_links of the current linksets.",
    "SELECT t.* FROM name_links t SEMI JOIN (FROM linksets WHERE is_current) l USING (linkset_id)",
)

_ONTOLOGIES = tuple(
    View(
        f"current_{table.name}",
        f"{table.name} of the releases that the current linksets link to.",
        f"SELECT t.* FROM {table.name} t SEMI JOIN (FROM linksets WHERE is_current) l "
        "USING (release_id)",
    )
    for table in (CONCEPTS, CONCEPT_NAMES, CONCEPT_ANCESTORS)
)

CURRENT_VIEWS = (_DOCUMENTS, *_ANNOTATIONS, _NAME_LINKS, *_ONTOLOGIES)
