"""Statements that a language model wrote, read back as relations between mentions.

A statement is read where it has the form of a pattern and both of its names are mentions of the
document, of a label that the pattern allows. All others are counted: what a model writes and nobody
can place is never dropped silently.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from nlp.relations.patterns import Pattern, Patterns
from nlp.relations.text import Relation, RelationText, by_concept, nearest

_JOINED_AT_MOST = 4
"""Pieces put together again where a name holds a mark that parts statements."""

_READINGS_AT_MOST = 64


@dataclass(frozen=True)
class Statement:
    """A statement of a pattern's form: its names as they were written."""

    subject: str
    object: str
    relation: str
    pattern: Pattern


@dataclass(frozen=True)
class ReadText:
    """What a text states.

    ``unparsed`` counts statements of no known form, or of names that are no mentions; a statement
    that stands twice counts once in ``relations`` and is not unparsed.
    """

    relations: tuple[Relation, ...]
    statements: int
    unparsed: int


def read_statements(
    written: str, text: RelationText, patterns: Patterns, score: float = 1.0
) -> ReadText:
    """Relations that a written text states between the mentions of a document.

    Names are compared without regard to case and white space, with the mention's own words and
    its further names. Where a name means several concepts, it is the one named so most often.

    Args:
        written: what the model wrote.
        text: the document.
        patterns: the forms of its statements.
        score: of the relations.
    """
    names = _Names(text)
    found: dict[tuple[str, str, str], Relation] = {}
    statements = unparsed = 0
    for readings in split_statements(written, patterns):
        statements += 1
        for reading in readings:
            relation = _relation(reading, names, text, score)
            if relation is not None:
                found.setdefault((relation.subject, relation.relation, relation.object), relation)
                break
        else:
            unparsed += 1
    ordered = sorted(found.values(), key=lambda r: (r.subject_mention, r.object_mention))
    return ReadText(tuple(ordered), statements, unparsed)


def split_statements(written: str, patterns: Patterns) -> Iterator[list[Statement]]:
    """The statements of a text, each with the ways it can be read; none where it has no form.

    The text is parted at the patterns' marks where white space or the end follows; a piece that
    begins like a pattern and does not end like it is joined with what follows, since names hold
    such marks too.
    """
    marks = "|".join(map(re.escape, patterns.split))
    parts = re.split(rf"({marks})(?=\s|$)", written) if marks else [written]
    pieces, between = parts[::2], parts[1::2]
    at = 0
    while at < len(pieces):
        said = pieces[at].strip("".join((*patterns.split, " \n\r\t"))).casefold()
        if not said or said in patterns.nothing:
            at += 1
            continue
        readings: list[Statement] = []
        count = 1
        for count in range(1, _JOINED_AT_MOST + 1):
            last = at + count - 1
            if last >= len(pieces) or (count > 1 and _begins(pieces[last], patterns)):
                break
            joined = pieces[at]
            for n in range(1, count):
                joined += between[at + n - 1] + pieces[at + n]
            readings = list(_readings(joined, patterns))
            if readings:
                break
        yield readings
        at += count if readings else 1


def _begins(piece: str, patterns: Patterns) -> bool:
    words = " ".join(piece.split())
    return any(_after(pattern.before, words) is not None for pattern in patterns.statements)


def _after(before: str, words: str) -> str | None:
    """What follows the words that a statement begins with; None where it begins otherwise."""
    # Not by casefold: it makes two letters of some, and places would not fit.
    begin = re.match(re.escape(before), words, re.IGNORECASE)
    return words[begin.end() :] if begin else None


def _readings(piece: str, patterns: Patterns) -> Iterator[Statement]:
    words = " ".join(piece.split())
    for pattern in patterns.statements:
        rest = _after(pattern.before, words)
        if rest is None:
            continue
        for filled in _fillings(rest, pattern.between):
            values = dict(zip(pattern.gaps, filled, strict=True))
            if all(values.values()):
                relation = pattern.relation or "_".join(values["relation"].casefold().split())
                yield Statement(values["subject"], values["object"], relation, pattern)


def _fillings(rest: str, between: Sequence[str]) -> list[list[str]]:
    """All ways of filling the gaps: *and* may also stand within a name."""
    literal = " ".join(between[0].split())
    if len(between) == 1:
        if not literal:
            return [[rest.strip()]]
        end = re.search(rf" {re.escape(literal)}$", rest, re.IGNORECASE)
        return [[rest[: end.start()].strip()]] if end else []
    found: list[list[str]] = []
    for match in re.finditer(rf" {re.escape(literal)} ", rest, re.IGNORECASE):
        for others in _fillings(rest[match.end() - 1 :], between[1:]):
            found.append([rest[: match.start()].strip(), *others])
            if len(found) >= _READINGS_AT_MOST:
                return found
    return found


class _Names:
    """The names of a document's mentions."""

    def __init__(self, text: RelationText) -> None:
        self._text = text
        self._named: dict[str, list[int]] = {}
        for position, mention in enumerate(text.mentions):
            own = (text.text[mention.start : mention.end], *mention.names)
            for key in dict.fromkeys(map(_key, own)):
                self._named.setdefault(key, []).append(position)

    def concept(self, name: str, labels: frozenset[str]) -> tuple[str, str] | None:
        """Label and concept that a name most often has in the document, if it has one."""
        counts: dict[tuple[str, str], int] = {}
        for position in self._named.get(_key(name), ()):
            mention = self._text.mentions[position]
            if not labels or mention.label in labels:
                for concept in mention.concepts:
                    key = (mention.label, concept)
                    counts[key] = counts.get(key, 0) + 1
        return max(counts, key=lambda key: counts[key], default=None)


def _key(name: str) -> str:
    return "".join(name.split()).casefold()


def _relation(
    statement: Statement, names: _Names, text: RelationText, score: float
) -> Relation | None:
    subject = names.concept(statement.subject, statement.pattern.subject_labels)
    other = names.concept(statement.object, statement.pattern.object_labels)
    if subject is None or other is None or subject[1] == other[1]:
        return None
    subjects = by_concept(text, subject[0])[subject[1]]
    objects = by_concept(text, other[0])[other[1]]
    return Relation(
        subject[1], other[1], *nearest(text, subjects, objects), statement.relation, score
    )
