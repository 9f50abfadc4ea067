"""Abbreviations: the definitions found in texts against those that annotators found.

What counts is the set of a document's (short form, long form) pairs, however often a short form
occurs; white space is collapsed, all else must agree to the letter.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from flows.errors import SourceError
from flows.evaluating.evaluation import Evaluation, Judgement
from flows.evaluating.gold import corpus_name, named_apart
from flows.evaluating.predictions import abbreviation_rows
from flows.evaluating.request import Request
from flows.evaluating.scores import count_sets, score
from flows.progress import Reporter
from flows.readers.med1250 import DefiningDocument, Pair, read_definitions
from flows.work import file_sha256
from nlp.preprocess.abbreviations import find_abbreviations

PAIRS = "pairs"
LABEL = "abbreviation"


@dataclass(frozen=True)
class DefinitionCorpus:
    """A gold file of definitions.

    Attributes:
        name: the corpus, as a run would name it after the file.
        sha256: of the file as it lies on disk.
        documents: by native id, those that have a text.
        repeated: documents left out because their id stands again further on in the file.
    """

    name: str
    sha256: str
    documents: Mapping[str, DefiningDocument]
    repeated: int


def read_corpora(paths: Sequence[Path], limit: int | None = None) -> list[DefinitionCorpus]:
    """Read gold files in the form of MED1250, one corpus each.

    Args:
        paths: the files.
        limit: take the first so many documents of each file.

    Raises:
        SourceError: a file cannot be read, or holds nothing to judge by.
        CharthouseError: two files are named alike.
    """
    named_apart(paths)
    return [_read(path, limit) for path in paths]


def evaluate_abbreviations(
    request: Request, corpora: Sequence[DefinitionCorpus], reporter: Reporter
) -> Evaluation:
    """Find abbreviations in gold documents, as preprocessing does, and judge their definitions."""
    total = sum(len(corpus.documents) for corpus in corpora)
    reporter.stage("finding abbreviations", "documents", total)
    done, judged = 0, []
    for corpus in corpora:
        found = {}
        for native_id, document in corpus.documents.items():
            found[native_id] = find_pairs(document.text)
            done += 1
            reporter.done(done)
        judged.append(_judge(request, corpus, found))
    reporter.end(total)
    return Evaluation(task="abbreviations", request=request, corpora=tuple(judged))


def find_pairs(text: str) -> set[Pair]:
    """The (short form, long form) pairs of a text's abbreviations, white space collapsed."""
    return {
        (" ".join(found.short_form.split()), " ".join(found.long_form.split()))
        for found in find_abbreviations(text)
    }


def _read(path: Path, limit: int | None) -> DefinitionCorpus:
    with_text = [document for document in read_definitions(path) if document.text.strip()]
    documents = {document.native_id: document for document in with_text}
    taken = dict(islice(documents.items(), limit))
    if not any(document.pairs for document in taken.values()):
        where = f"the first {limit:,} documents of {path}" if limit else str(path)
        raise SourceError(f"{where}: no definition to judge by", "Check the file and --limit")
    return DefinitionCorpus(
        corpus_name(path), file_sha256(path), taken, len(with_text) - len(documents)
    )


def _judge(request: Request, corpus: DefinitionCorpus, found: Mapping[str, set[Pair]]) -> Judgement:
    counts = count_sets(
        PAIRS,
        [{LABEL: document.pairs} for document in corpus.documents.values()],
        [{LABEL: found[native_id]} for native_id in corpus.documents],
        (LABEL,),
    )
    repeated = f"documents left out because their id stands again: {corpus.repeated:,}"
    return Judgement(
        corpus=corpus.name,
        sha256=corpus.sha256,
        documents=len(corpus.documents),
        facts={"repeated": corpus.repeated},
        notes=(repeated,) if corpus.repeated else (),
        scores=tuple(score(counts, resamples=request.resamples, seed=request.seed)),
        predictions=abbreviation_rows(found),
    )
