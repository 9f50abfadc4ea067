"""Where the forward pass runs and in which number format."""

from __future__ import annotations

import re
from dataclasses import dataclass

import torch

from nlp.ner.errors import ModelError


@dataclass(frozen=True)
class Device:
    """A device, its number format, and how many padded tokens a batch may hold there."""

    name: str
    dtype: torch.dtype
    token_budget: int

    @property
    def on_cuda(self) -> bool:
        """Whether the forward pass runs on an NVIDIA GPU."""
        return self.name.startswith("cuda")


def choose_device(name: str = "auto", precision: str = "auto") -> Device:
    """Pick the device and the number format.

    Args:
        name: ``auto`` (CUDA where there is one), ``cpu``, ``cuda`` or ``cuda:N``.
        precision: ``auto`` (bf16 where the hardware multiplies it), ``bf16`` or ``fp32``.

    Raises:
        ModelError: the device is unknown or not there, or the precision is unknown.
    """
    if precision not in {"auto", "bf16", "fp32"}:
        raise ModelError(f"precision {precision} is unknown; use auto, bf16 or fp32")
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    known = re.fullmatch(r"cpu|cuda(?::(\d+))?", name)
    if not known:
        raise ModelError(f"device {name} is unknown; use auto, cpu, cuda or cuda:N")
    if name.startswith("cuda") and not torch.cuda.is_available():
        raise ModelError(f"device {name}: torch sees no NVIDIA GPU; use --device cpu")
    if int(known[1] or 0) >= max(1, torch.cuda.device_count()):
        raise ModelError(f"device {name}: torch sees only {torch.cuda.device_count()} NVIDIA GPUs")
    if name.startswith("cuda"):
        wants_bf16 = precision == "bf16" or (
            precision == "auto" and torch.cuda.is_bf16_supported(including_emulation=False)
        )
        return Device(name, torch.bfloat16 if wants_bf16 else torch.float32, 65_536)
    wants_bf16 = precision == "bf16" or (precision == "auto" and cpu_multiplies_bf16())
    return Device(name, torch.bfloat16 if wants_bf16 else torch.float32, 2_048)


def cpu_multiplies_bf16() -> bool:
    """Whether the CPU has bf16 instructions (AVX512-BF16 or AMX); emulation would be slower."""
    able = torch.cpu.get_capabilities()
    return bool(able.get("avx512_bf16") or able.get("amx_bf16"))
