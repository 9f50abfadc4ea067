"""The same model and questions through EleutherAI's lm-evaluation-harness.

Its own task files are included (``mmlu``, ``medmcqa``, ``medqa_4options``, ``pubmedqa``); only
where data come from is said anew. Questions are written in the columns of the hub's data sets into
a temporary folder, which is gone afterwards. Nothing is asked of a network.
"""

from __future__ import annotations

import importlib.util
import io
import json
import logging
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from flows.errors import CharthouseError
from nlp.generation.source import check_causal
from nlp.ner.source import ModelSource
from nlp.qa.question import Question
from nlp.qa.styles import find_style

if TYPE_CHECKING:
    from nlp.ner.device import Device

METRICS = ("acc", "acc_norm", "acc_bytes")
_ROWS = 8
_TEXT_TASK = {
    "output_type": "multiple_choice",
    "doc_to_text": "Question: {{question}}\nAnswer:",
    "doc_to_choice": "{{choices}}",
    "doc_to_target": "{{answer}}",
}
_INCLUDED = {
    "mmlu": "mmlu/default/_default_template_yaml",
    "medmcqa": "medmcqa/medmcqa.yaml",
    "medqa": "medqa/medqa.yaml",
    "pubmedqa": "pubmedqa/pubmedqa.yaml",
}


@dataclass(frozen=True)
class HarnessFile:
    """Questions to be asked in a style, with examples before each."""

    style: str
    questions: Sequence[Question]
    shots: Sequence[Question] = ()


@dataclass(frozen=True)
class HarnessResult:
    """What the harness says of one file.

    Attributes:
        metrics: value and standard error by :data:`METRICS`.
        log_likelihoods: of each question's options, nats.
    """

    metrics: Mapping[str, tuple[float, float]]
    log_likelihoods: tuple[tuple[float, ...], ...]


def check_harness(files: Sequence[HarnessFile] = ()) -> None:
    """Fail at the door where the harness cannot be run.

    Raises:
        CharthouseError: it is not installed, or has no task for questions as these.
    """
    missing = [name for name in ("lm_eval", "datasets") if importlib.util.find_spec(name) is None]
    if missing:
        raise CharthouseError(
            f"--harness: {missing[0]} is not installed", "pip install 'charthouse[harness]'"
        )
    for file in files:
        four = all(len(question.options) == 4 for question in (*file.questions, *file.shots))
        if file.style in ("mmlu", "medmcqa", "medqa") and not four:
            raise CharthouseError(
                f"--harness: its task for the style {file.style} takes four options",
                "Leave --harness out, or add --style text",
            )
        if len({find_style(file.style).describe(question) for question in file.questions}) > 1:
            raise CharthouseError(
                f"--harness: its task for the style {file.style} is of one subject, this file of "
                "several",
                "Leave --harness out, or take another style",
            )
        if any(question.answer is None for question in (*file.questions, *file.shots)):
            raise CharthouseError("--harness: a question has no answer", "Leave it out")


def run_harness(
    source: ModelSource, device: Device, files: Sequence[HarnessFile]
) -> list[HarnessResult]:
    """Run the harness on a causal model, once for all files.

    Raises:
        CharthouseError: it is not installed, has no such task, or fails.
        ModelError: the model is no causal language model.
    """
    check_harness(files)
    parts = check_causal(source)
    arguments: dict[str, Any] = {
        "pretrained": str(parts.base.folder),
        "tokenizer": str(parts.tokenizer),
        "dtype": str(device.dtype).removeprefix("torch."),
    }
    if parts.adapter:
        arguments["peft"] = str(parts.adapter)
    with TemporaryDirectory(prefix="charthouse-harness-") as folder:
        names = [
            _write_task(Path(folder), f"charthouse_{number}", file)
            for number, file in enumerate(files)
        ]
        try:
            with _quiet():
                results = _evaluate(Path(folder), names, arguments, device.name, files)
        except Exception as error:  # raises many kinds, which may hold text of questions
            raise CharthouseError(
                f"lm-evaluation-harness failed ({type(error).__name__})", "Leave --harness out"
            ) from error
    return [_result(results, name) for name in names]


def harness_version() -> str:
    """The version that is installed."""
    from importlib.metadata import version

    return version("lm_eval")


def _evaluate(
    folder: Path,
    names: Sequence[str],
    arguments: Mapping[str, Any],
    device: str,
    files: Sequence[HarnessFile],
) -> dict[str, Any]:
    from lm_eval import simple_evaluate
    from lm_eval.tasks import TaskManager

    result: dict[str, Any] = simple_evaluate(
        model="hf",
        model_args=dict(arguments),
        tasks=list(names),
        num_fewshot=None,  # as each task file says
        batch_size=_ROWS,
        device=device,
        bootstrap_iters=1,  # standard errors of means are formulas, but asked for by this
        log_samples=True,
        task_manager=TaskManager(include_path=str(folder), include_defaults=False),
    )
    return result


def _result(results: Mapping[str, Any], name: str) -> HarnessResult:
    figures, samples = results["results"][name], results["samples"][name]
    metrics = {}
    for metric in METRICS:
        error = figures.get(f"{metric}_stderr,none")
        known = isinstance(error, int | float)
        metrics[metric] = (float(figures[f"{metric},none"]), float(error) if known else 0.0)
    ordered = sorted(samples, key=lambda sample: int(sample["doc_id"]))
    return HarnessResult(
        metrics,
        tuple(tuple(float(ll) for ll, _ in sample["filtered_resps"]) for sample in ordered),
    )


def _write_task(folder: Path, name: str, file: HarnessFile) -> str:
    """Write questions, examples and the task's YAML, which JSON is a part of."""
    files = {"test": str(_write_rows(folder / f"{name}_test.jsonl", file.style, file.questions))}
    task: dict[str, Any] = {
        "task": name,
        "dataset_path": "json",
        "dataset_name": None,
        "training_split": None,
        "validation_split": None,
        "test_split": "test",
        "fewshot_split": None,
        "num_fewshot": len(file.shots),
        "metric_list": [
            {"metric": metric, "aggregation": "mean", "higher_is_better": True}
            for metric in METRICS
        ],
    }
    if file.style in _INCLUDED:
        task["include"] = str(_tasks_folder() / _INCLUDED[file.style])
    else:
        task |= _TEXT_TASK
    if description := find_style(file.style).describe(file.questions[0]):
        task["description"] = description
    if file.shots:
        files["shots"] = str(_write_rows(folder / f"{name}_shots.jsonl", file.style, file.shots))
        task["fewshot_split"] = "shots"
        task["fewshot_config"] = {"sampler": "first_n"}
    task["dataset_kwargs"] = {"data_files": files, "cache_dir": str(folder / "cache")}
    (folder / f"{name}.yaml").write_text(json.dumps(task, indent=1), encoding="utf-8")
    return name


def _tasks_folder() -> Path:
    import lm_eval.tasks

    return Path(str(lm_eval.tasks.__file__)).parent


def _write_rows(path: Path, style: str, questions: Sequence[Question]) -> Path:
    rows = [json.dumps(_row(style, question)) for question in questions]
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return path


def _row(style: str, question: Question) -> dict[str, Any]:
    """A question in the columns of the hub's data set."""
    options, answer = list(question.options), question.answer
    if answer is None:
        raise ValueError("a question without an answer")
    if style == "pubmedqa":
        return {
            "QUESTION": question.text,
            "CONTEXTS": question.context.split("\n"),
            "final_decision": options[answer],
        }
    if style == "medmcqa":
        named = dict(zip(("opa", "opb", "opc", "opd"), options, strict=True))
        return {"question": question.text, **named, "cop": answer}
    if style == "medqa":
        named = {f"ending{number}": option for number, option in enumerate(options)}
        return {"sent1": question.text, **named, "label": answer}
    return {"question": question.text, "choices": options, "answer": answer}


@contextmanager
def _quiet() -> Iterator[None]:
    """Neither logs nor bars: they may hold text of questions. And no word to a network."""
    for name in ("HF_HUB_OFFLINE", "HF_DATASETS_OFFLINE", "TRANSFORMERS_OFFLINE"):
        os.environ.setdefault(name, "1")
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
            yield
    finally:
        logging.disable(before)
