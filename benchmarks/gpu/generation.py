"""Tokens per second of language models of real shapes on a GPU, beside one at a time.

python benchmarks/gpu/generation.py [--shape biogpt,biomedlm] [--rows 1,8,32,128]

Needs torch, transformers and the repository, nothing else of charthouse. Weights are random; one
token in fifty ends a text, so answers differ in length. For each shape: seconds to load; tokens
per second of transformers' ``generate`` one at a time (on a few of the prompts) and of our batches
of several sizes; how many times one at a time each is; the share of prompts written alike; peak
memory of each; and what scoring answers of shared contexts reaches, in pairs per second.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
os.environ.setdefault("HF_HUB_OFFLINE", "1")

import torch
from generating.shapes import SHAPES, make_model, make_prompts, read_shape
from generating.ways import measure, one_at_a_time, ours, padded, peak_memory, same_share

from nlp.generation.device import choose_text_device
from nlp.generation.model import LocalTextModel, load_text_model
from nlp.generation.source import find_text_model
from nlp.ner.device import Device


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--shape",
        default="biogpt,biomedlm",
        help=f"with commas: {', '.join(SHAPES)}, or a config.json (default: biogpt,biomedlm)",
    )
    parser.add_argument("--rows", default="1,8,32,128", help="batch sizes, with commas")
    parser.add_argument("--prompts", type=int, default=256)
    parser.add_argument("--alone", type=int, default=8, help="prompts completed one at a time")
    parser.add_argument("--longest", type=int, default=512, help="tokens of a prompt at most")
    parser.add_argument("--new", type=int, default=128, help="tokens of an answer at most")
    parser.add_argument("--repeat", type=int, default=1)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--precision", default="auto", choices=("auto", "fp32", "bf16"))
    arguments = parser.parse_args()
    device = choose_text_device(arguments.device, arguments.precision)
    name = torch.cuda.get_device_name(device.name) if device.on_cuda else "CPU"
    print(f"{name}, {torch.get_num_threads()} threads, {device.dtype}, torch {torch.__version__}")
    for shape in arguments.shape.split(","):
        report(shape, device, arguments)


def report(shape: str, device: Device, arguments: argparse.Namespace) -> None:
    with tempfile.TemporaryDirectory() as folder:
        make_model(Path(folder), read_shape(shape), device.dtype)
        clock = time.perf_counter()
        model = load_text_model(find_text_model(folder), device)
        loading = time.perf_counter() - clock
    network = model.network.network
    million = sum(p.numel() for p in network.parameters()) / 1e6
    longest = min(arguments.longest, model.context - arguments.new)
    prompts = make_prompts(arguments.prompts, network.config.vocab_size, longest)
    print(
        f"\n{shape}: {million:,.0f} M weights, loaded in {loading:.1f} s; by itself "
        f"{model.batch_tokens:,} tokens in flight; {len(prompts)} prompts, "
        f"{sum(model.count_tokens(prompts)):,} tokens, at most {arguments.new} new ones each"
    )
    own = model.batch_tokens
    ours(model, prompts[:4], 8, 4)  # loads kernels
    few = prompts[: arguments.alone]
    alone = measure(
        {"one": partial(one_at_a_time, model, few, arguments.new)}, arguments.repeat, device.name
    )["one"]
    print(f"{'way':<30}{'seconds':>9}{'tokens/s':>10}{'times':>8}{'same':>7}{'peak GB':>9}")
    line("generate, one at a time", alone.seconds, alone.rate, 1.0, 1.0, device)
    for rows in map(int, arguments.rows.split(",")):
        chosen = few if rows == 1 else prompts
        for name, way in (("ours", ours), ("generate padded", padded)):
            if rows == 1 and way is padded:
                continue
            forget_peak(device)
            result = measure(
                {name: partial(way, model, chosen, arguments.new, rows)},
                arguments.repeat,
                device.name,
            )[name]
            same = same_share(result.made[: len(few)], alone.made)
            ratio = result.rate / alone.rate
            line(f"{name}, {rows} at once", result.seconds, result.rate, ratio, same, device)
    model.batch_tokens, model.batch_rows = own, 256
    report_scores(model, prompts, device)


def line(name: str, seconds: float, rate: float, ratio: float, same: float, device: Device) -> None:
    print(
        f"{name:<30}{seconds:9.2f}{rate:10,.0f}{ratio:8.2f}{same:7.0%}"
        f"{peak_memory(device.name):9.2f}",
        flush=True,
    )


def report_scores(model: LocalTextModel, prompts: list[str], device: Device) -> None:
    """Four options after each prompt, as in multiple choice."""
    pairs = [(prompt, f" w{option} w{option + 9}") for prompt in prompts for option in range(3, 7)]
    forget_peak(device)
    clock = time.perf_counter()
    model.log_likelihoods(pairs)
    spent = time.perf_counter() - clock
    print(
        f"scores: {len(pairs) / spent:,.0f} pairs/s, four to a context, "
        f"peak {peak_memory(device.name):.2f} GB"
    )


def forget_peak(device: Device) -> None:
    if device.on_cuda:
        torch.cuda.reset_peak_memory_stats(device.name)


if __name__ == "__main__":
    main()
