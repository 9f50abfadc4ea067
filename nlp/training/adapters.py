"""Low-rank adapters (Hu et al. 2021, https://arxiv.org/abs/2106.09685), by peft."""

from __future__ import annotations

from typing import Any

TARGETS = {
    "gpt2": ("c_attn",),
    "biogpt": ("q_proj", "v_proj"),
    "bert": ("query", "value"),
    "roberta": ("query", "value"),
}
"""Layers that get adapters, by model type; of others all linear layers do."""


def targets_for(model_type: str, given: tuple[str, ...] = ()) -> tuple[str, ...] | str:
    """Names of layers: those given, else what the architecture is known to want."""
    return given or TARGETS.get(model_type, "all-linear")


def add_adapters(
    network: Any, *, rank: int, alpha: float, dropout: float, targets: tuple[str, ...], task: str
) -> Any:
    """The network with adapters; only these, and a new head, are trained.

    Args:
        network: of transformers.
        rank: of the adapters.
        alpha: their output is scaled by alpha / rank; 0 = twice the rank.
        dropout: before them.
        targets: names of layers; none for those of the architecture.
        task: peft's task type, ``CAUSAL_LM`` or ``SEQ_CLS``.

    Raises:
        ValueError: no layer has one of these names.
    """
    from peft import LoraConfig, get_peft_model

    kind = network.config.model_type
    chosen = targets_for(kind, targets)
    config = LoraConfig(
        r=rank,
        lora_alpha=alpha or 2 * rank,  # type: ignore[arg-type]  # peft takes any number
        lora_dropout=dropout,
        target_modules=chosen if isinstance(chosen, str) else list(chosen),
        task_type=task,
        fan_in_fan_out=kind == "gpt2",  # its layers are transposed
    )
    return get_peft_model(network, config)
