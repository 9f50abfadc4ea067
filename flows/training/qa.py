"""The order of a training of a head that chooses between options, from a file of questions."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from flows.errors import CharthouseError, SourceError
from flows.evaluating.asked import MULTIPLE_CHOICE
from flows.evaluating.asked import YES_NO_MAYBE as DECISIONS
from flows.questions.file import read_questions
from flows.training.history import Measure
from flows.training.order import Scores, TrainingOrder, check_base, check_package, check_place
from nlp.ner.errors import ModelError
from nlp.ner.source import ModelSource, find_model, model_fingerprint
from nlp.qa.question import YES_NO_MAYBE, Question
from nlp.training.progress import Report
from ontologies.encoder_source import MINILM, find_encoder
from ontologies.errors import OntologyError

if TYPE_CHECKING:
    from nlp.qa.training import QaRecipe


@dataclass(frozen=True)
class QaOrder(TrainingOrder):
    """Everything a training needs, checked: the base is there, the questions are read."""

    recipe: QaRecipe
    train: tuple[Question, ...]
    dev: tuple[Question, ...]

    kind: ClassVar[str] = "qa"
    measure: ClassVar[Measure] = Measure("accuracy", "dev accuracy")
    shown: ClassVar[Mapping[str, str]] = {"accuracy": "dev accuracy"}
    loss_title: ClassVar[str] = "loss a question"
    scores_title: ClassVar[str] = "Dev questions answered right"
    model_files: ClassVar[tuple[str, ...]] = ("qa.json",)
    when_diverged: ClassVar[str] = "Lower --rate, and add --overwrite to begin anew"
    when_too_large: ClassVar[str] = "Lower --batch-questions and add --overwrite"

    @property
    def examples(self) -> dict[str, str]:
        """Fingerprints of train and dev."""
        return {
            "train questions": _fingerprint(self.train),
            "dev questions": _fingerprint(self.dev),
        }

    @property
    def notes(self) -> list[str]:
        """None."""
        return []

    @property
    def usage(self) -> str:
        """An evaluation of the model."""
        task = f" --task {DECISIONS}" if _task(self.dev) == DECISIONS else ""
        return f"charthouse evaluate qa FILE{task} --model {self.out}"

    def describe(self) -> dict[str, Any]:
        """What training.json says beside the recipe."""
        return {
            **super().describe(),
            "questions": {"train": len(self.train), "dev": len(self.dev)},
        }

    def fit(self, made: Path, checkpoints: Path, report: Report) -> Scores:
        """Fine-tune; scores are counts of questions."""
        from nlp.qa.training import train

        score = train(
            self.base,
            self.train,
            self.dev,
            made,
            self.recipe,
            checkpoints=checkpoints,
            device=self.device,
            report=report,
            describe=self.describe(),
        )
        return dict(score)

    def score_rows(self, scores: Scores) -> list[dict[str, Any]]:
        """One row."""
        share = round(scores["right"] / scores["questions"], 4)
        return [{**scores, "accuracy": share}]


def prepare_qa(
    train: Path,
    dev: Path | None,
    dev_share: float,
    base: str,
    recipe: Mapping[str, Any],
    out: Path,
    device: str,
    task: str | None = None,
) -> QaOrder:
    """Check everything at the door; questions of dev are left out of train.

    ``task`` is that of :mod:`flows.evaluating.asked`; None takes what the questions are of.

    Raises:
        CharthouseError: something is missing or unusable; nothing has been written.
    """
    out = check_place(out)
    check_package("accelerate", "training needs", "")
    if recipe.get("lora_rank"):
        check_package("peft", "low-rank adapters need", ", or leave --lora-rank out")
    try:
        if base == MINILM:
            encoder = find_encoder(base)
            source = ModelSource(encoder.name, encoder.folder)
        else:
            source = find_model(base)
        fingerprint = model_fingerprint(source)
    except (ModelError, OntologyError) as error:
        raise CharthouseError(str(error)) from None
    check_base(source.folder, out)
    learnt = list(read_questions(train).questions)
    if dev is not None:
        judged = list(read_questions(dev).questions)
    else:
        order = sorted(learnt, key=lambda q: hashlib.sha256(_identity(q).encode()).digest())
        judged = order[: max(1, round(dev_share * len(order)))]
    task = task or _task(learnt)
    for path, questions in ((train, learnt), (dev or train, judged)):
        found = _task(questions)
        if found != task:
            raise SourceError(
                f"{path}: its questions are of the task {found}, not {task}",
                "Name other files, or another --task",
            )
    apart = {_identity(question) for question in judged}
    learnt = [question for question in learnt if _identity(question) not in apart]
    if not learnt:
        raise CharthouseError(
            "no question is left to learn from", "Name another --dev, or lower --dev-share"
        )
    from nlp.qa.training import QaRecipe  # takes seconds: torch

    return QaOrder(
        out, device, source, fingerprint, QaRecipe(**recipe), tuple(learnt), tuple(judged)
    )


def _task(questions: Sequence[Question]) -> str:
    """Yes/no/maybe where the options are these, else multiple choice."""
    return DECISIONS if questions[0].options == YES_NO_MAYBE else MULTIPLE_CHOICE


def _identity(question: Question) -> str:
    return f"{question.text}\0{question.options}\0{question.context}"


def _fingerprint(questions: tuple[Question, ...]) -> str:
    digest = hashlib.sha256()
    for question in questions:
        digest.update(repr(asdict(question)).encode("utf-8", "backslashreplace"))
    return digest.hexdigest()
