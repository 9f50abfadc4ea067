"""Assertion: what is said of concepts in sentences, against what annotators said.

Each sentence stands alone: one sentence, no sections, so that defaults of sections have no part.
The NegEx form knows nothing of uncertainty, so ``uncertain`` is predicted and not judged.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import polars as pl

from flows.errors import CharthouseError, SourceError
from flows.evaluating.evaluation import Evaluation, Judgement
from flows.evaluating.gold import corpus_name, named_apart
from flows.evaluating.request import Request
from flows.evaluating.scores import count_sets, score
from flows.progress import Reporter
from flows.readers.negex import JudgedConcept, read_judged
from flows.work import file_sha256
from nlp.assertion import AssessorError
from nlp.assertion.assessor import assessor_fingerprint, load_assessor
from nlp.assertion.result import PATIENT, Assertion, Assessed, Assessor
from nlp.fingerprint import ModelIdentity
from nlp.ner.device import choose_device
from nlp.ner.errors import DeviceError, ModelError

ATTRIBUTES = "attributes"
LABELS = ("negated", "historical", "hypothetical", "experiencer")
"""What is judged, as far as a file tells it; ``experiencer`` where it is not the patient."""

_BATCH = 500
"""Sentences assessed between two words of progress."""

_PREDICTION = {
    "line": pl.Int64,
    "negated": pl.Boolean,
    "uncertain": pl.Boolean,
    "historical": pl.Boolean,
    "hypothetical": pl.Boolean,
    "experiencer": pl.String,
}


@dataclass(frozen=True)
class JudgedCorpus:
    """A gold file of concepts in sentences: its name, the SHA-256 of the file, and its rows."""

    name: str
    sha256: str
    rows: Sequence[JudgedConcept]


def read_corpora(paths: Sequence[Path], limit: int | None = None) -> list[JudgedCorpus]:
    """Read gold files in the form of the NegEx test kit, one corpus each.

    Args:
        paths: the files.
        limit: take the first so many rows of each file.

    Raises:
        SourceError: a file cannot be read, or holds no row.
        CharthouseError: two files are named alike.
    """
    named_apart(paths)
    corpora = []
    for path in paths:
        rows = list(islice(read_judged(path), limit))
        if not rows:
            raise SourceError(f"{path}: no concept to judge by", "Check the file")
        corpora.append(JudgedCorpus(corpus_name(path), file_sha256(path), rows))
    return corpora


def evaluate_assertion(
    request: Request, corpora: Sequence[JudgedCorpus], reporter: Reporter
) -> Evaluation:
    """Assess gold concepts, as a run does, and judge what is said of them.

    Raises:
        CharthouseError: the rules, a classifier or the device cannot be used.
    """
    identity, assessor = _load(request)
    total = sum(len(corpus.rows) for corpus in corpora)
    reporter.stage("assessing concepts", "sentences", total)
    done, judged = 0, []
    for corpus in corpora:
        found: list[Assertion] = []
        for first in range(0, len(corpus.rows), _BATCH):
            found += assess_rows(assessor, corpus.rows[first : first + _BATCH])
            reporter.done(done + len(found))
        done += len(found)
        judged.append(_judge(request, corpus, found))
    reporter.end(total)
    return Evaluation(task="assertion", request=request, corpora=tuple(judged), assessor=identity)


def assess_rows(assessor: Assessor, rows: Sequence[JudgedConcept]) -> list[Assertion]:
    """Assess each row's concept, its sentence a document of its own."""
    documents = [
        Assessed(row.sentence, [(row.start_char, row.end_char)], [(0, len(row.sentence))], ())
        for row in rows
    ]
    return [assertion for (assertion,) in assessor.assess(documents)]


def _load(request: Request) -> tuple[ModelIdentity, Assessor]:
    # Which kinds of documents a run assesses says nothing of these sentences.
    settings = request.settings.assertion.model_copy(update={"kinds": ("note",)})
    ner = request.settings.ner
    try:
        assessor = load_assessor(settings, choose_device(ner.device, ner.precision))
        fingerprint = assessor_fingerprint(settings)
    except (AssessorError, DeviceError, ModelError) as error:
        raise CharthouseError(str(error)) from None  # written without text
    if assessor is None:
        raise CharthouseError("assertion.method is off: nothing to judge", "Name a --method")
    return ModelIdentity(settings.method, fingerprint, ()), assessor


def _judge(request: Request, corpus: JudgedCorpus, found: Sequence[Assertion]) -> Judgement:
    first = corpus.rows[0]
    labels = ["negated"]
    labels += ["historical", "hypothetical"] if first.temporality is not None else []
    labels += ["experiencer"] if first.experiencer is not None else []
    counts = count_sets(ATTRIBUTES, list(map(_gold, corpus.rows)), list(map(_said, found)), labels)
    whole = sum(row.end_char - row.start_char == len(row.sentence) for row in corpus.rows)
    return Judgement(
        corpus=corpus.name,
        sha256=corpus.sha256,
        documents=len(corpus.rows),
        facts={"whole_sentences": whole},
        notes=(),
        scores=tuple(score(counts, resamples=request.resamples, seed=request.seed)),
        predictions=_predictions(corpus.rows, found),
    )


def _gold(row: JudgedConcept) -> Mapping[str, frozenset[str]]:
    return _sets(row.negated, row.temporality or "", row.temporality or "", row.experiencer)


def _said(assertion: Assertion) -> Mapping[str, frozenset[str]]:
    return _sets(
        assertion.negated,
        "historical" if assertion.historical else "",
        "hypothetical" if assertion.hypothetical else "",
        assertion.experiencer,
    )


def _sets(
    negated: bool | None, past: str, conditional: str, experiencer: str | None
) -> dict[str, frozenset[str]]:
    """What is set, as one item or none by label; of the experiencer, which one counts too."""
    return {
        "negated": frozenset(["yes"] if negated else []),
        "historical": frozenset(["yes"] if past == "historical" else []),
        "hypothetical": frozenset(["yes"] if conditional == "hypothetical" else []),
        "experiencer": frozenset([experiencer] if experiencer not in (None, PATIENT) else []),
    }


def _predictions(rows: Sequence[JudgedConcept], found: Sequence[Assertion]) -> pl.DataFrame:
    said = [
        (row.line, a.negated, a.uncertain, a.historical, a.hypothetical, a.experiencer)
        for row, a in zip(rows, found, strict=True)
    ]
    return pl.DataFrame(said, schema=_PREDICTION, orient="row")
