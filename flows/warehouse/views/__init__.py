"""The views of a warehouse, in the order in which they can be made."""

from __future__ import annotations

from flows.warehouse.views.concepts import CONCEPT_VIEWS
from flows.warehouse.views.current import CURRENT_VIEWS
from flows.warehouse.views.diffs import DIFFS_LATEST
from flows.warehouse.views.entities import (
    ENTITIES,
    ENTITIES_ALL,
    ENTITY_JOINS,
    ENTITY_VIEWS,
    FIRST_LINKSET,
    GENERATIONS_CURRENT,
    RELATION_ENTITIES,
)
from flows.warehouse.views.names import NAME_VIEWS
from flows.warehouse.views.persons import PERSON_VIEWS
from flows.warehouse.views.quality import QUALITY_VIEWS
from flows.warehouse.views.view import View

VIEWS = (
    *ENTITY_VIEWS,
    *CURRENT_VIEWS,
    *CONCEPT_VIEWS,
    *PERSON_VIEWS,
    *NAME_VIEWS,
    *QUALITY_VIEWS,
    DIFFS_LATEST,
)
"""In the order in which they can be made."""

__all__ = [
    "ENTITIES",
    "ENTITIES_ALL",
    "ENTITY_JOINS",
    "FIRST_LINKSET",
    "GENERATIONS_CURRENT",
    "RELATION_ENTITIES",
    "VIEWS",
    "View",
]
