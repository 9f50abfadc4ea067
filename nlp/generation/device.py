"""Where a language model runs and in which number format."""

from __future__ import annotations

from nlp.ner.device import Device, choose_device


def choose_text_device(name: str = "auto", precision: str = "auto") -> Device:
    """Pick the device and the number format of a language model.

    ``auto`` is fp32 on a CPU, even one that multiplies bf16: there rounding never decided between
    two tokens in our tests, so a text does not hang on its batch and a run can be repeated. On a
    GPU it is bf16 where the hardware multiplies it: these models are too large to be read twice as
    slowly, and a text may then differ where two tokens are about as likely.

    Args:
        name: ``auto`` (CUDA where there is one), ``cpu``, ``cuda`` or ``cuda:N``.
        precision: ``auto``, ``bf16`` or ``fp32``.

    Raises:
        ModelError: the device is unknown or not there, or the precision is unknown.
    """
    device = choose_device(name, precision)
    if precision == "auto" and not device.on_cuda:
        return choose_device(device.name, "fp32")
    return device
