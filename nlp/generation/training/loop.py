"""Fine-tuning a causal language model: cross-entropy of the next token, all weights or LoRA."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch.nn.functional import cross_entropy

from nlp.generation.device import choose_text_device
from nlp.generation.model import load_codec, load_parts
from nlp.generation.source import check_causal
from nlp.generation.training.lesson import Lesson
from nlp.generation.training.memory import Memory, estimate
from nlp.generation.training.recipe import LmRecipe
from nlp.generation.training.rows import UNLEARNT, Row, collate, make_batches, make_rows
from nlp.ner.device import Device
from nlp.ner.errors import ModelError, TrainingError
from nlp.ner.source import ModelSource
from nlp.training.adapters import add_adapters
from nlp.training.files import copy_tokenizer
from nlp.training.progress import Report
from nlp.training.trainer import Judge, Schedule, fit

DESCRIPTION = "training.json"


@dataclass(frozen=True)
class Preview:
    """What a training would go through.

    Attributes:
        rows: of train and dev.
        learnt: tokens that are learnt in an epoch.
        steps_per_epoch: optimiser steps.
        memory: of a GPU, computed from shapes.
    """

    rows: tuple[int, int]
    learnt: int
    steps_per_epoch: int
    memory: Memory


def preview(
    base: ModelSource, lessons: Sequence[Lesson], dev: Sequence[Lesson], recipe: LmRecipe
) -> Preview:
    """Count rows and steps with the base's tokenizer; its weights are not read.

    Raises:
        TrainingError: as :func:`train`.
        ModelError: as :func:`train`.
    """
    config, codec, context = load_codec(base)
    longest = _longest(recipe, context)
    rows, judged = (make_rows(some, codec, longest) for some in (lessons, dev))
    batches = make_batches(rows, recipe.batch_tokens, recipe.seed)
    tokens = max(len(batch) * max(len(row.tokens) for row in batch) for batch in batches)
    return Preview(
        (len(rows), len(judged)),
        sum(row.learnt for row in rows),
        math.ceil(len(batches) / recipe.accumulation),
        estimate(config, recipe, tokens, max(len(row.tokens) for row in rows)),
    )


def train(
    base: ModelSource,
    lessons: Sequence[Lesson],
    dev: Sequence[Lesson],
    out: Path,
    recipe: LmRecipe,
    *,
    checkpoints: Path,
    device: str = "auto",
    report: Report = lambda progress: None,
    describe: Mapping[str, Any] | None = None,
) -> dict[str, float]:
    """Fine-tune the base and save a causal language model, or its adapter, to ``out``.

    On a GPU the forward pass is in bf16; weights that are trained are kept in fp32, a base that
    only carries adapters in bf16. Adapters are merged into the base's own weights in fp32.

    Args:
        base: a causal model, or an adapter of one, which is merged first.
        lessons: to learn from.
        dev: to judge each epoch by.
        out: folder that receives config, fp32 weights, tokenizer and training.json.
        recipe: settings.
        checkpoints: folder for the state of the training, which goes on from what is there.
        device: ``auto``, ``cpu``, ``cuda`` or ``cuda:N``.
        report: receives progress; scores are ``dev_loss`` a token and ``perplexity``.
        describe: what training.json says beside the recipe.

    Returns:
        ``loss`` and ``perplexity`` on dev, and the ``tokens`` that were judged.

    Raises:
        TrainingError: completions do not fit, or the base cannot be trained.
        ModelError: the base's files cannot be loaded, or the device is not there.
    """
    chosen = choose_text_device(device)
    torch.manual_seed(recipe.seed)
    frozen = recipe.lora_rank > 0
    network, codec, context = load_parts(
        base, chosen if frozen else replace(chosen, dtype=torch.float32)
    )
    longest = _longest(recipe, context)
    rows, judged = (make_rows(some, codec, longest) for some in (lessons, dev))
    if not rows or not judged:
        raise TrainingError("no token is left to learn or to judge by")
    if frozen:
        network = _adapted(network, base, recipe)
    dev_batches = make_batches(judged, recipe.batch_tokens)

    def scores(model: Any) -> dict[str, float]:
        loss = dev_loss(model, dev_batches, chosen)
        return {"dev_loss": loss, "perplexity": perplexity(loss)}

    found = fit(
        network,
        make_batches(rows, recipe.batch_tokens, recipe.seed),
        lambda batches: collate(batches[0]),
        token_loss,
        Judge(scores, "perplexity", lower_is_better=True),
        Schedule(
            epochs=recipe.epochs,
            batch=1,  # an example is a batch of rows already
            accumulation=recipe.accumulation,
            rate=recipe.rate,
            decay="cosine",
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
    _save(network, base, out, recipe, describe or {})
    return {
        "tokens": sum(row.learnt for row in judged),
        "loss": found["dev_loss"],
        "perplexity": found["perplexity"],
    }


def token_loss(model: Any, batch: Mapping[str, torch.Tensor]) -> torch.Tensor:
    """Mean loss of the tokens that are learnt, in nats."""
    logits, labels = _forward(model, batch)
    return cross_entropy(logits, labels, ignore_index=UNLEARNT)


def dev_loss(model: Any, batches: Sequence[Sequence[Row]], device: Device) -> float:
    """Mean loss a token over all batches, in nats."""
    total, count = 0.0, 0
    with torch.no_grad(), _number_format(device):
        for rows in batches:
            batch = {name: value.to(model.device) for name, value in collate(rows).items()}
            logits, labels = _forward(model, batch)
            loss = cross_entropy(logits, labels, ignore_index=UNLEARNT, reduction="sum")
            total, count = total + float(loss), count + int((labels != UNLEARNT).sum())
    return total / max(1, count)


def perplexity(loss: float) -> float:
    """Of a mean loss a token in nats."""
    return math.exp(min(loss, 700.0))


def _forward(model: Any, batch: Mapping[str, torch.Tensor]) -> tuple[torch.Tensor, torch.Tensor]:
    """Logits of the positions before each token, and the tokens."""
    output = model(
        input_ids=batch["input_ids"], attention_mask=batch["attention_mask"], use_cache=False
    )
    logits = output.logits[:, :-1].float()
    return logits.flatten(0, 1), batch["labels"][:, 1:].flatten()


@contextmanager
def _number_format(device: Device) -> Iterator[None]:
    kind = device.name.partition(":")[0]
    with torch.autocast(kind, device.dtype, enabled=device.dtype == torch.bfloat16):
        yield


def _longest(recipe: LmRecipe, context: int) -> int:
    return max(2, min(context, recipe.max_tokens or context))


def _adapted(network: Any, base: ModelSource, recipe: LmRecipe) -> Any:
    if recipe.gradient_checkpointing:  # a frozen first layer would cut the gradient off
        network.enable_input_require_grads()
    try:
        return add_adapters(
            network,
            rank=recipe.lora_rank,
            alpha=recipe.lora_alpha,
            dropout=0.0,
            targets=(),
            task="CAUSAL_LM",
        )
    except ValueError as error:
        raise TrainingError(f"model {base.name} takes no low-rank adapters") from error


def _save(
    network: Any, base: ModelSource, out: Path, recipe: LmRecipe, describe: Mapping[str, Any]
) -> None:
    out.mkdir(parents=True, exist_ok=True)
    if recipe.lora_rank and recipe.adapter_only:
        _save_adapter(network, base, out)
    elif recipe.lora_rank:
        _merged(network, base).save_pretrained(out)
    else:
        network.save_pretrained(out)
    copy_tokenizer(check_causal(base).tokenizer, out)
    described = {"recipe": asdict(recipe), **describe}
    (out / DESCRIPTION).write_text(json.dumps(described, indent=1) + "\n", encoding="utf-8")


def _save_adapter(network: Any, base: ModelSource, out: Path) -> None:
    """Adapters, and in their config where the base is found again."""
    where = base.name if base.name.startswith("hub:") else str(base.folder.resolve())
    network.peft_config["default"].base_model_name_or_path = where
    network.save_pretrained(out)
    (out / "README.md").unlink(missing_ok=True)  # peft's form of a model card, not filled in


def _merged(network: Any, base: ModelSource) -> Any:
    """Adapters merged into the base, in fp32 whatever the base was trained beside in."""
    network = network.to("cpu")
    if network.get_base_model().dtype == torch.float32:
        return network.merge_and_unload()
    from peft import get_peft_model, get_peft_model_state_dict, set_peft_model_state_dict

    try:
        exact, _, _ = load_parts(base, Device("cpu", torch.float32, 0))
    except ModelError as error:
        raise TrainingError(f"{error}; it was there when the training began") from None
    merging = get_peft_model(exact, network.peft_config["default"])
    set_peft_model_state_dict(merging, get_peft_model_state_dict(network))
    return merging.merge_and_unload()
