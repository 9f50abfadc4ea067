"""Checks of offsets: spans lie in their text, and the words kept beside them are those there."""

from __future__ import annotations

from flows.warehouse.checks import Check

_BLOCK = 16_384
"""Characters. Finding a character in a text takes time with its offset: texts are looked up in
blocks, so that a note of twenty megabytes costs no more a mention than a short one."""


def _inside(table: str, start: str, end: str, *, may_be_empty: bool, where: str = "true") -> Check:
    order = "<=" if may_be_empty else "<"
    return Check(
        f"{table}_in_text" if start == "start_char" else f"{table}_{start}_in_text",
        f"{table}: 0 <= {start} {order} {end} <= length of the text",
        # Lengths first: a text is gone through once, not once a span.
        f"SELECT t.document_id AS subject FROM (FROM {table} WHERE {where}) t "
        "JOIN (SELECT document_id, length(text) AS size FROM documents) d USING (document_id) "
        f"WHERE NOT (0 <= t.{start} AND t.{start} {order} t.{end} AND t.{end} <= d.size)",
    )


def _words(table: str, start: str, end: str, words: str) -> Check:
    return Check(
        f"{table}_{words}",
        f"{table}.{words} is text[{start}:{end}]",
        f"""
        WITH spans AS (
          SELECT document_id, {start} AS first, {end} - {start} AS size, {words} AS words
          FROM {table} WHERE {start} >= 0
        ), blocks AS (
          SELECT document_id, block, substr(text, block * {_BLOCK} + 1, {_BLOCK} + (
            SELECT coalesce(max(size), 0) FROM spans)) AS piece
          FROM (SELECT document_id, text, unnest(range(length(text) // {_BLOCK} + 1)) AS block
                FROM documents SEMI JOIN spans USING (document_id))
        )
        SELECT s.document_id AS subject FROM spans s LEFT JOIN blocks b
          ON b.document_id = s.document_id AND b.block = s.first // {_BLOCK}
        WHERE substr(b.piece, s.first % {_BLOCK} + 1, s.size) IS DISTINCT FROM s.words
        """,
    )


def _numbered(table: str, key: str) -> Check:
    return Check(
        f"{table}_numbered",
        f"{table}.{key} runs from 0 without a gap, in text order",
        f"SELECT document_id AS subject FROM (SELECT document_id, annotation_id, {key}, "
        "start_char, row_number() OVER w - 1 AS place, "
        "lag(start_char, 1, 0) OVER w AS before "
        f"FROM {table} WINDOW w AS (PARTITION BY document_id, annotation_id ORDER BY {key})) "
        f"WHERE {key} != place OR start_char < before",
    )


def _of_mentions(table: str) -> Check:
    return Check(
        f"{table}_of_mentions",
        f"{table}.mention_id names a mention, where it is not null",
        f"SELECT document_id AS subject FROM (FROM {table} WHERE mention_id IS NOT NULL) "
        "ANTI JOIN mentions USING (document_id, annotation_id, mention_id)",
    )


def _held_by(table: str, key: str) -> Check:
    return Check(
        f"mentions_in_{table}",
        f"mentions.{key} names a row of {table} that holds the mention's first character",
        f"SELECT m.document_id AS subject FROM mentions m LEFT JOIN {table} t "
        f"ON t.document_id = m.document_id AND t.annotation_id = m.annotation_id "
        f"AND t.{key} = m.{key} WHERE m.{key} IS NOT NULL AND NOT coalesce("
        "m.start_char >= t.start_char AND m.start_char < t.end_char, false)",
    )


SPAN_CHECKS = (
    _inside("sections", "start_char", "end_char", may_be_empty=True),
    _inside("sentences", "start_char", "end_char", may_be_empty=False),
    _inside("mentions", "start_char", "end_char", may_be_empty=False),
    _inside("assertion_cues", "start_char", "end_char", may_be_empty=False),
    _inside("quantities", "start_char", "end_char", may_be_empty=False),
    _inside("generation_sources", "start_char", "end_char", may_be_empty=False),
    _inside("privacy_spans", "start_char", "end_char", may_be_empty=True, where="field = 'text'"),
    _words("mentions", "start_char", "end_char", "mention_text"),
    _words("abbreviations", "short_start_char", "short_end_char", "short_form"),
    _words("abbreviations", "long_start_char", "long_end_char", "long_form"),
    _numbered("sections", "section_id"),
    _numbered("sentences", "sentence_id"),
    _numbered("mentions", "mention_id"),
    _numbered("quantities", "quantity_id"),
    _of_mentions("assertion_cues"),
    _of_mentions("quantities"),
    Check(
        "assertion_cues_say_so",
        "an attribute with a cue is set in its mention",
        "SELECT c.document_id AS subject FROM assertion_cues c "
        "JOIN mentions m USING (document_id, annotation_id, mention_id) "
        "WHERE NOT coalesce(CASE c.attribute WHEN 'negated' THEN m.negated "
        "WHEN 'uncertain' THEN m.uncertain WHEN 'historical' THEN m.historical "
        "WHEN 'hypothetical' THEN m.hypothetical "
        "WHEN 'experiencer' THEN m.experiencer != 'patient' END, false)",
    ),
    _held_by("sentences", "sentence_id"),
    _held_by("sections", "section_id"),
)
"""Checks of the annotation tables' offsets."""
