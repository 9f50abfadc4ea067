"""Names to vectors: a sentence encoder, loaded onto its device.

Imports torch and transformers; import it where it is used, not where a store is opened.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch.nn import functional
from transformers import AutoModel, PreTrainedModel, PreTrainedTokenizerFast

from ontologies.encoder_source import EncoderSource, Pooling, encoder_fingerprint, find_encoder
from ontologies.errors import OntologyError
from ontologies.pretrained import Pretrained

MAX_TOKENS = 128
"""Tokens of a name that are read, special ones included; what follows is cut off."""

_CPU_TOKENS = 512
_CUDA_TOKENS = 32_768


class NameEncoder:
    """A sentence encoder on its device; vectors have length 1, so that products are cosines.

    **Company.** Names of one batch have the same number of tokens: nothing is padded, no mask is
    needed. On a CPU every batch of a length has the same shape, filled up where names are missing,
    so that the same kernels run whatever comes along: a name's vector is the same to the last digit
    alone and among others. On CUDA batches are not filled up, and vectors agree to the rounding of
    the number format (cosines to 0.01 in half precision).

    Attributes:
        source: where it came from.
        fingerprint: SHA-256 of all that decides its vectors.
        dimension: of a vector.
        device: ``cpu``, ``cuda`` or ``cuda:N``.
    """

    def __init__(
        self, source: EncoderSource, device: str = "auto", precision: str = "auto"
    ) -> None:
        """Load weights and tokenizer.

        Args:
            source: a folder that was found.
            device: ``auto`` (CUDA where there is one), ``cpu``, ``cuda`` or ``cuda:N``.
            precision: ``auto`` (half on CUDA; bf16 on a CPU that multiplies it; else fp32),
                ``half``, ``bf16`` or ``fp32``.

        Raises:
            OntologyError: the device is not there, the precision is unknown, or the files cannot
                be loaded, lack weights, or give a tokenizer without a fast form.
        """
        self.source = source
        self.fingerprint = encoder_fingerprint(source)
        self.device = choose_device(device)
        dtype = _dtype(self.device, precision)
        self._tokenizer = load_tokenizer(source)
        network: Any = load_network(source, dtype)
        self._network = network.eval().to(self.device)
        self.dimension = int(self._network.config.hidden_size)

    @classmethod
    def open(
        cls,
        name: str,
        *,
        pooling: Pooling | None = None,
        device: str = "auto",
        precision: str = "auto",
    ) -> NameEncoder:
        """Find an encoder by name (see ``find_encoder``) and load it."""
        return cls(find_encoder(name, pooling), device, precision)

    def encode(self, names: Sequence[str]) -> npt.NDArray[np.float32]:
        """Vectors of names, shape (names, dimension), each of length 1."""
        out = np.empty((len(names), self.dimension), dtype=np.float32)
        if not names:
            return out
        tokens = self._tokenizer(list(names), truncation=True, max_length=MAX_TOKENS)["input_ids"]
        on_cpu = self.device == "cpu"
        budget = _CPU_TOKENS if on_cpu else _CUDA_TOKENS
        for rows in _batches(tokens, budget):
            batch = [tokens[row] for row in rows]
            if on_cpu:
                batch += [batch[0]] * (_batch_rows(len(batch[0]), budget) - len(rows))
            with torch.inference_mode():
                ids = torch.tensor(batch, device=self.device)
                hidden = self._network(input_ids=ids, attention_mask=torch.ones_like(ids))
                vectors = pool(hidden.last_hidden_state, None, self.source.pooling)
            out[rows] = vectors[: len(rows)].cpu().numpy()
        return out


def pool(hidden: torch.Tensor, mask: torch.Tensor | None, pooling: Pooling) -> torch.Tensor:
    """Float32 vectors of length 1, shape (names, dimension).

    Args:
        hidden: last hidden states, shape (names, tokens, dimension).
        mask: 1 for tokens and 0 for padding, shape (names, tokens); None where nothing is padded.
        pooling: what stands for a name.
    """
    if pooling == "cls":
        vectors = hidden[:, 0].float()
    elif mask is None:
        vectors = hidden.float().mean(dim=1)
    else:
        weight = mask[:, :, None].float()
        vectors = (hidden.float() * weight).sum(dim=1) / weight.sum(dim=1)
    return functional.normalize(vectors, dim=-1)


def load_network(source: EncoderSource, dtype: torch.dtype) -> PreTrainedModel:
    """The encoder's network.

    Raises:
        OntologyError: its files cannot be loaded, or lack weights.
    """
    # The pooler is a layer on top of the states that are used here.
    network: PreTrainedModel = _files(source).network(
        AutoModel, dtype, "a whole encoder", unused="pooler."
    )
    return network


def load_tokenizer(source: EncoderSource) -> PreTrainedTokenizerFast:
    """The encoder's tokenizer.

    Raises:
        OntologyError: its files cannot be loaded, or it has no fast form.
    """
    tokenizer = _files(source).tokenizer()
    if not isinstance(tokenizer, PreTrainedTokenizerFast):
        raise OntologyError(
            f"encoder {source.name}: its tokenizer has no fast form; save it with a tokenizer.json"
        )
    tokenizer.backend_tokenizer.encode_special_tokens = True  # a name's [SEP] means those letters
    return tokenizer


def choose_device(name: str) -> str:
    """``auto`` resolved, any other name checked.

    Raises:
        OntologyError: the device is unknown or not there.
    """
    if name == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    known = re.fullmatch(r"cpu|cuda(?::(\d+))?", name)
    if not known:
        raise OntologyError(f"device {name} is unknown; use auto, cpu, cuda or cuda:N")
    if name != "cpu" and int(known[1] or 0) >= torch.cuda.device_count():
        count = torch.cuda.device_count()
        raise OntologyError(f"device {name}: torch sees {count} NVIDIA GPUs; use cpu")
    return name


def cpu_multiplies_bf16() -> bool:
    """Whether the CPU has bf16 instructions (AVX512-BF16 or AMX); emulation would be slower."""
    able = torch.cpu.get_capabilities()
    return bool(able.get("avx512_bf16") or able.get("amx_bf16"))


def _dtype(device: str, precision: str) -> torch.dtype:
    known = {"half": torch.float16, "bf16": torch.bfloat16, "fp32": torch.float32}
    if precision in known:
        return known[precision]
    if precision != "auto":
        raise OntologyError(f"precision {precision} is unknown; use auto, half, bf16 or fp32")
    if device != "cpu":
        return torch.float16
    return torch.bfloat16 if cpu_multiplies_bf16() else torch.float32


def _batches(tokens: Sequence[Sequence[int]], budget: int) -> Iterator[npt.NDArray[np.int64]]:
    """Rows of names with the same number of tokens, as many as the budget of tokens holds."""
    lengths = np.array([len(ids) for ids in tokens])
    order = np.argsort(lengths, kind="stable")
    for group in np.split(order, np.flatnonzero(np.diff(lengths[order])) + 1):
        size = _batch_rows(int(lengths[group[0]]), budget)
        for start in range(0, len(group), size):
            yield group[start : start + size]


def _batch_rows(length: int, budget: int) -> int:
    return max(1, budget // length)


def _files(source: EncoderSource) -> Pretrained:
    return Pretrained("encoder", source.name, source.folder)
