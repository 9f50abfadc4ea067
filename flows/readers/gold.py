"""Documents with the mentions that annotators marked, for evaluation and training."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from flows.errors import SourceError
from flows.readers.compression import open_binary
from flows.readers.drawn import Drawn

_MESH_ID = re.compile(r"[CD]\d+")
_SNIFFED_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class GoldMention:
    """One marked mention; ``document.text[start_char:end_char]`` is the span.

    ``mention_text`` is what the gold file itself says; ``concept_ids`` are CURIEs
    (``MESH:D003920``), empty where the annotators found no concept.
    """

    start_char: int
    end_char: int
    mention_text: str
    label: str
    concept_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class GoldRelation:
    """Two concepts that annotators related within a document.

    ``relation`` is the type as the file names it (``CID``); subject and object are CURIEs in the
    file's order.
    """

    relation: str
    subject: str
    object: str


@dataclass(frozen=True, slots=True)
class GoldDocument:
    """A text, its gold mentions in the file's order, and the relations between their concepts.

    ``document_id`` is the whole ``corpus:native_id`` where the file states it, as files that were
    drawn from a warehouse do; then ``drawn`` may say how. ``annotators`` has what each of several
    people marked, where ``mentions`` is what they agree on.
    """

    native_id: str
    text: str
    mentions: tuple[GoldMention, ...]
    relations: tuple[GoldRelation, ...] = ()
    document_id: str | None = None
    drawn: Drawn | None = None
    annotators: tuple[tuple[GoldMention, ...], ...] = ()


def read_gold_file(path: Path) -> Iterator[GoldDocument]:
    """Read a gold file, its form told by its content, whatever its name.

    Known are PubTator, BioC, IOB and the JSON export of Label Studio.

    The file's head is read at once, the documents as they are asked for.

    Raises:
        SourceError: the file is missing, empty or of no known form; later, a document that its
            form does not allow.
    """
    # The readers of the forms import this module.
    from flows.readers import bioc, iob, labelstudio, pubtator

    forms = {
        "pubtator": (pubtator.PUBTATOR.sniff, pubtator.read_gold),
        "bioc": (bioc.BIOC.sniff, bioc.read_gold),
        "labelstudio": (labelstudio.sniff, labelstudio.read_gold),
        "iob": (iob.IOB.sniff, iob.read_gold),
    }
    with open_binary(path) as stream:
        head = stream.read(_SNIFFED_BYTES)
    if not head.strip():
        raise SourceError(f"{path} is empty")
    for sniff, read_gold in forms.values():
        if sniff(head):
            return read_gold(path)
    raise SourceError(
        f"{path} holds no gold mentions in a known form",
        "Known are PubTator, BioC (XML and JSON), Label Studio's JSON and IOB (a token and its "
        "tag a line)",
    )


def related(relation: str, subjects: str, objects: str) -> tuple[GoldRelation, ...]:
    """A stated relation between concept ids; one for each pair where a side has several."""
    return tuple(
        GoldRelation(relation, subject, other)
        for subject in curies(subjects)
        for other in curies(objects)
    )


def curies(ids: str) -> tuple[str, ...]:
    """Concept ids as gold files state them, made CURIEs where they are MeSH's.

    Several (``D003110|D009369``, ``D010051+D010190``) become several; ``-`` and ``-1`` are none.
    """
    parts = (part.strip() for part in re.split(r"[|+,;]", ids))
    return tuple(
        f"MESH:{part}" if _MESH_ID.fullmatch(part) else part
        for part in parts
        if part and part not in {"-", "-1"}
    )
