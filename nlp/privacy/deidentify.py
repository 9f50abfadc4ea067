"""De-identification of documents: what comes out is what is stored and annotated."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import polars as pl

from nlp.privacy.key import read_key
from nlp.schema import PRIVACY_SPANS
from nlp.settings import PrivacySettings

if TYPE_CHECKING:
    from nlp.ner.device import Device


@dataclass(frozen=True)
class Deidentified:
    """Documents as they may be stored, and where something was replaced.

    Attributes:
        documents: the frame that was given, row by row, with text, title, sections, metadata and
            document_date replaced; without the rows that failed.
        spans: rows of ``privacy_spans`` without annotation_id, offsets in the new columns.
        failed: row in the frame that was given to the kind of the error; never its message.
    """

    documents: pl.DataFrame
    spans: pl.DataFrame
    failed: dict[int, str] = field(default_factory=dict)


class Deidentifier:
    """Rules, surrogates and models, loaded once per process."""

    def __init__(self, settings: PrivacySettings, device: Device) -> None:
        """Load everything.

        Raises:
            PrivacyError: the secret, a list or a model cannot be used.
            ModelError: a model cannot be loaded.
        """
        self._settings = settings
        self._key = read_key(settings)

    def deidentify(self, documents: pl.DataFrame) -> Deidentified:
        """Find identifiers in text, title and metadata and put masks or surrogates in their place.

        ``person_id`` (already a pseudonym; null = nobody in particular) says whose surrogates and
        date shift a document gets. Documents of kinds that are not to be searched are returned as
        they are.

        Args:
            documents: with columns document_id, kind, title, text, sections, metadata,
                document_date and person_id, and others, which are kept as they are.
        """
        return Deidentified(documents, PRIVACY_SPANS.empty().drop("annotation_id"))


def privacy_fingerprint(settings: PrivacySettings) -> dict[str, object]:
    """What identifies the outcome: mode, versions, hashes of lists and models, and of the secret.

    Raises:
        PrivacyError: the secret, a list or a model cannot be used.
        ModelError: a model cannot be found.
    """
    return {"mode": settings.mode}
