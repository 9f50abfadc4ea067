"""De-identification judged: which identifiers are covered, and what else is masked.

An identifier counts as found when every character of it is covered, by findings of whatever kind:
what is left of a name gives the name away, and a name masked as a place is gone all the same.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from flows.errors import CharthouseError
from flows.evaluating.gold import corpus_name, named_apart
from flows.evaluating.privacy_gold import MarkedDocument, read_marked
from flows.evaluating.scores import Counts, Measure, Score, score
from flows.work import file_sha256, write_durably
from nlp.ner.device import Device
from nlp.ner.errors import ModelError
from nlp.privacy import PrivacyError
from nlp.privacy.finder import Finder
from nlp.privacy.finding import KINDS, Finding
from nlp.settings import PrivacySettings

IDENTIFIERS = "identifiers"
PLAIN = "plain"
RECALL = Measure("recall", "covered", ("gold",))
TOUCHED = Measure("touched", "touched", ("gold",))
MASKED = Measure("masked", "masked", ("gold",))

_WORD = re.compile(r"\w+")


@dataclass(frozen=True)
class PrivacyJudgement:
    """How one gold file came out.

    Attributes:
        corpus: its name.
        sha256: of the file.
        documents, characters: what it holds.
        seconds: of CPU that finding took.
        scores: of scope ``identifiers`` by kind ``recall`` (covered wholly) and ``touched``
            (covered at least in part); of scope ``plain`` by ``characters`` and ``words`` the
            share of letters, digits and words outside all identifiers that is masked: there
            ``gold`` is how many there are.
        found: the findings, document by document.
    """

    corpus: str
    sha256: str
    documents: int
    characters: int
    seconds: float
    scores: tuple[Score, ...]
    found: tuple[tuple[str, tuple[Finding, ...]], ...]

    def as_json(self) -> dict[str, Any]:
        """Plain values, without the findings."""
        return {
            "corpus": self.corpus,
            "sha256": self.sha256,
            "documents": self.documents,
            "characters": self.characters,
            "characters_per_second": round(self.characters / self.seconds)
            if self.seconds
            else None,
            "scores": [asdict(score) for score in self.scores],
        }


def evaluate_privacy(
    gold: Sequence[Path],
    settings: PrivacySettings,
    device: Device | None,
    *,
    limit: int | None = None,
    resamples: int = 1000,
    seed: int = 0,
) -> list[PrivacyJudgement]:
    """Judge rules and models by gold files; no secret is needed.

    Raises:
        CharthouseError: a gold file, the list of names or a model cannot be used.
    """
    named_apart(gold)
    marked = [read_marked(path, limit) for path in gold]
    try:
        finder = Finder(settings, device)
    except (PrivacyError, ModelError) as error:
        raise CharthouseError(str(error)) from None
    return [
        judge_documents(
            corpus_name(path),
            file_sha256(path),
            documents,
            finder,
            resamples=resamples,
            seed=seed,
        )
        for path, documents in zip(gold, marked, strict=True)
    ]


def judge_documents(
    corpus: str,
    sha256: str,
    documents: Sequence[MarkedDocument],
    finder: Finder,
    *,
    resamples: int = 1000,
    seed: int = 0,
) -> PrivacyJudgement:
    """Find the identifiers of documents and judge them by the marked ones."""
    clock = time.process_time()
    found = finder.find([document.text for document in documents])
    seconds = time.process_time() - clock
    kinds = [kind for kind in KINDS if any(k == kind for d in documents for *_, k in d.spans)]
    spans = np.zeros((len(documents), len(kinds), 3), dtype=np.int64)
    plain = np.zeros((len(documents), 2, 2), dtype=np.int64)
    for row, (document, findings) in enumerate(zip(documents, found, strict=True)):
        length = len(document.text)
        hidden = _cover(length, [(f.start, f.end) for f in findings])
        marked = _cover(length, [(start, end) for start, end, _ in document.spans])
        for start, end, kind in document.spans:
            part = hidden[start:end]
            spans[row, kinds.index(kind)] += (1, part.all(), part.any())
        visible = np.array([letter.isalnum() for letter in document.text], dtype=bool) & ~marked
        plain[row, 0] = visible.sum(), (visible & hidden).sum()
        words = [
            m.span() for m in _WORD.finditer(document.text) if not marked[slice(*m.span())].any()
        ]
        plain[row, 1] = len(words), sum(bool(hidden[s:e].any()) for s, e in words)
    counts = (
        Counts(IDENTIFIERS, tuple(kinds), ("gold", "covered", "touched"), spans, (RECALL, TOUCHED)),
        Counts(PLAIN, ("characters", "words"), ("gold", "masked"), plain, (MASKED,)),
    )
    scores = [s for c in counts for s in score(c, resamples=resamples, seed=seed)]
    return PrivacyJudgement(
        corpus,
        sha256,
        len(documents),
        sum(len(document.text) for document in documents),
        seconds,
        tuple(s for s in scores if not (s.scope == PLAIN and s.label not in counts[1].labels)),
        tuple((d.native_id, tuple(f)) for d, f in zip(documents, found, strict=True)),
    )


def write_found(path: Path, judgements: Sequence[PrivacyJudgement]) -> None:
    """Write findings as JSON Lines in the form of gold files, without texts, with rule_id.

    Raises:
        CharthouseError: the file cannot be written.
    """
    lines = [
        json.dumps({"id": native_id, "spans": [_plain_finding(f) for f in findings]}) + "\n"
        for judgement in judgements
        for native_id, findings in judgement.found
    ]
    try:
        write_durably(path, lambda file: file.write_text("".join(lines), "utf-8"))
    except OSError as error:
        raise CharthouseError(
            f"predictions {path} cannot be written ({error.strerror})", "Check --predictions"
        ) from None


def _plain_finding(finding: Finding) -> dict[str, object]:
    return {
        "start": finding.start,
        "end": finding.end,
        "kind": finding.kind,
        "rule_id": finding.rule_id,
    }


def _cover(length: int, ranges: Sequence[tuple[int, int]]) -> np.ndarray[Any, np.dtype[np.bool_]]:
    covered = np.zeros(length, dtype=bool)
    for start, end in ranges:
        covered[start:end] = True
    return covered
