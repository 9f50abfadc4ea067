"""The sections of a report, in the order in which they stand."""

from __future__ import annotations

from collections.abc import Callable

from flows.reporting.context import Context
from flows.reporting.section import Section
from flows.reporting.sections.concepts import concepts
from flows.reporting.sections.corpora import corpora
from flows.reporting.sections.evaluations import evaluations
from flows.reporting.sections.labels import labels
from flows.reporting.sections.links import links
from flows.reporting.sections.quality import quality
from flows.reporting.sections.rejects import rejects
from flows.reporting.sections.runs import runs
from flows.reporting.sections.throughput import throughput
from flows.reporting.sections.together import together
from flows.reporting.sections.tree import tree
from flows.reporting.sections.unlinked import unlinked

SECTIONS: tuple[Callable[[Context], Section], ...] = (
    corpora,
    concepts,
    tree,
    together,
    labels,
    links,
    unlinked,
    quality,
    evaluations,
    runs,
    throughput,
    rejects,
)
"""First what the documents say, then how far to trust it, then how it was made."""
