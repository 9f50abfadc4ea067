"""Questions with options: how often a model chooses the right one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from flows.errors import CharthouseError, SourceError, UsageError
from flows.evaluating.asked import YES_NO_MAYBE as DECISIONS
from flows.evaluating.asked import Asked
from flows.evaluating.beside import with_harness
from flows.evaluating.choices import Chosen, score_choices
from flows.evaluating.evaluation import Evaluation, Judgement
from flows.evaluating.gold import corpus_name, named_apart
from flows.evaluating.harness import HarnessFile, check_harness, run_harness
from flows.evaluating.predictions import choice_rows
from flows.evaluating.request import Request
from flows.progress import Reporter
from flows.questions.file import read_questions
from flows.work import file_sha256
from nlp.fingerprint import ModelIdentity
from nlp.generation.errors import GenerationError
from nlp.ner.errors import DeviceError, ModelError
from nlp.ner.source import ModelSource
from nlp.qa.errors import QuestionError
from nlp.qa.question import YES_NO_MAYBE, Question
from nlp.qa.scorer import (
    HEAD,
    LIKELIHOOD,
    OptionScorer,
    OptionScores,
    find_scorer,
    load_scorer,
    scorer_fingerprint,
)
from nlp.qa.styles import TEXT, find_style

if TYPE_CHECKING:
    from nlp.ner.device import Device

PER_CHARACTER = "likelihood_per_character"
PER_BYTE = "likelihood_per_byte"

_UNUSABLE = (DeviceError, GenerationError, ModelError, QuestionError)


@dataclass(frozen=True)
class QuestionCorpus:
    """A file of questions to judge by.

    Attributes:
        name: the corpus, as a run would name it after the file.
        sha256: of the file as it lies on disk.
        form: whose form the file has; also the name of the style it is asked in.
        questions: those that have an answer.
        unanswered: those left out because the file tells no answer.
        shots: questions shown with their answers before each.
    """

    name: str
    sha256: str
    form: str
    questions: tuple[Question, ...]
    unanswered: int
    shots: tuple[Question, ...] = ()


def read_corpora(
    paths: Sequence[Path], asked: Asked, limit: int | None = None
) -> list[QuestionCorpus]:
    """Read files of questions, one corpus each.

    Raises:
        SourceError: a file cannot be read, or holds nothing to judge by, or other questions than
            the task says.
        CharthouseError: two files are named alike, or examples are among the questions judged.
    """
    named_apart(paths)
    shots = _read_shots(asked)
    return [_read(path, asked, shots, limit) for path in paths]


def _read_shots(asked: Asked) -> tuple[Question, ...]:
    if not asked.shots and asked.shots_from is None:
        return ()
    if asked.shots_from is None or not asked.shots:
        raise UsageError("--shots and --shots-from belong together", "Give both, or neither")
    file = read_questions(asked.shots_from, first_option=asked.first_option)
    found = tuple(islice((q for q in file.questions if q.answer is not None), asked.shots))
    if len(found) < asked.shots:
        raise SourceError(
            f"{asked.shots_from}: {len(found)} answered questions, --shots asks for {asked.shots}",
            "Ask for fewer",
        )
    return found


def _read(
    path: Path, asked: Asked, shots: tuple[Question, ...], limit: int | None
) -> QuestionCorpus:
    file = read_questions(path, first_option=asked.first_option)
    answered = [question for question in file.questions if question.answer is not None]
    if not answered:
        raise SourceError(f"{path}: no question has an answer to judge by", "Take another file")
    are_decisions = answered[0].options == YES_NO_MAYBE
    if are_decisions != (asked.task == DECISIONS):
        right = DECISIONS if are_decisions else "multiple_choice"
        raise SourceError(f"{path}: its questions are not of this task", f"Use --task {right}")
    taken = tuple(answered[:limit])
    known = {(q.text, q.options, q.context) for q in shots}
    if any((q.text, q.options, q.context) in known for q in taken):
        raise CharthouseError(
            f"{path}: some of its questions are shown with their answers by --shots-from",
            "Take examples from another file",
        )
    return QuestionCorpus(
        name=corpus_name(path),
        sha256=file_sha256(path),
        form=file.form,
        questions=taken,
        unanswered=len(file.questions) - len(answered),
        shots=shots,
    )


def evaluate_questions(
    request: Request, corpora: Sequence[QuestionCorpus], reporter: Reporter
) -> Evaluation:
    """Let a model choose, and count how often it is right.

    Raises:
        CharthouseError: the model or the device cannot be used, or options do not fit.
    """
    asked = request.asked
    if asked is None:
        raise ValueError("the request asks no questions")
    judged: list[Judgement] = []
    try:
        source, method = find_scorer(asked.model)
        _check(source, method, asked)
        files = [
            HarnessFile(asked.style or corpus.form, corpus.questions, corpus.shots)
            for corpus in corpora
        ]
        if asked.harness:
            check_harness(files)
        device = _device(request)
        scorer = load_scorer(asked.model, device)
        total = sum(len(corpus.questions) for corpus in corpora)
        reporter.stage("asking questions", "questions", total)
        done = 0
        found: list[list[OptionScores]] = []
        for corpus in corpora:
            its = _asking(scorer, asked, corpus)
            tell = partial(_tell, reporter, done)
            found.append(its.scores(corpus.questions, tell))
            done += len(corpus.questions)
            judged.append(_judge(request, asked, method, corpus, found[-1]))
        reporter.end(total)
        if asked.harness:
            reporter.stage("running lm-evaluation-harness", "questions", total)
            results = run_harness(source, device, files)
            judged = [with_harness(*each) for each in zip(judged, found, results, strict=True)]
            reporter.end(total)
        identity = ModelIdentity(source.name, scorer_fingerprint(source, method), ())
    except _UNUSABLE as error:
        raise CharthouseError(str(error)) from None  # written without text
    return Evaluation(task="qa", request=request, corpora=tuple(judged), assessor=identity)


def _tell(reporter: Reporter, before: int, done: int) -> None:
    reporter.done(before + done)


def _check(source: ModelSource, method: str, asked: Asked) -> None:
    if method == HEAD and (asked.shots or asked.style or asked.harness):
        raise CharthouseError(
            f"model {source.name}: its trained head knows one way to be asked",
            "Leave out --shots, --style and --harness",
        )
    if asked.style:
        find_style(asked.style)


def _device(request: Request) -> Device:
    from nlp.generation.device import choose_text_device  # takes seconds: torch

    settings = request.settings.generation
    return choose_text_device(settings.device, settings.precision)


def _asking(scorer: OptionScorer, asked: Asked, corpus: QuestionCorpus) -> OptionScorer:
    if scorer.method == HEAD:
        return scorer
    from nlp.qa.likelihood import LikelihoodScorer

    if not isinstance(scorer, LikelihoodScorer):
        return scorer
    return replace(scorer, style=asked.style or corpus.form, shots=corpus.shots)


def _judge(
    request: Request,
    asked: Asked,
    method: str,
    corpus: QuestionCorpus,
    found: Sequence[OptionScores],
) -> Judgement:
    ways = {method: [its.chosen for its in found]}
    if method == LIKELIHOOD and find_style(asked.style or corpus.form).answer == TEXT:
        ways[PER_CHARACTER] = [its.chosen_per_character for its in found]
        ways[PER_BYTE] = [its.chosen_per_byte for its in found]
    scores = [
        score
        for scope, chosen in ways.items()
        for score in score_choices(
            Chosen(scope, corpus.questions, chosen), request.resamples, request.seed
        )
    ]
    cut = sum(its.cut_tokens > 0 for its in found)
    cut_questions = sum(its.cut_question for its in found)
    facts = {
        "unanswered": corpus.unanswered,
        "cut_contexts": cut,
        "cut_tokens": sum(its.cut_tokens for its in found),
        "cut_questions": cut_questions,
        "options_tied": sum(_is_tied(its) for its in found),
    }
    return Judgement(
        corpus=corpus.name,
        sha256=corpus.sha256,
        documents=len(corpus.questions),
        facts=facts,
        notes=_notes(facts),
        scores=tuple(scores),
        predictions=choice_rows(corpus.name, corpus.questions, found),
    )


def _is_tied(scores: OptionScores) -> bool:
    best = max(scores.log_probabilities)
    return scores.log_probabilities.count(best) > 1


def _notes(facts: dict[str, int]) -> tuple[str, ...]:
    notes = ["majority always takes the answer that is most frequent in this very file"]
    if count := facts["unanswered"]:
        notes.append(f"questions left out because the file tells no answer: {count:,}")
    if count := facts["cut_contexts"]:
        notes.append(
            f"questions whose beginning (examples, context) did not fit: {count:,}, "
            f"{facts['cut_tokens']:,} tokens left out"
        )
    if count := facts["cut_questions"]:
        notes.append(f"of these, even the question itself was cut: {count:,}")
    if count := facts["options_tied"]:
        notes.append(f"questions whose best options tie, so that the first was taken: {count:,}")
    return tuple(notes)
