"""PubMedQA (Jin et al. 2019, https://aclanthology.org/D19-1259).

One object by PMID of ``QUESTION``, ``CONTEXTS`` (the abstract without its conclusion),
``LONG_ANSWER`` (the conclusion), ``final_decision`` and others.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from flows.questions.fields import damaged, optional_text, text_of
from nlp.qa.question import YES_NO_MAYBE, Question


def read_entries(path: Path, entries: Mapping[str, Any]) -> Iterator[Question]:
    """Yield the entries; the parts of a context are joined by line ends.

    Raises:
        SourceError: a field is missing or damaged.
    """
    for pmid, entry in entries.items():
        row = f"{pmid}" if pmid.isdigit() else "?"
        if not isinstance(entry, dict):
            raise damaged(path, row, "QUESTION", "is missing")
        contexts = entry.get("CONTEXTS")
        if not isinstance(contexts, list) or not all(isinstance(part, str) for part in contexts):
            raise damaged(path, row, "CONTEXTS", "is no list of texts")
        decision = optional_text(path, row, entry, "final_decision").strip().lower()
        if decision and decision not in YES_NO_MAYBE:
            raise damaged(path, row, "final_decision", "is none of yes, no, maybe")
        yield Question(
            pmid,
            text_of(path, row, entry, "QUESTION"),
            YES_NO_MAYBE,
            YES_NO_MAYBE.index(decision) if decision else None,
            context="\n".join(contexts),
            explanation=optional_text(path, row, entry, "LONG_ANSWER"),
        )
