"""De-identification of documents: what comes out is what is stored and annotated."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any

import polars as pl

from nlp.ner.errors import DeviceError
from nlp.ner.source import find_model, model_fingerprint
from nlp.privacy import PRIVACY_VERSION
from nlp.privacy.finder import Finder
from nlp.privacy.finding import Finding
from nlp.privacy.key import keyed, read_key
from nlp.privacy.listed import list_hash
from nlp.privacy.masks import label_mask, same_length_mask
from nlp.privacy.metadata import read_metadata, rewrite_metadata
from nlp.privacy.own_texts import DOCUMENT_TYPE, own_texts
from nlp.privacy.replace import replace_findings
from nlp.privacy.rules import rules_hash
from nlp.privacy.section_names import known_name, move_sections
from nlp.privacy.surrogates import Surrogates
from nlp.schema import PRIVACY_SPANS
from nlp.settings import PrivacySettings

if TYPE_CHECKING:
    from nlp.ner.device import Device

Row = dict[str, Any]
Substitute = Callable[[str, str], str]

_REPLACED = ("title", "text", "sections", "metadata", "document_date")

_EMPTY = "{}"


@dataclass(frozen=True)
class Deidentified:
    """Documents as they may be stored, and where something was replaced.

    Attributes:
        documents: the frame that was given, row by row, with text, title, sections, metadata,
            document_date and document_type replaced; without the rows that failed.
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
        self._finder = Finder(settings, device)

    def deidentify(self, documents: pl.DataFrame) -> Deidentified:
        """Find identifiers in text, title and metadata and put masks or surrogates in their place.

        ``person_id`` (already a pseudonym) says whose surrogates and date shift a document gets;
        one without it has its own. Documents of kinds that are not to be searched are returned as
        they are. Masking leaves the year of ``document_date``, as its first day; surrogates shift
        it.

        Args:
            documents: with columns document_id, kind, title, text, sections, metadata,
                document_date and person_id, and others, which are kept as they are; a
                document_type is searched, too.

        Raises:
            DeviceError: a model's forward pass failed, which no document is to blame for.
        """
        replaced = (*_REPLACED, *((DOCUMENT_TYPE,) if DOCUMENT_TYPE in documents.columns else ()))
        names = ("document_id", "kind", "person_id", *replaced)
        rows = documents.select(names).to_dicts()
        failed: dict[int, str] = {}
        spans: list[Row] = []
        modelled = self._by_models(rows)
        for index, row in enumerate(rows):
            if row["kind"] not in self._settings.kinds:
                continue
            try:
                new, found = self._one(row, modelled.get(index, []))
            except Exception as error:  # whatever a document provokes; the message may quote it
                failed[index] = type(error).__name__
            else:
                rows[index] = row | new
                spans += found
        kept = [index for index in range(len(rows)) if index not in failed]
        columns = [
            pl.Series(name, [rows[i][name] for i in kept], dtype=documents.schema[name])
            for name in replaced
        ]
        schema = {n: t for n, t in PRIVACY_SPANS.schema.items() if n != "annotation_id"}
        return Deidentified(
            documents[kept].with_columns(columns), pl.DataFrame(spans, schema=schema), failed
        )

    def _by_models(self, rows: Sequence[Row]) -> dict[int, list[list[Finding]]]:
        """What models find in the texts of each row that is to be searched, all rows at once."""
        if not self._settings.models:
            return {}
        texts: list[str] = []
        parts: dict[int, range] = {}
        for index, row in enumerate(rows):
            if row["kind"] not in self._settings.kinds:
                continue
            try:
                own = self._texts(row)
            except ValueError:  # it fails again where it is caught
                continue
            parts[index] = range(len(texts), len(texts) + len(own))
            texts += own
        found = self._find_each(texts)
        return {
            index: [found[number] for number in numbers]
            for index, numbers in parts.items()
            if all(number in found for number in numbers)
        }

    def _find_each(self, texts: Sequence[str]) -> Mapping[int, list[Finding]]:
        """What models find, by number of the text; one by one where a text stops them all."""
        try:
            return dict(enumerate(self._finder.find_by_models(texts)))
        except DeviceError:
            raise
        except Exception:
            found = {}
            for number, text in enumerate(texts):
                try:
                    found[number] = self._finder.find_by_models([text])[0]
                except DeviceError:
                    raise
                except Exception:  # its document is looked at again, and fails there
                    continue
            return found

    def _texts(self, row: Row) -> list[str]:
        """The texts of a row that are searched, those of the metadata last."""
        return [*own_texts(row), *read_metadata(row["metadata"]).strings]

    def _one(self, row: Row, modelled: Sequence[Sequence[Finding]]) -> tuple[Row, list[Row]]:
        metadata = read_metadata(row["metadata"])
        own = own_texts(row)
        texts = [*own, *metadata.strings]
        if self._settings.models and not modelled:
            modelled = self._finder.find_by_models(texts)  # raises what stopped it
        found = self._finder.find_in_document(
            texts,
            further=modelled or None,
            known_names=metadata.names,
            literals=metadata.literals,
        )
        surrogates = self._surrogates(row)
        substitute = self._substitute(surrogates)
        text, title, kind, *names = (
            replace_findings(old, findings, substitute)
            for old, findings in zip(own, found[: len(own)], strict=True)
        )
        dropped = self._settings.mode == "drop_text"
        sections = [
            known_name(name) if dropped else new.text
            for name, new in zip(own[3:], names, strict=True)
        ]
        new: Row = {
            "text": text.text if row["text"] is not None else None,
            "sections": move_sections(row["sections"], text, sections),
            "document_date": self._date(row["document_date"], surrogates),
            "title": None,
            "metadata": _EMPTY,
        }
        spans = [("text", span) for span in text.spans]
        if not dropped:
            written, in_metadata = rewrite_metadata(metadata, found[len(own) :], substitute)
            new["title"] = title.text if row["title"] is not None else None
            new["metadata"] = written if row["metadata"] is not None else None
            spans += [("title", span) for span in title.spans]
            spans += [("metadata", span) for span in in_metadata]
        if row.get(DOCUMENT_TYPE) is not None:
            new[DOCUMENT_TYPE] = kind.text
            spans += [(DOCUMENT_TYPE, span) for span in kind.spans]
        return new, [
            {
                "document_id": row["document_id"],
                "span_id": number,
                "field": column,
                "kind": span.kind,
                "start_char": span.start,
                "end_char": span.end,
                "rule_id": span.rule_id,
            }
            for number, (column, span) in enumerate(spans)
        ]

    def _surrogates(self, row: Row) -> Surrogates:
        person = row["person_id"]
        owner = f"person\0{person}" if person is not None else f"document\0{row['document_id']}"
        return Surrogates(self._key, owner)

    def _substitute(self, surrogates: Surrogates) -> Substitute:
        if self._settings.mode == "surrogate":
            return surrogates.value
        if self._settings.mode == "drop_text" or self._settings.mask_length == "same":
            return same_length_mask
        return label_mask

    def _date(self, day: date | None, surrogates: Surrogates) -> date | None:
        if day is None:
            return None
        return (
            surrogates.shift(day)
            if self._settings.mode == "surrogate"
            else day.replace(month=1, day=1)
        )


def privacy_fingerprint(settings: PrivacySettings) -> dict[str, object]:
    """What identifies the outcome: mode, versions, hashes of lists and models, and of the secret.

    Raises:
        PrivacyError: the secret, a list or a model cannot be used.
        ModelError: a model cannot be found.
    """
    return {
        "version": PRIVACY_VERSION,
        "mode": settings.mode,
        "kinds": sorted(settings.kinds),
        "mask_length": settings.mask_length,
        "rules": rules_hash(),
        "names": list_hash(settings.names),
        "models": [model_fingerprint(find_model(name)) for name in settings.models],
        "secret": hashlib.sha256(keyed(read_key(settings), "fingerprint", "").encode()).hexdigest(),
    }
