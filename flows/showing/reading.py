"""Reading a document from the warehouse with all that is shown of it."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from flows.showing.document import (
    Candidate,
    Cue,
    Link,
    Linkset,
    Provenance,
    ShownDocument,
    ShownMention,
    ShownSection,
    assertion_of,
)
from flows.showing.finding import find_annotation, find_document, find_linkset
from flows.warehouse.connection import Connection

_MENTIONS = """
SELECT m.mention_id, m.start_char, m.end_char, m.mention_text, m.lookup_text, m.label, m.score,
  m.model, s.name, m.sentence_id,
  m.negated, m.uncertain, m.historical, m.hypothetical, m.experiencer
FROM mentions m
LEFT JOIN sections s ON s.document_id = m.document_id AND s.annotation_id = m.annotation_id
  AND s.section_id = m.section_id
WHERE m.document_id = ? AND m.annotation_id = ?
ORDER BY m.start_char, m.end_char DESC, m.mention_id
"""

_CANDIDATES = """
SELECT n.lookup_text, n.label, n.status, n.rank, n.concept_id, c.concept_name, n.score, n.method,
  n.matched_name
FROM name_links n
LEFT JOIN concepts c ON c.release_id = $release AND c.concept_id = n.concept_id
WHERE n.linkset_id = $linkset AND (n.lookup_text, n.label) IN (
  SELECT (lookup_text, label) FROM mentions WHERE document_id = $document
    AND annotation_id = $annotation)
ORDER BY n.lookup_text, n.label, n.rank
"""

_CONTEXTUAL = """
SELECT l.mention_id, l.concept_id, c.concept_name, l.score, l.method
FROM mention_links l
LEFT JOIN concepts c ON c.release_id = $release AND c.concept_id = l.concept_id
WHERE l.linkset_id = $linkset AND l.document_id = $document AND l.annotation_id = $annotation
"""

_PROVENANCE = """
SELECT a.is_current, coalesce(s.models, []), (SELECT count(*) - 1 FROM document_annotations o
  WHERE o.document_id = a.document_id), a.run_id, r.status, r.started_at, a.source_hash
FROM document_annotations a
LEFT JOIN annotation_sets s ON s.annotation_id = a.annotation_id
LEFT JOIN runs r ON r.run_id = a.run_id
WHERE a.document_id = ? AND a.annotation_id = ?
"""

_UNASKED = Link(None, None, None, None, None, None)

Names = dict[tuple[str, str], tuple[str, tuple[Candidate, ...]]]


def read_document(
    connection: Connection,
    asked: str,
    *,
    annotation: str | None = None,
    linkset: str | None = None,
    ontology: str | None = None,
) -> ShownDocument:
    """A document with the mentions of one annotation set and the links of one linkset.

    Args:
        connection: the open warehouse.
        asked: a document_id, or a native id where one document alone has it.
        annotation: a run or annotation set; None for the current one.
        linkset: the start of a linkset_id; None for that of the first ontology.
        ontology: the start of a current ontology's name, or its position.

    Raises:
        CharthouseError: one of them is not in the warehouse, or fits several.
    """
    document_id = find_document(connection, asked)
    annotation_id = find_annotation(connection, document_id, annotation)
    chosen = find_linkset(connection, linkset, ontology)
    ((corpus, kind, document_type, day, title, text, source_hash, is_deleted),) = (
        connection.execute(
            "SELECT corpus, kind, document_type, document_date, title, text, source_hash, "
            "is_deleted FROM documents WHERE document_id = ?",
            [document_id],
        ).fetchall()
    )
    of_set = [document_id, annotation_id]
    sections = connection.execute(
        "SELECT name, start_char, end_char, heading_end_char FROM sections "
        "WHERE document_id = ? AND annotation_id = ? ORDER BY start_char, section_id",
        of_set,
    ).fetchall()
    sentences = connection.execute(
        "SELECT start_char, end_char FROM sentences "
        "WHERE document_id = ? AND annotation_id = ? ORDER BY sentence_id",
        of_set,
    ).fetchall()
    ((is_current, models, others, run_id, status, started, annotated),) = connection.execute(
        _PROVENANCE, of_set
    ).fetchall()
    return ShownDocument(
        document_id=document_id,
        corpus=corpus,
        kind=kind,
        document_type=document_type,
        document_date=day,
        title=title,
        text=text,
        is_deleted=is_deleted,
        sections=tuple(ShownSection(*row) for row in sections),
        sentences=tuple((start, end) for start, end in sentences),
        mentions=_mentions(
            connection, document_id, annotation_id, chosen, text if source_hash == annotated else ""
        ),
        provenance=Provenance(
            annotation_id=annotation_id,
            is_current=is_current,
            models=tuple(models),
            other_sets=others,
            run_id=run_id,
            run_status=status,
            run_started_at=started,
            source_hash=source_hash,
            annotated_hash=annotated,
            linkset=chosen,
        ),
    )


def _mentions(
    connection: Connection,
    document_id: str,
    annotation_id: str,
    linkset: Linkset | None,
    text: str | None,
) -> tuple[ShownMention, ...]:
    of_set = [document_id, annotation_id]
    names, contextual = _links(connection, document_id, annotation_id, linkset)
    cues: dict[int, list[Cue]] = defaultdict(list)
    for mention_id, attribute, rule, start, end in connection.execute(
        "SELECT mention_id, attribute, rule_id, start_char, end_char FROM assertion_cues "
        "WHERE document_id = ? AND annotation_id = ? ORDER BY ALL",
        of_set,
    ).fetchall():
        words = text[start:end] if text and start is not None else None
        cues[mention_id].append(Cue(attribute, rule, words))
    mentions = []
    for row in connection.execute(_MENTIONS, of_set).fetchall():
        mention_id, start, end, words, lookup_text, label, score, model, section = row[:9]
        link = _link(names.get((lookup_text, label)), contextual.get(mention_id))
        mentions.append(
            ShownMention(
                mention_id=mention_id,
                start_char=start,
                end_char=end,
                text=words,
                lookup_text=lookup_text,
                label=label,
                score=score,
                model=model,
                section=section,
                sentence_id=row[9],
                assertion=assertion_of(*row[10:]),
                link=link,
                cues=tuple(cues[mention_id]),
            )
        )
    return tuple(mentions)


def _links(
    connection: Connection, document_id: str, annotation_id: str, linkset: Linkset | None
) -> tuple[Names, dict[int, tuple[Any, ...]]]:
    """The candidates of each name of the document, and links that context chose by mention."""
    if linkset is None:
        return {}, {}
    given = {
        "release": linkset.release_id,
        "linkset": linkset.linkset_id,
        "document": document_id,
        "annotation": annotation_id,
    }
    names: Names = {}
    for lookup_text, label, status, *candidate in connection.execute(_CANDIDATES, given).fetchall():
        _, known = names.get((lookup_text, label), (status, ()))
        names[lookup_text, label] = status, (*known, Candidate(*candidate))
    contextual = {row[0]: row[1:] for row in connection.execute(_CONTEXTUAL, given).fetchall()}
    return names, contextual


def _link(
    name: tuple[str, tuple[Candidate, ...]] | None, contextual: tuple[Any, ...] | None
) -> Link:
    """As the view ``entities`` decides: what context chose, else the first of a linked name."""
    status, candidates = name or (None, ())
    if contextual is not None:
        concept_id, concept_name, score, method = contextual
        matched = next((c.matched_name for c in candidates if c.concept_id == concept_id), None)
        return Link(status, concept_id, concept_name, score, method, matched, candidates)
    if status == "linked":
        best = candidates[0]
        return Link(
            status,
            best.concept_id,
            best.concept_name,
            best.score,
            best.method,
            best.matched_name,
            candidates,
        )
    if status is None:
        return _UNASKED
    return Link(status, None, None, None, None, None, candidates)
