"""Mixed precision: parameters in float32 beside a network that computes in a shorter format."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch


class Masters:
    """The float32 values of a network's trainable parameters, and their running mean.

    Gradients come out of the network, steps are taken on the masters, and the network receives
    their rounded values (Micikevicius et al. 2018, without loss scaling, which bf16 does not need).
    """

    def __init__(
        self,
        module: torch.nn.Module,
        network: torch.nn.Module,
        dtype: torch.dtype,
        average: float,
    ) -> None:
        """Take the module's trainable parameters, then convert ``network``, a part of it.

        Args:
            module: what is trained.
            network: the part of it that computes in ``dtype``.
            dtype: bfloat16 or float32.
            average: decay a step of the running mean; 0 keeps none.
        """
        named = [(n, p) for n, p in module.named_parameters() if p.requires_grad]
        self.names = [name for name, _ in named]
        self.values = [p.detach().float().clone().requires_grad_() for _, p in named]
        self._network = network.to(dtype)
        self._module = module
        self._average = average
        self._means = [p.detach().clone() for p in self.values] if average else []
        self._steps = 0

    def optimiser(
        self,
        rate: Callable[[str], float],
        weight_decay: float,
        betas: tuple[float, float] = (0.9, 0.999),
    ) -> torch.optim.Optimizer:
        """AdamW on the masters; vectors (biases, norms) do not decay.

        Args:
            rate: highest learning rate of a parameter, given its name.
            weight_decay: of matrices.
            betas: AdamW's.
        """
        groups: dict[tuple[float, float], list[torch.Tensor]] = {}
        for name, value in zip(self.names, self.values, strict=True):
            decay = weight_decay if value.ndim > 1 else 0.0
            groups.setdefault((rate(name), decay), []).append(value)
        return torch.optim.AdamW(
            [
                {"params": members, "lr": highest, "highest": highest, "weight_decay": decay}
                for (highest, decay), members in groups.items()
            ],
            betas=betas,
            fused=True,
        )

    @staticmethod
    def set_rate(optimiser: torch.optim.Optimizer, share: float) -> None:
        """Set every group's rate to a share of its highest."""
        for group in optimiser.param_groups:
            group["lr"] = group["highest"] * share

    def take_gradients(self, largest_norm: float = 1.0) -> None:
        """Move the network's gradients to the masters and clip their norm."""
        for value, live in zip(self.values, self._live(), strict=True):
            value.grad = None if live.grad is None else live.grad.float()
            live.grad = None
        torch.nn.utils.clip_grad_norm_(self.values, largest_norm)

    @torch.no_grad()
    def publish(self) -> None:
        """Give the network the masters' values, and move the mean towards them."""
        self._steps += 1
        if self._means:
            # Early on the mean follows closely, so that the first weights leave no trace.
            decay = min(self._average, (1 + self._steps) / (10 + self._steps))
            torch._foreach_lerp_(self._means, self.values, 1 - decay)
        self._give(self.values)

    def show_kept(self, dtype: torch.dtype | None = None) -> None:
        """Give the network what is kept: the means where there are any, else the masters."""
        if dtype is not None:
            self._network.to(dtype)
        self._give(self._means or self.values)

    def show_masters(self) -> None:
        """Give the network the masters again."""
        self._give(self.values)

    def kept(self) -> list[torch.Tensor]:
        """The values that :meth:`show_kept` shows, float32, in the order of ``names``."""
        return [value.detach() for value in self._means or self.values]

    @torch.no_grad()
    def give_kept(self, values: list[torch.Tensor]) -> None:
        """Make earlier values of :meth:`kept` the masters and the means."""
        for own in (self.values, self._means):
            for value, other in zip(own, values, strict=bool(own)):
                value.copy_(other)
        self._give(self.values)

    def state(self) -> dict[str, Any]:
        """For a checkpoint."""
        return {"values": self.values, "means": self._means, "steps": self._steps}

    @torch.no_grad()
    def load(self, state: dict[str, Any]) -> None:
        """Take a checkpoint's values up again."""
        for own, stored in ((self.values, state["values"]), (self._means, state["means"])):
            for value, old in zip(own, stored, strict=True):
                value.copy_(old)
        self._steps = state["steps"]
        self._give(self.values)

    def _live(self) -> list[torch.nn.Parameter]:
        # Looked up each time: converting a network may replace its parameters.
        return [p for p in self._module.parameters() if p.requires_grad]

    @torch.no_grad()
    def _give(self, values: list[torch.Tensor]) -> None:
        for live, value in zip(self._live(), values, strict=True):
            live.copy_(value)


def decayed_rate(done: float, warmup: float) -> float:
    """Share of the highest rate after a share of the training: up linearly, then down to 0."""
    if done < warmup:
        return done / warmup
    return max(0.0, (1 - done) / (1 - warmup))
