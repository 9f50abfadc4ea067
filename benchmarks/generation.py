"""Tokens per second of our batched decoding beside transformers' own, same model, same run.

python benchmarks/generation.py [--shape biogpt] [--device cpu] [--precision fp32] [--only ours]

Weights are random; prompts and answers are of varied lengths, since one token in fifty ends a text.
All ways write greedily, so they must write the same; the share of prompts where they do is printed
(rounding may decide between two tokens, more so in bf16). Ways take turns; medians are printed,
of the wall clock and of CPU seconds, and how many times one at a time each way is.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
os.environ.setdefault("HF_HUB_OFFLINE", "1")

import torch
from generating.shapes import SHAPES, make_model, make_prompts, read_shape
from generating.ways import (
    Tokens,
    continuous,
    measure,
    one_at_a_time,
    ours,
    padded,
    peak_memory,
    same_share,
)

from nlp.generation.model import LocalTextModel, load_text_model
from nlp.generation.source import find_text_model
from nlp.ner.device import choose_device

WAYS = ("one", "ours", "padded", "continuous")
ONE = "generate, one at a time"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--shape",
        action="append",
        help=f"{', '.join(SHAPES)} or a config.json; may be repeated (default: both small ones)",
    )
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--precision", default="fp32", choices=("auto", "fp32", "bf16"))
    parser.add_argument("--prompts", type=int, default=128)
    parser.add_argument("--longest", type=int, default=160, help="tokens of a prompt at most")
    parser.add_argument("--new", type=int, default=64, help="tokens of an answer at most")
    parser.add_argument("--rows", default="1,8,32", help="batch sizes, with commas")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--threads", type=int, default=0, help="of torch; 0 = its own choice")
    parser.add_argument("--only", action="append", choices=WAYS, help="may be repeated")
    arguments = parser.parse_args()
    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    device = choose_device(arguments.device, arguments.precision)
    name = torch.cuda.get_device_name(device.name) if device.on_cuda else "CPU"
    print(f"{name}, {torch.get_num_threads()} threads, {device.dtype}, torch {torch.__version__}")
    for shape in arguments.shape or ["small-gpt2", "small-biogpt"]:
        with tempfile.TemporaryDirectory() as folder:
            make_model(Path(folder), read_shape(shape), device.dtype)
            model = load_text_model(find_text_model(folder), device)
        report(shape, model, arguments)


def report(shape: str, model: LocalTextModel, arguments: argparse.Namespace) -> None:
    network = model.network.network
    prompts = make_prompts(arguments.prompts, network.config.vocab_size, arguments.longest)
    lengths = sorted(model.count_tokens(prompts))
    million = sum(p.numel() for p in network.parameters()) / 1e6
    print(
        f"\n{shape}: {million:,.0f} M weights; {len(prompts)} prompts of {lengths[0]} to "
        f"{lengths[-1]} tokens, at most {arguments.new} new ones"
    )
    ways = choose_ways(model, prompts, arguments)
    for way in choose_ways(model, prompts[:2], arguments).values():  # unmeasured: loads kernels
        way()
    measured = measure(ways, arguments.repeat, arguments.device)
    base = measured.get(ONE) or next(iter(measured.values()))
    answers = sorted(map(len, base.made))
    print(f"answers: {answers[0]} to {answers[-1]} tokens, median {answers[len(answers) // 2]}")
    print(
        f"{'way':<38}{'seconds':>9}{'tokens/s':>10}{'times':>8}{'CPU s':>9}{'times':>8}{'same':>7}"
    )
    for name, result in measured.items():
        print(
            f"{name:<38}{result.seconds:9.2f}{result.rate:10,.0f}"
            f"{result.rate / base.rate:8.2f}{result.cpu_seconds:9.2f}"
            f"{result.cpu_rate / base.cpu_rate:8.2f}{same_share(result.made, base.made):7.0%}"
        )
    print(f"peak memory: {peak_memory(arguments.device):.2f} GB")


def choose_ways(
    model: LocalTextModel, prompts: list[str], arguments: argparse.Namespace
) -> dict[str, Callable[[], Tokens]]:
    only = arguments.only or WAYS
    sizes = [int(size) for size in arguments.rows.split(",")]
    new = arguments.new
    ways: dict[str, Callable[[], Tokens]] = {}
    if "one" in only:
        ways[ONE] = partial(one_at_a_time, model, prompts, new)
    if "ours" in only:
        for rows in sizes:
            ways[f"ours, {rows} at once"] = partial(ours, model, prompts, new, rows)
    if "padded" in only:
        for rows in sizes:
            if rows > 1:
                ways[f"generate, {rows} padded"] = partial(padded, model, prompts, new, rows)
                ways[f"generate, {rows} padded, by length"] = partial(
                    padded, model, prompts, new, rows, by_length=True
                )
    if "continuous" in only:
        for rows in sizes:
            if rows > 1:
                name = f"generate_batch, pages for {rows}"
                ways[name] = partial(continuous, model, prompts, new, rows)
    return ways


if __name__ == "__main__":
    main()
