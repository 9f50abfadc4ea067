"""LoRA training of language models of real shapes: tokens per second and memory, beside estimates.

python benchmarks/gpu/lora.py [--shape biogpt,biomedlm] [--steps 10]

Needs torch, transformers, accelerate, peft and the repository, nothing else of charthouse. Weights
and texts are random. For each shape: tokens per second of whole steps, peak memory on the GPU, and
the memory that `charthouse train lm --dry-run` computes from shapes. With `--estimate` nothing is
trained, and no GPU is needed.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
os.environ.setdefault("HF_HUB_OFFLINE", "1")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--shape", default="biogpt,biomedlm", help="with commas, or a config.json")
    parser.add_argument("--batch-tokens", type=int, default=4096)
    parser.add_argument("--max-tokens", type=int, default=1024)
    parser.add_argument(
        "--rank", type=int, default=16, help="of the adapters; 0 trains all weights"
    )
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument("--no-checkpointing", action="store_true")
    parser.add_argument("--estimate", action="store_true", help="compute memory, train nothing")
    parser.add_argument("--device", default="auto")
    arguments = parser.parse_args()
    for package in ("peft", "accelerate"):
        if importlib.util.find_spec(package) is None:
            raise SystemExit(f"this needs the package {package}: pip install {package}")
    for shape in arguments.shape.split(","):
        report(shape, arguments)


def report(shape: str, arguments: argparse.Namespace) -> None:
    import torch
    from generating.shapes import make_model, make_prompts, read_shape
    from transformers import AutoConfig

    from nlp.generation.device import choose_text_device
    from nlp.generation.source import find_text_model
    from nlp.generation.training import Lesson, LmRecipe, train
    from nlp.generation.training.memory import estimate
    from nlp.training.progress import Progress

    settings = read_shape(shape)
    config = AutoConfig.for_model(**settings)
    longest = min(arguments.max_tokens, config.max_position_embeddings)
    recipe = LmRecipe(
        epochs=1,
        batch_tokens=arguments.batch_tokens,
        max_tokens=longest,
        lora_rank=arguments.rank,
        adapter_only=arguments.rank > 0,
        gradient_checkpointing=not arguments.no_checkpointing,
    )
    rows = max(1, arguments.batch_tokens // longest)
    memory = estimate(config, recipe, rows * longest, longest)
    parts = ("weights", "training", "activations", "logits", "total")
    told = ", ".join(f"{name} {getattr(memory, name) / 2**30:.2f}" for name in parts)
    print(
        f"{shape}: {memory.parameters / 1e6:,.1f} M parameters, {memory.trained / 1e6:,.2f} M "
        f"trained, {rows} rows of {longest}; computed GiB: {told}",
        flush=True,
    )
    if arguments.estimate:
        return
    device = choose_text_device(arguments.device)
    ends: list[float] = []

    def note(progress: Progress) -> None:
        if progress.scores is None:
            ends.append(time.perf_counter())

    with tempfile.TemporaryDirectory() as folder:
        base = make_model(Path(folder) / "base", settings, device.dtype)
        texts = make_prompts(4 * arguments.steps * rows, config.vocab_size, longest)
        texts = texts * (1 + arguments.steps * rows * longest // sum(len(t.split()) for t in texts))
        if device.on_cuda:
            torch.cuda.reset_peak_memory_stats(device.name)
        train(
            find_text_model(str(base)),
            [Lesson(text) for text in texts],
            [Lesson(texts[0])],
            Path(folder) / "out",
            recipe,
            checkpoints=Path(folder) / "work",
            device=arguments.device,
            report=note,
        )
    rate = (len(ends) - 1) * rows * longest / max(1e-9, ends[-1] - ends[0])
    name = torch.cuda.get_device_name(device.name) if device.on_cuda else "CPU"
    peak = torch.cuda.max_memory_allocated(device.name) / 2**30 if device.on_cuda else 0.0
    print(f"{name}, {device.dtype}: {len(ends)} steps, {rate:,.0f} tokens/s, peak {peak:.2f} GiB")


if __name__ == "__main__":
    main()
