"""The pattern recognisers of Presidio, without its NLP engine.

Each is called only around places that a cheap search has shown to be worth it: most of their
patterns are slow, and on a text without any digits or dots they would all be in vain.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from nlp.privacy.finding import Finding
from nlp.privacy.labelled import kind_of_phone
from nlp.privacy.rules import read_rules

if TYPE_CHECKING:
    from presidio_analyzer import EntityRecognizer

_LONGEST = 2_048
"""A word longer than any address: only so much of it is looked at."""

_LARGEST = 8_192
"""Characters that a recogniser sees at once at most: some of their patterns are quadratic."""

_DOMAINS = re.compile(
    r"(?i)^(?:https?://|www\d{0,3}\.)|\.(?:com|org|net|edu|gov|mil|info|io|biz)(?:$|[/:?#])"
)
_REST = re.compile(r"(?:[^\s()<>\"',;.]|[,;.](?=[^\s()<>\"',;.]))*")
_ENZYME = re.compile(r"\bEC:?\s?$")
_TITLE_CASE_SPLIT = re.compile(r"\.[A-Z][a-z]")


class PresidioFinder:
    """Recognisers with the kinds of what they find."""

    def __init__(self) -> None:
        """Load the recognisers; takes seconds."""
        self._recognisers = [
            (
                f"presidio:{entry['class'].removesuffix('Recognizer')}",
                _recogniser(entry["class"]),
                re.compile(entry["needs"]),
                entry,
            )
            for entry in read_rules()["presidio"]["recognisers"]
        ]

    def find(self, text: str) -> Iterator[Finding]:
        """Identifiers of the text, in no order."""
        for rule_id, recogniser, needs, entry in self._recognisers:
            for start, end in _places(text, needs):
                part = text[start:end]
                entities = recogniser.supported_entities
                # The patterns of these recognisers never look at the artifacts.
                for result in recogniser.analyze(part, entities, None):  # type: ignore[arg-type]
                    kind, found = entry["kind"], part[result.start : result.end]
                    if result.score < entry["least"] or (kind == "url" and not _is_url(found)):
                        continue
                    first, last = start + result.start, start + result.end
                    if kind == "ip" and _ENZYME.search(text, max(0, first - 6), first):
                        continue
                    if kind == "phone":
                        kind = kind_of_phone(text, first)
                    if kind == "url":  # its list of domains is short: example.biz/path
                        last = _REST.match(text, last).end()  # type: ignore[union-attr]
                    yield Finding(first, last, kind, rule_id, entry["score"])


def _places(text: str, needs: re.Pattern[str]) -> Iterator[tuple[int, int]]:
    """Disjoint ranges around matches, cut at white space or, in a long word, at any character."""
    pending: tuple[int, int] | None = None
    for match in needs.finditer(text):
        start = _cut(text, max(0, match.start() - _LONGEST), match.start())
        stop = min(len(text), match.end() + _LONGEST)
        end = match.end()
        while end < stop and not text[end].isspace():
            end += 1
        if pending and start <= pending[1] and end - pending[0] <= _LARGEST:
            pending = (pending[0], max(end, pending[1]))
            continue
        if pending:
            yield pending
            start = max(start, pending[1])
        pending = (start, end)
    if pending:
        yield pending


def _cut(text: str, least: int, start: int) -> int:
    while start > least and not text[start - 1].isspace():
        start -= 1
    return start


def _is_url(found: str) -> bool:
    """Whether it is an address and no full stop without a space: ``fever.In the morning``."""
    return _DOMAINS.search(found) is not None and (
        "/" in found or _TITLE_CASE_SPLIT.search(found) is None
    )


def _recogniser(name: str) -> EntityRecognizer:
    from presidio_analyzer import predefined_recognizers  # takes seconds

    made: Any = getattr(predefined_recognizers, name)
    if name == "EmailRecognizer":
        return _any_email(made)
    if name == "PhoneRecognizer":
        recogniser: EntityRecognizer = made(supported_regions=("US",))
        return recogniser
    plain: EntityRecognizer = made()
    return plain


def _any_email(base: Any) -> EntityRecognizer:
    """The recogniser of e-mail addresses, without its look at the list of public domains.

    That list would be fetched from the network, and hospitals have domains of their own.
    """

    class EmailRecognizer(base):  # type: ignore[misc]
        def validate_result(self, pattern_text: str) -> bool | None:
            return None

    recogniser: EntityRecognizer = EmailRecognizer()
    return recogniser
