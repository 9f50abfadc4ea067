"""The forms of names that the indexes are made from, computed once for all of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ontologies.exact import LEVELS, hash_forms
from ontologies.normalise import folded_text, normal_form
from ontologies.texts import TextRows, text_rows


@dataclass(frozen=True)
class NameForms:
    """The forms of some names.

    Attributes:
        normal: normal forms.
        folded: folded texts of the normal forms.
        hashes: of the forms at each exact level, shape (levels, names, 2), uint64.
    """

    normal: TextRows
    folded: TextRows
    hashes: npt.NDArray[np.uint64]


def forms_of(names: Sequence[str]) -> NameForms:
    """All forms of names as a release writes them."""
    normal = [normal_form(name) for name in names]
    return NameForms(
        normal=text_rows(normal),
        folded=text_rows([folded_text(form) for form in normal]),
        hashes=np.stack([hash_forms([level.form(form) for form in normal]) for level in LEVELS]),
    )
