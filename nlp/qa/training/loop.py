"""Fine-tuning a model to score options: softmax over a question's options, cross-entropy."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForSequenceClassification

from nlp.ner.device import Device, choose_device
from nlp.ner.errors import TrainingError
from nlp.ner.pretrained import unreadable
from nlp.ner.source import ModelSource, read_config
from nlp.qa.encoding import OptionEncoder, Row, collate
from nlp.qa.head import HeadScorer, load_head, load_tokenizer, option_logits
from nlp.qa.layout import Layout, default_layout, write_layout
from nlp.qa.question import Question
from nlp.qa.training.recipe import QaRecipe
from nlp.training.adapters import add_adapters
from nlp.training.progress import Report
from nlp.training.trainer import Judge, Schedule, fit

Example = tuple[tuple[Row, ...], int]
"""Rows of a question, one an option, and the place of the right one."""

DESCRIPTION = "training.json"


def train(
    base: ModelSource,
    questions: Sequence[Question],
    dev: Sequence[Question],
    out: Path,
    recipe: QaRecipe,
    *,
    checkpoints: Path,
    device: str = "auto",
    report: Report = lambda progress: None,
    describe: Mapping[str, Any] | None = None,
) -> dict[str, int]:
    """Fine-tune the base and save a model that scores options to ``out``.

    Args:
        base: an encoder or a causal model.
        questions: to learn from; those without an answer are left out.
        dev: to judge each epoch by.
        out: folder that receives config, fp32 weights, tokenizer, qa.json and training.json.
        recipe: settings.
        checkpoints: folder for the state of the training, which goes on from what is there.
        device: ``auto``, ``cpu``, ``cuda`` or ``cuda:N``.
        report: receives progress; scores are the dev ``accuracy``.
        describe: what training.json says beside the recipe.

    Returns:
        Of the saved model: dev questions, and those answered right.

    Raises:
        TrainingError: nothing to learn from, or the base cannot be trained.
        ModelError: the base's files cannot be loaded, or the device is not there.
        QuestionError: an option does not fit into the model's context.
    """
    chosen = choose_device(device)
    learnt, judged = prepare(questions, recipe, train=True), prepare(dev, recipe, train=False)
    if not learnt or not judged:
        raise TrainingError("no question with an answer is left to learn from or to judge by")
    torch.manual_seed(recipe.seed)
    layout = layout_for(base, recipe)
    encoder = OptionEncoder(load_tokenizer(base), layout)
    network = _build(base, recipe, encoder.pad)
    examples = [_example(encoder, question) for question in learnt]

    def loss(model: Any, batch: dict[str, Any]) -> torch.Tensor:
        return question_loss(model, batch, recipe.focal)

    def accuracy(model: Any) -> dict[str, float]:
        scorer = HeadScorer("training", model, encoder, chosen)
        with torch.autocast(
            chosen.name.partition(":")[0], chosen.dtype, enabled=chosen.dtype == torch.bfloat16
        ):
            return {"accuracy": right(scorer, judged) / len(judged)}

    fit(
        network,
        examples,
        lambda batch: _collate(batch, encoder.pad),
        loss,
        Judge(accuracy, "accuracy"),
        Schedule(
            epochs=recipe.epochs,
            batch=recipe.batch_questions,
            accumulation=recipe.accumulation,
            rate=recipe.rate,
            decay="linear",
            weight_decay=recipe.weight_decay,
            warmup_share=recipe.warmup_share,
            patience=recipe.patience,
            gradient_checkpointing=recipe.gradient_checkpointing,
            seed=recipe.seed,
        ),
        checkpoints=checkpoints,
        device=chosen,
        report=report,
    )
    _save(network, base, out, layout, recipe, describe or {})
    return score_head(ModelSource("trained", out), dev, recipe, chosen)


def prepare(questions: Sequence[Question], recipe: QaRecipe, *, train: bool) -> list[Question]:
    """Questions with an answer, with the contexts that the recipe asks for."""
    known = [question for question in questions if question.answer is not None]
    explained = [replace(q, context=q.explanation) for q in known if q.explanation]
    if recipe.explanations == "instead":
        return explained
    return [*known, *explained] if train and recipe.explanations == "also" else known


def layout_for(base: ModelSource, recipe: QaRecipe) -> Layout:
    """The layout of a base's rows, shortened where the recipe says so."""
    layout = default_layout(read_config(base))
    return replace(layout, max_tokens=min(layout.max_tokens, recipe.max_tokens or 10**9))


def question_loss(model: Any, batch: dict[str, Any], focal: float) -> torch.Tensor:
    """Mean loss a question; questions may have different numbers of options."""
    rows = {name: value for name, value in batch.items() if name not in {"counts", "answers"}}
    logits = option_logits(model, rows).float()
    losses = []
    for scores, answer in zip(
        torch.split(logits, batch["counts"].tolist()), batch["answers"].tolist(), strict=True
    ):
        found = scores.log_softmax(0)[answer]
        losses.append(-found * (1 - found.exp()) ** focal if focal else -found)
    return torch.stack(losses).mean()


def score_head(
    source: ModelSource, dev: Sequence[Question], recipe: QaRecipe, device: Device
) -> dict[str, int]:
    """Dev questions, and how many of them the model in a folder answers right."""
    judged = prepare(dev, recipe, train=False)
    return {"questions": len(judged), "right": right(load_head(source, device), judged)}


def right(scorer: HeadScorer, questions: Sequence[Question]) -> int:
    """How many questions are answered right."""
    found = scorer.scores(questions)
    return sum(s.chosen == q.answer for s, q in zip(found, questions, strict=True))


def _example(encoder: OptionEncoder, question: Question) -> Example:
    assert question.answer is not None
    return encoder.encode(question).rows, question.answer


def _collate(batch: Sequence[Example], pad: int) -> dict[str, Any]:
    return {
        **collate([row for rows, _ in batch for row in rows], pad),
        "counts": torch.tensor([len(rows) for rows, _ in batch]),
        "answers": torch.tensor([answer for _, answer in batch]),
    }


def _build(base: ModelSource, recipe: QaRecipe, pad: int) -> Any:
    try:
        network = AutoModelForSequenceClassification.from_pretrained(
            base.folder, local_files_only=True, num_labels=1, dtype=torch.float32
        )
    except Exception as error:  # damaged files raise many unrelated kinds
        raise unreadable(base, error) from error
    network.config.pad_token_id = pad
    if not recipe.lora_rank:
        return network
    try:
        return add_adapters(
            network, rank=recipe.lora_rank, alpha=0, dropout=0.0, targets=(), task="SEQ_CLS"
        )
    except ValueError as error:
        raise TrainingError(f"model {base.name} takes no low-rank adapters") from error


def _save(
    network: Any,
    base: ModelSource,
    out: Path,
    layout: Layout,
    recipe: QaRecipe,
    describe: Mapping[str, Any],
) -> None:
    out.mkdir(parents=True, exist_ok=True)
    if hasattr(network, "merge_and_unload"):
        network = network.merge_and_unload()
    network.save_pretrained(out)
    from nlp.training.files import copy_tokenizer

    copy_tokenizer(base.folder, out)
    write_layout(out, layout)
    described = {"recipe": asdict(recipe), **describe}
    (out / DESCRIPTION).write_text(json.dumps(described, indent=1) + "\n", encoding="utf-8")
