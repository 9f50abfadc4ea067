"""The queries that make rows of ``note`` and ``note_nlp``."""

from __future__ import annotations

from flows import __version__
from flows.exporting.documents import RULED_OUT
from flows.exporting.omop.ids import IDS
from flows.exporting.omop.vocabulary import CONCEPT_MAP
from flows.exporting.selection import SELECTED
from flows.warehouse.ddl import literal
from flows.warehouse.views import ENTITY_JOINS, FIRST_LINKSET

UNKNOWN_DATE = "1970-01-01"
"""``note_date`` may not be null: that of documents without a date."""

EHR_NOTE, NO_CONCEPT, UTF_8, ENGLISH = 32831, 0, 32678, 4180186
"""Concepts of OHDSI's vocabulary: type of a note, no matching concept, encoding, language."""

_SNIPPET_CHARACTERS = 250


NOTES, MENTIONS = "memory.main.narrow_notes", "memory.main.narrow_mentions"
"""What goes to the tables but for texts, sorted by the place of the document."""

PLACES_AT_ONCE = 10_000


def narrow_notes() -> str:
    """The query of :data:`NOTES`: place, and the ids of note, person and visit."""
    return f"""
        SELECT s.place, n.first AS note_id, coalesce(p.first, 0) AS person_id, v.first AS visit_id
        FROM {SELECTED} s JOIN documents d ON d.rowid = s.place
        JOIN {IDS} n ON n.kind = 'note' AND n.key = d.document_id
        LEFT JOIN {IDS} p ON p.kind = 'person' AND p.key = d.person_id
        LEFT JOIN {IDS} v ON v.kind = 'visit' AND v.key = d.encounter_id
        ORDER BY s.place
    """


def note_rows(first: int, *, with_text: bool) -> str:
    """The query of table ``note`` for documents at ``first`` and the next places.

    Without text ``note_text`` is empty and there is no title.
    """
    title, text = ("left(d.title, 250)", "coalesce(d.text, '')") if with_text else ("NULL", "''")
    return f"""
        SELECT w.note_id, w.person_id, coalesce(d.document_date, DATE '{UNKNOWN_DATE}'),
          d.document_date::TIMESTAMP, {EHR_NOTE}, {NO_CONCEPT}, {_clean(title)}, {_no_zero(text)},
          {UTF_8}, {ENGLISH}, NULL, w.visit_id, NULL, left(d.native_id, 50), NULL, NULL
        FROM {NOTES} w JOIN documents d ON d.rowid = w.place WHERE {_at(first)}
    """


def narrow_mentions() -> str:
    """The query of :data:`MENTIONS`: columns of ``note_nlp`` but the snippet, and the span.

    ``term_exists`` follows the conventions of the CDM: N where the mention is denied, conditional,
    ruled out or not the patient's, Y without any of that, low certainty included. What was not
    assessed has no modifier; without any assessment ``term_exists`` and ``term_temporal`` are null.
    """
    system = literal(f"charthouse {__version__}; ")
    return f"""
        SELECT e.place, m.start_char, m.end_char,
          i.first + m.mention_id AS note_nlp_id, k.first AS note_id,
          coalesce(x.concept_id, 0) AS section_concept_id,
          {_clean("left(coalesce(m.mention_text, m.lookup_text, c.concept_name), 250)")}
            AS lexical_variant,
          coalesce(o.concept_id, 0) AS note_nlp_concept_id,
          coalesce(o.source_concept_id, 0) AS note_nlp_source_concept_id,
          left({system} || m.model || '; annotation set ' || m.annotation_id, 250) AS nlp_system,
          coalesce(h.loaded_at, r.started_at, t.created_at, now()::TIMESTAMP) AS nlp_datetime,
          CASE WHEN m.negated OR m.hypothetical OR m.experiencer != 'patient'
                 OR q.document_id IS NOT NULL THEN 'N'
               WHEN m.negated IS NULL AND m.hypothetical IS NULL AND m.experiencer IS NULL
               THEN NULL ELSE 'Y' END AS term_exists,
          CASE WHEN m.hypothetical THEN 'Future' WHEN m.historical THEN 'Past'
               WHEN m.historical IS NULL THEN NULL ELSE 'Present' END AS term_temporal,
          nullif(concat_ws(',',
            'negated=' || CASE WHEN m.negated THEN 'yes' WHEN NOT m.negated THEN 'no' END,
            'subject=' || m.experiencer,
            'certainty=' ||
              CASE WHEN m.uncertain THEN 'uncertain' WHEN NOT m.uncertain THEN 'certain' END,
            'conditional=' || m.hypothetical), '') AS term_modifiers
        {ENTITY_JOINS.format(linksets=FIRST_LINKSET)}
        JOIN {SELECTED} e ON e.document_id = m.document_id AND e.annotation_id = m.annotation_id
        JOIN {IDS} k ON k.kind = 'note' AND k.key = m.document_id
        JOIN {IDS} i ON i.kind = 'mentions' AND i.key = m.document_id
          AND i.version = m.annotation_id || ' ' || e.source_hash
        LEFT JOIN {CONCEPT_MAP} x ON x.source = 'LOINC:' || s.loinc_code
        LEFT JOIN {CONCEPT_MAP} o ON o.source = coalesce(ml.concept_id, n.concept_id)
        LEFT JOIN shards h ON h.shard_id = e.shard_id
        LEFT JOIN runs r ON r.run_id = e.run_id
        LEFT JOIN annotation_sets t ON t.annotation_id = m.annotation_id
        LEFT JOIN (SELECT DISTINCT document_id, annotation_id, mention_id FROM assertion_cues
                   WHERE attribute = 'uncertain'
                   AND contains(rule_id, '{RULED_OUT}')) q
          ON q.document_id = m.document_id AND q.annotation_id = m.annotation_id
          AND q.mention_id = m.mention_id
        ORDER BY e.place, note_nlp_id
    """


def note_nlp_rows(first: int, *, snippets: bool) -> str:
    """The query of table ``note_nlp`` for documents at ``first`` and the next places."""
    snippet = _snippet() if snippets else "NULL"
    return f"""
        SELECT w.note_nlp_id, w.note_id, w.section_concept_id, {snippet}, w.start_char::VARCHAR,
          w.lexical_variant, w.note_nlp_concept_id, w.note_nlp_source_concept_id, w.nlp_system,
          w.nlp_datetime::DATE, w.nlp_datetime, w.term_exists, w.term_temporal, w.term_modifiers
        FROM {MENTIONS} w JOIN documents d ON d.rowid = w.place WHERE {_at(first)}
    """


def _at(first: int) -> str:
    end = first + PLACES_AT_ONCE
    places = ("w.place", "d.rowid")
    return " AND ".join(f"{place} >= {first} AND {place} < {end}" for place in places)


def _snippet() -> str:
    """250 characters with the mention in their middle, white space as single blanks."""
    room = f"greatest(0, ({_SNIPPET_CHARACTERS} - (w.end_char - w.start_char)) // 2)"
    start = f"greatest(0, w.start_char - {room})"
    return _clean(f"substr(d.text, {start} + 1, {_SNIPPET_CHARACTERS})")


def _clean(text: str) -> str:
    """Line ends and tabs made blanks, one for one: loaders of CSV stumble over them."""
    return f"translate({_no_zero(text)}, chr(9) || chr(10) || chr(13), '   ')"


def _no_zero(text: str) -> str:
    """Without the character 0, which PostgreSQL does not take."""
    return f"replace({text}, chr(0), ' ')"
