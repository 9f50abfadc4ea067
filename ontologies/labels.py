"""Which concepts a mention label allows.

A label maps to prefixes of semantic type codes: MeSH tree branches (``C``, ``F03``), classes of
supplementary records (``SCR3``), UMLS semantic types (``T047``), OBO ontologies (``OBO:DOID``). A
prefix ends where a code does, or before a digit or a dot: ``C`` allows ``C14`` and not ``CL``. A
label that is not in the table restricts nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

UNTYPED = frozenset({"SCR1"})
"""Types that say nothing by themselves: supplementary records outside any branch. Class 1 is the
default of thin renderings of MeSH, so it does not prove a chemical."""

_CHEMICALS = (
    *("T103", "T104", "T109", "T110", "T114", "T116", "T120", "T121", "T122", "T123", "T125"),
    *("T126", "T127", "T129", "T130", "T131", "T192", "T195", "T196", "T197", "T200"),
)
_DISORDERS = (
    *("T019", "T020", "T033", "T037", "T046", "T047", "T048", "T049", "T184", "T190", "T191"),
)
_ORGANISMS = (
    *("T001", "T002", "T004", "T005", "T007", "T008", "T010", "T011", "T012", "T013", "T014"),
    *("T015", "T016", "T194", "T204"),
)
_ANATOMY = (
    *("T017", "T018", "T021", "T022", "T023", "T024", "T025", "T026", "T029", "T030", "T031"),
)

LABEL_TYPES: dict[str, tuple[str, ...]] = {
    "Disease": ("C", "F03", "SCR3", *_DISORDERS, "OBO:DOID", "OBO:HP", "OBO:MONDO"),
    "Chemical": ("D", "SCR1", *_CHEMICALS, "OBO:CHEBI"),
    "Gene": (
        *("D05", "D06", "D08", "D12", "D13", "D23"),
        *("T028", "T114", "T116", "T126", "T192", "OBO:HGNC", "OBO:PR"),
    ),
    "Species": ("B", "SCR4", *_ORGANISMS, "OBO:NCBITaxon"),
    # AnatEM counts tumours as anatomy.
    "Anatomy": ("A", "C04", "SCR6", *_ANATOMY, "T191", "OBO:UBERON"),
    "Cell": ("A11", "T025", "OBO:CL"),
    # Laboratory, diagnostic, therapeutic and surgical procedures; no models or devices (E05, E07).
    "Procedure": ("E01", "E02", "E03", "E04", "T059", "T060", "T061"),
    # Signs, symptoms and what examinations find.
    "Finding": ("C23", "T033", "T034", "T184", "OBO:HP"),
}
"""Label to prefixes of the semantic types it allows."""


def allowed_types(label: str, labels: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    """Type prefixes for a label, sorted; empty if the label restricts nothing.

    Labels are compared without case: models write ``DISEASE`` and ``Disease``.
    """
    wanted = label.casefold()
    prefixes = {p for name, types in labels.items() if name.casefold() == wanted for p in types}
    return tuple(sorted(prefixes))


def is_allowed(code: str, prefixes: Collection[str]) -> bool:
    """Whether a semantic type code has one of the prefixes."""
    return any(
        code.startswith(prefix) and not code[len(prefix) : len(prefix) + 1].isalpha()
        for prefix in prefixes
    )
