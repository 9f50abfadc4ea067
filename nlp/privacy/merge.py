"""Overlapping findings become one: nothing that any of them covers is left uncovered."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from nlp.privacy.finding import Finding

_JOINT = re.compile(r"[ \t]+|,[ \t]*|[ \t]*-[ \t]*|\.[ \t]*|\.,?[ \t]+")


def merge_findings(text: str, findings: Iterable[Finding]) -> list[Finding]:
    """Disjoint findings in text order that cover exactly what the given ones cover, and joints.

    Where findings overlap, one span covers them all and is of the strongest one's kind and rule:
    the highest score, then the longest, then the first. Names that stand side by side, with only a
    space, comma, full stop or hyphen between them, are one name.

    Args:
        text: the text that the findings index.
        findings: in any order; empty ones are passed over.
    """
    ordered = sorted(
        (f for f in findings if f.start < f.end), key=lambda f: (f.start, f.end, f.kind, f.rule_id)
    )
    merged: list[Finding] = []
    cluster: list[Finding] = []
    end = 0
    for finding in ordered:
        if cluster and finding.start >= end:
            merged.append(_strongest(cluster, end))
            cluster = []
        end = max(end, finding.end) if cluster else finding.end
        cluster.append(finding)
    if cluster:
        merged.append(_strongest(cluster, end))
    return _join_names(text, merged)


def _strongest(cluster: Sequence[Finding], end: int) -> Finding:
    best = max(cluster, key=lambda f: (f.score, f.end - f.start, -f.start))
    return Finding(cluster[0].start, end, best.kind, best.rule_id, best.score)


def _join_names(text: str, merged: Sequence[Finding]) -> list[Finding]:
    joined: list[Finding] = []
    for finding in merged:
        before = joined[-1] if joined else None
        if (
            before
            and before.kind == finding.kind == "name"
            and (
                before.end == finding.start
                or _JOINT.fullmatch(text, before.end, finding.start) is not None
            )
        ):
            best = _strongest([before, finding], finding.end)
            joined[-1] = best
        else:
            joined.append(finding)
    return joined
