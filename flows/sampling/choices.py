"""What a user chooses of a sample."""

from __future__ import annotations

from enum import StrEnum


class Form(StrEnum):
    """How a sample is written."""

    pubtator = "pubtator"
    labelstudio = "labelstudio"


class Strategy(StrEnum):
    """How documents are chosen."""

    random = "random"
    uncertain = "uncertain"
    unlinked = "unlinked"


class Stratum(StrEnum):
    """A column whose shares a random sample keeps."""

    corpus = "corpus"
    kind = "kind"
    year = "year"
