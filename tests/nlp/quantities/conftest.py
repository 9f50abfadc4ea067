"""A sentence with its mentions marked, and the quantities that are found in it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from nlp.preprocess.sections import Section
from nlp.quantities.find import Quantity, find_quantities

_MARKED = re.compile(r"\{(?P<text>[^|{}]+)\|(?P<label>\w+)\}")


@dataclass(frozen=True)
class Seen:
    """A quantity with its words and those of its mention."""

    text: str
    quantity: Quantity
    mention: str | None


Find = Callable[..., list[Seen]]


@pytest.fixture(scope="session")
def find() -> Find:
    """Quantities of one sentence, or of several where a ``|`` parts them.

    Mentions stand in braces with their label: ``{aspirin|Chemical} 81 mg``.
    """

    def found(marked: str, sections: tuple[Section, ...] = ()) -> list[Seen]:
        text, mentions, last = "", [], 0
        for match in _MARKED.finditer(marked):
            text += marked[last : match.start()]
            mentions.append((len(text), len(text) + len(match["text"]), match["label"]))
            text += match["text"]
            last = match.end()
        text += marked[last:]
        sentences, start = [], 0
        for part in text.split("|"):
            sentences.append((start, start + len(part)))
            start += len(part) + 1
        return [
            Seen(
                text[q.start_char : q.end_char],
                q,
                None
                if q.mention_id is None
                else text[mentions[q.mention_id][0] : mentions[q.mention_id][1]],
            )
            for q in find_quantities(text, sentences, sections, mentions)
        ]

    return found
