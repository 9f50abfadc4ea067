"""Pseudonyms: what the warehouse has in the place of ids, hashes and names of files under privacy.

A pseudonym is a keyed hash (HMAC-SHA-256): the same for the same person and secret in every corpus
and every warehouse, another one for every purpose, and nothing that ids can be tried on without the
secret. Everything after reading, from verdicts to tombstones, knows pseudonyms alone.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace

from flows.errors import CharthouseError
from flows.order import Order
from flows.readers.base import SourceFile
from flows.readers.pubmed import release_number
from nlp.privacy import PrivacyError
from nlp.privacy.key import keyed, read_key
from nlp.settings import PrivacySettings

DIGITS = 20
"""Hexadecimal digits of a pseudonym: of 36 million, two are the same once in two billion times."""

Row = dict[str, object]


@dataclass(frozen=True)
class Pseudonyms:
    """What hides whom; the secret shows in no representation.

    Attributes:
        settings: of privacy, switched on.
        version: what identifies the outcome of de-identification; the stored text hangs on it.
    """

    settings: PrivacySettings
    version: str
    _key: bytes = field(repr=False)

    def hide(self, row: Row) -> Row:
        """A row of :func:`flows.incoming.read_rows` with pseudonyms and keyed hashes.

        What is stored of a document hangs on its metadata as well (surrogates on the person, the
        title goes the text's way) and on the settings of privacy. So the source hash covers all
        of that: a document of which any of it changes is de-identified, and annotated, anew, and
        annotation sets of what was stored before do not stay beside it.

        Args:
            row: a document or a deletion; of a kind that is not to be searched it stays as it is.
        """
        if row["kind"] not in self.settings.kinds:
            return row
        hidden = dict(row)
        if not self.settings.keep_document_ids:
            corpus, native_id = str(row["corpus"]), str(row["native_id"])
            hidden["native_id"] = self.native_id(corpus, native_id)
            hidden["document_id"] = f"{corpus}:{hidden['native_id']}"
        if row["is_deleted"]:
            return hidden
        for column, give in (("person_id", self.person_id), ("encounter_id", self.encounter_id)):
            if row[column] is not None:
                hidden[column] = give(str(row[column]))
        parts = [self.version, row["source_hash"], row["metadata_hash"]]
        hidden["source_hash"] = keyed(self._key, "source", json.dumps(parts))
        hidden["metadata_hash"] = keyed(self._key, "metadata", str(row["metadata_hash"]))
        return hidden

    def native_id(self, corpus: str, native_id: str) -> str:
        """The pseudonym of a document's id in its source."""
        return "d-" + keyed(self._key, "document", f"{corpus}:{native_id}")[:DIGITS]

    def person_id(self, person_id: str) -> str:
        """The pseudonym of a person."""
        return "p-" + keyed(self._key, "person", person_id)[:DIGITS]

    def encounter_id(self, encounter_id: str) -> str:
        """The pseudonym of a visit."""
        return "e-" + keyed(self._key, "encounter", encounter_id)[:DIGITS]

    def document_id(self, document_id: str) -> str:
        """The document_id that the warehouse has for ``corpus:native_id`` of the source."""
        if self.settings.keep_document_ids:
            return document_id
        corpus, _, native_id = document_id.partition(":")
        return f"{corpus}:{self.native_id(corpus, native_id)}"

    def file(self, file: SourceFile) -> SourceFile:
        """The file under the name that the warehouse has for it.

        Release files are public and order themselves by their names: these keep them. So do all
        files where document ids are kept, since ids are often made of names.
        """
        if self.settings.keep_document_ids or release_number(file.path) is not None:
            return file
        return replace(file, alias="f-" + keyed(self._key, "file", file.place)[:DIGITS])

    def file_hash(self, sha256: str) -> str:
        """A hash of a file's content that nobody can try a text on."""
        return keyed(self._key, "content", sha256)


def pseudonyms(settings: PrivacySettings, version: str = "") -> Pseudonyms | None:
    """What the settings hide ids with; None where privacy is off.

    Raises:
        CharthouseError: there is no secret.
    """
    if not settings.is_on:
        return None
    try:
        return Pseudonyms(settings, version, read_key(settings))
    except PrivacyError as error:
        raise CharthouseError(str(error)) from None


def pseudonyms_of(order: Order) -> Pseudonyms | None:
    """The same, of a run."""
    version = json.loads(order.annotation.settings).get("privacy")
    return pseudonyms(order.settings.privacy, json.dumps(version, sort_keys=True))
