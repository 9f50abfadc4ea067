"""charthouse's linker, whole and with one stage after the other switched off."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from unittest.mock import patch

from flows.evaluating.links import Name, link_documents
from flows.progress import Reporter
from linkers.mentions import DEFINED, READ, WRITTEN, Case, Group, accuracy
from ontologies import linker, steps
from ontologies.linker import LinkSettings
from ontologies.steps import Step
from ontologies.store import ConceptStore

Kept = Callable[[Step], bool]

STAGES: dict[str, Kept] = {
    "equivalents": lambda step: step.method == "equivalent",
    "reduced forms": lambda step: step.level == "reduced",
    "parts": lambda step: step.method == "part",
    "broader names": lambda step: step.method == "broader",
    "all of these four": lambda step: step.method != "exact" or step.level == "reduced",
    "all exact steps but the normal form": lambda step: step != steps.STEPS[0],
}
"""Steps of ``ontologies/steps.py`` to switch off together."""


@contextmanager
def without_steps(dropped: Kept) -> Iterator[None]:
    """Within it the linker has no step that is ``dropped``. For measuring only: no setting."""
    kept = tuple(step for step in steps.STEPS if not dropped(step))
    with patch.object(steps, "STEPS", kept), patch.object(linker, "STEPS", kept):
        yield


def link_cases(
    store: ConceptStore, cases: Sequence[Case], way: str, settings: LinkSettings
) -> list[str | None]:
    """The first candidate of each mention, named in one way, whatever its status."""
    return [ranked[0] if ranked else None for ranked in rank_cases(store, cases, way, settings)]


def rank_cases(
    store: ConceptStore, cases: Sequence[Case], way: str, settings: LinkSettings
) -> list[list[str]]:
    """The candidates of each mention, named in one way, whatever its status."""
    documents: dict[str, list[tuple[Name, str]]] = {}
    for case in cases:
        # The words around count with an encoder only, and none is set here.
        documents.setdefault(case.document_id, []).append(((case.names[way], case.label), ""))
    with Reporter("linking", None, quiet=True) as reporter:
        links = link_documents(store, documents, settings, reporter)
    at = {document_id: iter(its) for document_id, its in links.items()}
    found = (next(at[case.document_id]) for case in cases)
    return [[candidate.concept_id for candidate in link.candidates] for link in found]


def ablation(
    store: ConceptStore, cases: Sequence[Case], progress: Callable[[str], None]
) -> list[tuple[str, dict[Group, float]]]:
    """Accuracy of the whole linker, then without each of its stages."""
    whole, alone = LinkSettings(), LinkSettings(context=False)

    def judged(way: str, settings: LinkSettings) -> dict[Group, float]:
        return accuracy(cases, link_cases(store, cases, way, settings))

    rows = [("all stages", judged(READ, whole))]
    for what, dropped in STAGES.items():
        progress(f"without {what}")
        with without_steps(dropped):
            rows.append((f"without {what}", judged(READ, whole)))
    rows += [
        ("without context", judged(READ, alone)),
        ("without reading long forms by other mentions", judged(DEFINED, whole)),
        ("without any long forms", judged(WRITTEN, whole)),
        ("without context and long forms", judged(WRITTEN, alone)),
    ]
    return rows
