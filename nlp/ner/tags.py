"""BIO tags: their names, the moves between them, and how a model's label names are read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nlp.ner.errors import ModelError

OUTSIDE = "O"
FORBIDDEN = -1e9
"""Log score of a forbidden move; finite, so that sums stay finite."""


@dataclass(frozen=True)
class TagSet:
    """The tags of one classifier in the order of its logits.

    ``prefixes[i]`` is ``B``, ``I`` or ``O``; ``labels[i]`` the entity label, ``""`` for O.
    """

    prefixes: tuple[str, ...]
    labels: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.prefixes)

    @property
    def entity_labels(self) -> tuple[str, ...]:
        """The distinct entity labels, sorted."""
        return tuple(sorted({label for label in self.labels if label}))

    @property
    def names(self) -> tuple[str, ...]:
        """Tag names such as ``B-Chemical``, in the order of the logits."""
        pairs = zip(self.prefixes, self.labels, strict=True)
        return tuple(f"{prefix}-{label}" if label else OUTSIDE for prefix, label in pairs)

    @property
    def first_seen_labels(self) -> tuple[str, ...]:
        """The distinct entity labels, in the order of the tags."""
        return tuple(dict.fromkeys(label for label in self.labels if label))

    def _needs_begin(self) -> list[bool]:
        """Per tag: an I whose label has a B too. Labels of an IO scheme have none."""
        begun = {label for p, label in zip(self.prefixes, self.labels, strict=True) if p == "B"}
        return [
            p == "I" and label in begun for p, label in zip(self.prefixes, self.labels, strict=True)
        ]

    def start_scores(self) -> NDArray[np.float32]:
        """Log score of each tag at the first word, shape (tags,): no I without its B."""
        return np.array([FORBIDDEN if n else 0.0 for n in self._needs_begin()], dtype=np.float32)

    def transition_scores(self) -> NDArray[np.float32]:
        """Log score of each move, shape (tags, tags), rows from, columns to.

        I-X may follow only B-X or I-X (IOB2, Tjong Kim Sang and Veenstra 1999).
        """
        size = len(self)
        scores = np.zeros((size, size), dtype=np.float32)
        for to, needs_begin in enumerate(self._needs_begin()):
            for origin in range(size):
                if needs_begin and self.labels[origin] != self.labels[to]:
                    scores[origin, to] = FORBIDDEN
        return scores


def bio_tags(labels: Sequence[str]) -> list[str]:
    """The tag names of a BIO classifier: O, then B- and I- of each label in the given order."""
    return [OUTSIDE, *(f"{prefix}-{label}" for label in labels for prefix in ("B", "I"))]


def read_tags(
    id2label: Mapping[int, str],
    label_map: Mapping[str, str] | None = None,
    *,
    model: str = "",
    require_label: bool = True,
) -> TagSet:
    """Read a model's ``id2label`` as BIO tags and rename its labels.

    Args:
        id2label: logit index to tag name such as ``B-Chemical``.
        label_map: model label to our label; labels it does not name are kept, labels mapped to
            the empty string are dropped (read as O).
        model: the model's name, for error messages.
        require_label: refuse tags of which none names a label.

    Raises:
        ModelError: the tags carry no B- or I- prefixes, or the head's names were never set
            (``LABEL_0`` ...).
    """
    names = [id2label[index] for index in range(len(id2label))]
    if all(name.startswith("LABEL_") for name in names):
        raise ModelError(
            f"model {model}: its tags have no names (LABEL_0 ...); it is no trained token "
            "classifier, or its config.json lacks id2label"
        )
    prefixes, labels = [], []
    for name in names:
        prefix, dash, label = name.partition("-")
        if not dash:
            prefix, label = ("O", "") if name.upper() in {"O", "0", "OUTSIDE"} else ("I", name)
        elif prefix in {"S", "U"}:
            prefix = "B"
        elif prefix in {"E", "L", "M"}:
            prefix = "I"
        elif prefix not in {"B", "I"}:
            raise ModelError(f"model {model}: tag {name} is neither O nor B-, I- of a label")
        label = (label_map or {}).get(label, label)
        prefixes.append(prefix if label else "O")
        labels.append(label)
    if require_label and not any(labels):
        raise ModelError(f"model {model}: no tag names an entity label; check the label map")
    return TagSet(tuple(prefixes), tuple(labels))
