"""Text with something else in place of its identifiers, and where everything is now."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from nlp.privacy.finding import Finding


@dataclass(frozen=True)
class Replaced:
    """A text after replacement.

    Attributes:
        text: the new text.
        spans: the findings, with offsets in the new text.
        _starts, _ends: the replaced ranges in the old text.
    """

    text: str
    spans: tuple[Finding, ...]
    _starts: tuple[int, ...]
    _ends: tuple[int, ...]

    def start(self, position: int) -> int:
        """Where a range that began at an old position begins now: never within a replacement."""
        return self._move(position, inside=0)

    def end(self, position: int) -> int:
        """Where a range that ended at an old position ends now: never within a replacement."""
        return self._move(position, inside=1)

    def _move(self, position: int, *, inside: int) -> int:
        index = bisect_right(self._starts, position) - 1
        if index < 0:
            return position
        span = self.spans[index]
        if position >= self._ends[index]:
            return position - self._ends[index] + span.end
        if position == self._starts[index]:
            return span.start
        return span.end if inside else span.start


def replace_findings(
    text: str, findings: Sequence[Finding], substitute: Callable[[str, str], str]
) -> Replaced:
    """Put something else in place of each finding.

    Args:
        text: the old text.
        findings: disjoint, in text order, offsets in it.
        substitute: given a kind and the old characters, the new ones.
    """
    parts: list[str] = []
    spans: list[Finding] = []
    at = length = 0
    for finding in findings:
        kept = text[at : finding.start]
        new = substitute(finding.kind, text[finding.start : finding.end])
        start = length + len(kept)
        length = start + len(new)
        parts += (kept, new)
        spans.append(Finding(start, length, finding.kind, finding.rule_id, finding.score))
        at = finding.end
    parts.append(text[at:])
    return Replaced(
        "".join(parts),
        tuple(spans),
        tuple(f.start for f in findings),
        tuple(f.end for f in findings),
    )
