"""Concepts that questions name, by the names of the releases the warehouse is linked to.

A phrase of a question is compared to ``concept_names``: first roughly, in SQL, so that nine million
names need one pass; then word by word as the dictionary of ``nlp/dictionary`` compares them.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import polars as pl

from flows.warehouse.layout import Connection
from nlp.dictionary.context import may_mean
from nlp.dictionary.overlap import longest
from nlp.dictionary.stop_words import stop_forms
from nlp.settings import DictionarySettings
from ontologies.normalise import normal_form
from ontologies.phrases import MAX_WORDS, fold_word

WANTED = "temp.main.wanted_concepts"
"""A table of the session: phrase, and the concept_ids it stands for, narrower ones among them."""

_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
_FILTERS = DictionarySettings()

_ROUGH = """
CREATE OR REPLACE TEMP MACRO rough_key(name) AS
  trim(regexp_replace(regexp_replace(regexp_replace(
    replace(replace(replace(replace(strip_accents(lower(name)), 'ae', 'e'), 'oe', 'e'),
      'our', 'or'), 'sulph', 'sulf'),
    '[^\\p{L}\\p{N}]+', ' ', 'g'), 'ies\\b', 'y', 'g'), '(?:es|is|s|e)\\b', '', 'g'))
"""
"""Equal for singular and plural, British and American; more may be equal than mean the same."""

_CANDIDATES = """
WITH n AS (
  SELECT DISTINCT n.concept_id, n.name FROM concept_names n
  JOIN linksets l ON l.is_current AND l.release_id = n.release_id WHERE n.relation IS NULL
), keyed AS (
  SELECT concept_id, name, rough_key(name) AS key FROM n
  UNION
  SELECT concept_id, name, rough_key(regexp_replace(name, '^([^,]+), ([^,]+)$', '\\2 \\1'))
  FROM n WHERE name LIKE '%, %'
)
SELECT DISTINCT p.place, k.concept_id, k.name
FROM keyed k JOIN (SELECT place, rough_key(phrase) AS key FROM phrases) p USING (key)
ORDER BY ALL
"""

_NARROWER = """
CREATE OR REPLACE TEMP TABLE wanted_concepts AS
WITH named AS (SELECT DISTINCT phrase, concept_id FROM named)
SELECT phrase, concept_id FROM named
UNION
SELECT n.phrase, a.concept_id FROM named n
JOIN concept_ancestors a ON a.ancestor_id = n.concept_id
JOIN linksets l ON l.is_current AND l.release_id = a.release_id
"""


@dataclass(frozen=True)
class _Phrase:
    """Some words of a question, where they stand, and their folded form."""

    question: int
    start_char: int
    end_char: int
    written: str
    folded: str


def find_concepts(connection: Connection, questions: Sequence[str]) -> list[tuple[int, ...]]:
    """Find the concepts that each question names, and make the table :data:`WANTED`.

    Of phrases that overlap the longest counts. Names that mean something broader or narrower, and
    the stop words of dictionaries, are left out; short names in capitals count only as written.

    Returns:
        For each question the numbers of its phrases, in their order. The same words have the same
        number in all questions.
    """
    phrases = [phrase for row, text in enumerate(questions) for phrase in _phrases(row, text)]
    named: dict[int, list[str]] = {}
    for place, concept_id, name in _candidates(connection, phrases):
        phrase = phrases[place]
        if phrase.folded in _folded_names(name) and _allowed(
            questions[phrase.question], phrase, name
        ):
            named.setdefault(place, []).append(concept_id)
    number: dict[str, int] = {}
    rows: list[tuple[int, str]] = []
    found: list[dict[int, None]] = [{} for _ in questions]
    by_question = itertools.groupby(sorted(named), key=lambda place: phrases[place].question)
    for question, group in by_question:
        places = list(group)
        kept = longest((phrases[place].start_char, phrases[place].end_char) for place in places)
        for place in (places[i] for i in kept):
            numbered = number.setdefault(phrases[place].folded, len(number))
            found[question][numbered] = None
            rows += [(numbered, concept_id) for concept_id in named[place]]
    _want(connection, rows)
    return [tuple(numbers) for numbers in found]


def _phrases(question: int, text: str) -> Iterable[_Phrase]:
    stopped = stop_forms()
    words = [(match.start(), match.end()) for match in _WORD.finditer(text)]
    for first in range(len(words)):
        for last in range(first, min(first + MAX_WORDS, len(words))):
            start, end = words[first][0], words[last][1]
            form = normal_form(text[start:end])
            if end - start < _FILTERS.min_characters or form in stopped:
                continue
            yield _Phrase(question, start, end, text[start:end], _fold(form))


def _candidates(connection: Connection, phrases: Sequence[_Phrase]) -> list[tuple[int, str, str]]:
    """Positions of phrases, and concepts and names that may be what they say."""
    if not phrases:
        return []
    frame = pl.DataFrame(
        {
            "place": range(len(phrases)),
            "phrase": [normal_form(phrase.written) for phrase in phrases],
        },
        schema={"place": pl.Int64, "phrase": pl.String},
    )
    connection.execute(_ROUGH)
    connection.register("phrases", frame)
    try:
        return connection.execute(_CANDIDATES).fetchall()
    finally:
        connection.unregister("phrases")


def _want(connection: Connection, rows: Sequence[tuple[int, str]]) -> None:
    frame = pl.DataFrame(rows, schema={"phrase": pl.Int32, "concept_id": pl.String}, orient="row")
    connection.register("named", frame)
    try:
        connection.execute(_NARROWER)
    finally:
        connection.unregister("named")


def _folded_names(name: str) -> set[str]:
    """A name's words as phrases are compared, also with its head last: *Arthritis, Rheumatoid*."""
    forms = {_fold(normal_form(name))}
    head, comma, modifier = name.partition(", ")
    if comma and ", " not in modifier:
        forms.add(_fold(normal_form(f"{modifier} {head}")))
    return forms


def _fold(form: str) -> str:
    return " ".join(fold_word(word) for word in form.split())


def _allowed(question: str, phrase: _Phrase, name: str) -> bool:
    """Whether a short phrase is written as its name is: *ALL* is no *all*."""
    if phrase.end_char - phrase.start_char > _FILTERS.same_case:
        return True
    return may_mean(question, phrase.start_char, phrase.end_char, name)
