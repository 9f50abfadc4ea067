"""Which label a concept's mentions get, by its semantic types.

``ontologies.labels.LABEL_TYPES`` says which types a label allows when names are linked; a type
there may belong to several labels. A mention has one, so here every type has one: the first row of
``TYPE_LABELS`` that has a prefix of it. A concept of several types gets, of their labels, the one
that is first in ``LABEL_ORDER``.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
import numpy.typing as npt
import polars as pl

from ontologies.labels import LABEL_TYPES, UNTYPED, is_allowed
from ontologies.store import ConceptStore

LABEL_ORDER = (
    "Disease",
    "Finding",
    "Procedure",
    "Chemical",
    "Gene",
    "Species",
    "Cell",
    "Anatomy",
)
"""What is wrong with a patient comes first: pain is a disease of the nervous system (C10), a sign
(C23) and a sensation. A hormone or a drug that is a protein is a chemical."""

TYPE_LABELS: tuple[tuple[str, tuple[str, ...]], ...] = (
    # Roles, forms and kinds of substances: analgesics, tablets and antigens are no substance.
    ("", ("D23", "D25", "D26", "D27")),
    ("Finding", LABEL_TYPES["Finding"]),
    ("Cell", LABEL_TYPES["Cell"]),
    ("Gene", ("D08", "D12", "T028", "T116", "T123", "T126", "T192", "OBO:HGNC", "OBO:PR")),
    *LABEL_TYPES.items(),
)
"""Label and the prefixes of the types that are its own; no label for those that name nothing."""

_SMALL_MOLECULES = ("D12.125", "D12.644")
"""Amino acids and peptides, by tree number: MeSH's D12 has them in one branch with the proteins."""

NO_LABEL = -1


def type_label(code: str) -> int:
    """Position in ``LABEL_ORDER`` of a type's label; ``NO_LABEL`` where it has none."""
    if code in UNTYPED:
        return NO_LABEL
    for label, prefixes in TYPE_LABELS:
        if is_allowed(code, prefixes):
            return LABEL_ORDER.index(label) if label else NO_LABEL
    return NO_LABEL


def concept_labels(
    store: ConceptStore, labels: Collection[str] = (), types: Sequence[str] = ()
) -> npt.NDArray[np.int8]:
    """For each concept of a store the position of its label in ``LABEL_ORDER``, or ``NO_LABEL``.

    Args:
        store: whose concepts.
        labels: the labels that are wanted; none for all. Others become ``NO_LABEL``.
        types: prefixes of semantic types; concepts without any such type become ``NO_LABEL``. None
            for all.
    """
    codes = store.release.semantic_types
    last = len(LABEL_ORDER)
    # Past the last label stands for none, so that the least of a concept's types decides.
    of_type = np.array([number if number >= 0 else last for number in map(type_label, codes)])
    wanted = np.array([not types or is_allowed(code, types) for code in codes], dtype=np.bool_)
    count = len(store.concepts.identifier)
    concept = np.repeat(np.arange(count), np.diff(store.concepts.type_start))
    found = np.full(count, last, dtype=np.int8)
    kept = np.zeros(count, dtype=np.bool_)
    if len(codes):
        np.minimum.at(found, concept, of_type[store.concepts.type_code].astype(np.int8))
        kept[concept[wanted[store.concepts.type_code]]] = True
    if "D12" in codes:
        small = _is_small_molecule(store)
        found[small] = np.minimum(found[small], LABEL_ORDER.index("Chemical"))
    for number, label in enumerate(LABEL_ORDER):
        if labels and label not in labels:
            found[found == number] = last
    found[(found == last) | ~kept] = NO_LABEL
    return found


def _is_small_molecule(store: ConceptStore) -> npt.NDArray[np.bool_]:
    """For each concept whether it stands in one of the branches ``_SMALL_MOLECULES``."""
    numbers = pl.read_parquet(store.table_path("concepts"), columns=["tree_numbers"])
    within = pl.element().str.starts_with(_SMALL_MOLECULES[0])
    for prefix in _SMALL_MOLECULES[1:]:
        within |= pl.element().str.starts_with(prefix)
    return numbers["tree_numbers"].list.eval(within.any()).list.first().fill_null(False).to_numpy()
