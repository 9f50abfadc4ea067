"""Device and number format are checked before anything is loaded."""

from __future__ import annotations

import pytest
import torch

from nlp.ner.device import choose_device
from nlp.ner.errors import ModelError


@pytest.fixture
def no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)


@pytest.fixture
def two_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation: True)


def test_precision_as_asked() -> None:
    assert choose_device("cpu", "fp32").dtype is torch.float32
    assert choose_device("cpu", "bf16").dtype is torch.bfloat16


@pytest.mark.usefixtures("no_gpu")
def test_auto_without_gpu() -> None:
    device = choose_device("auto", "fp32")
    assert device.name == "cpu"
    assert not device.on_cuda


@pytest.mark.usefixtures("two_gpus")
def test_auto_with_gpu() -> None:
    device = choose_device()
    assert (device.name, device.dtype) == ("cuda", torch.bfloat16)
    assert device.on_cuda
    assert choose_device("cuda:1", "fp32").dtype is torch.float32


@pytest.mark.usefixtures("no_gpu")
@pytest.mark.parametrize("name", ["cuda", "cuda:0"])
def test_gpu_that_is_not_there(name: str) -> None:
    with pytest.raises(ModelError, match="--device cpu"):
        choose_device(name)


@pytest.mark.usefixtures("two_gpus")
def test_gpu_number_too_high() -> None:
    with pytest.raises(ModelError, match="sees only 2"):
        choose_device("cuda:2")


@pytest.mark.parametrize("name", ["gpu", "cuda:x", "cuda:", "cudax", "", "cpu:0"])
def test_unknown_device(name: str) -> None:
    with pytest.raises(ModelError, match="is unknown; use auto"):
        choose_device(name)


def test_unknown_precision() -> None:
    with pytest.raises(ModelError, match="use auto, bf16 or fp32"):
        choose_device("cpu", "fp16")
