"""The NER engine's speed from raw text to spans, on a GPU or a CPU.

python benchmarks/gpu/ner.py [--documents 20000] [--processes 1,4,8] [--model bert-base]

Needs torch, transformers and the repository, nothing else of charthouse. BERT-base has random
weights, which are as fast as any; its head is biased towards O, so that it finds about as many
mentions as a trained one. The texts are words of the vocabulary drawn by Zipf's law, as long as
PubMed's abstracts are.

Printed for each model: the ceiling that a large matrix product reaches here; tokens per second of
the forward pass alone and its share of that ceiling (model FLOP utilisation); the padding that
rows of one batch would have needed; seconds of each stage; and tokens per second from raw text to
spans, with one process and with several that feed the same device.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from itertools import pairwise
from multiprocessing.synchronize import Barrier
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")  # processes, not threads

import numpy as np
import torch
from transformers import AutoTokenizer, BertConfig, BertForTokenClassification

from nlp.ner.decode import find_spans
from nlp.ner.device import choose_device
from nlp.ner.encoding import Words
from nlp.ner.engine import NerEngine, cut_texts
from nlp.ner.model import load_model
from nlp.ner.packed import PackedClassifier, pack
from nlp.ner.source import BUNDLED, BUNDLED_FOLDER, find_model
from nlp.ner.windows import batch_windows

BERT_BASE = "bert-base"
TAGS = ("O", "B-Chemical", "I-Chemical", "B-Disease", "I-Disease")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--documents", type=int, default=2_000)
    parser.add_argument("--processes", default="1", help="comma-separated counts to try")
    parser.add_argument("--model", choices=(BERT_BASE, BUNDLED, "both"), default="both")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--token-budget", type=int, help="tokens of a batch; the device's if left")
    parser.add_argument("--repeat", type=int, default=3)
    arguments = parser.parse_args()
    device = choose_device(arguments.device)
    name = torch.cuda.get_device_name(device.name) if device.on_cuda else "CPU"
    print(f"{name}, {torch.get_num_threads()} threads, {device.dtype}, torch {torch.__version__}")
    texts = make_texts(arguments.documents)
    ceiling = product_ceiling(device.name, device.dtype)
    print(f"ceiling: {ceiling / 1e12:.2f} TFLOP/s in a large matrix product")
    with tempfile.TemporaryDirectory() as folder:
        for model in (BERT_BASE, BUNDLED) if arguments.model == "both" else (arguments.model,):
            source = str(make_bert_base(Path(folder) / model)) if model == BERT_BASE else model
            print(f"\n{model}")
            tokens = report_stages(source, texts, ceiling, arguments)
            for count in map(int, arguments.processes.split(",")):
                report_whole(source, texts, tokens, count, arguments)


def make_texts(count: int) -> list[str]:
    """Texts of the lengths of abstracts: log-normal, 1,300 characters in the mean."""
    vocabulary = AutoTokenizer.from_pretrained(BUNDLED_FOLDER).get_vocab()
    words = sorted(w for w in vocabulary if w.isascii() and w.isalpha() and len(w) > 1)
    rng = np.random.default_rng(1)
    rng.shuffle(words)
    lengths = np.clip(rng.lognormal(5.2, 0.45, count), 20, 1_000).astype(int)
    ranks = np.minimum(rng.zipf(1.3, int(lengths.sum())), len(words)) - 1
    drawn = np.array(words)[ranks]
    bounds = np.concatenate([[0], np.cumsum(lengths)])
    return [" ".join(drawn[a:b]) + "." for a, b in pairwise(bounds)]


def make_bert_base(folder: Path) -> Path:
    """BERT-base (Devlin et al. 2019) with random weights and the bundled model's tokenizer."""
    torch.manual_seed(1)
    config = BertConfig(id2label=dict(enumerate(TAGS)), label2id={t: i for i, t in enumerate(TAGS)})
    network = BertForTokenClassification(config)
    with torch.no_grad():
        network.classifier.bias[0] = 1.5
    network.to(torch.bfloat16).save_pretrained(folder)
    AutoTokenizer.from_pretrained(BUNDLED_FOLDER).save_pretrained(folder)
    return folder


def product_ceiling(device: str, dtype: torch.dtype) -> float:
    """FLOP per second of a square matrix product, the best of several."""
    size = 8_192 if device.startswith("cuda") else 1_536
    left = torch.randn(size, size, device=device, dtype=dtype)
    right = torch.randn(size, size, device=device, dtype=dtype)
    best = min(seconds(lambda: left @ right, device) for _ in range(8))
    return 2 * size**3 / best


def seconds(work: Callable[[], object], device: str) -> float:
    if device.startswith("cuda"):
        torch.cuda.synchronize()
    clock = time.perf_counter()
    work()
    if device.startswith("cuda"):
        torch.cuda.synchronize()
    return time.perf_counter() - clock


def load_engine(source: str, arguments: argparse.Namespace) -> NerEngine:
    model = load_model(find_model(source), choose_device(arguments.device))
    return NerEngine(model, token_budget=arguments.token_budget)


def report_stages(
    source: str, texts: list[str], ceiling: float, arguments: argparse.Namespace
) -> int:
    """Each stage by itself in one process; returns the tokens of all texts."""
    engine = load_engine(source, arguments)
    encoder, device = engine.model.encoder, engine.model.device.name
    clock = time.perf_counter()
    words = encoder.encode(texts)
    encoding = time.perf_counter() - clock
    tokens = sum(len(w.token_ids) for w in words)
    engine.word_logits(words[:64])
    clock = time.perf_counter()
    logits = engine.word_logits(words)
    forward = time.perf_counter() - clock
    clock = time.perf_counter()
    starts, ends = [w.starts for w in words], [w.ends for w in words]
    spans = find_spans(texts, starts, ends, logits, engine.model.decoder)
    decoding = time.perf_counter() - clock
    found = sum(map(len, spans))
    print(f"{len(texts):,} texts, {tokens:,} tokens, {found:,} mentions")
    print(f"padding that rows would need: {padding_share(engine, words):.2%}; packed: none")
    for stage, spent in (("encode", encoding), ("forward", forward), ("decode", decoding)):
        print(f"  {stage:<8}{spent:8.2f} s {tokens / spent:14,.0f} tokens/s in one process")
    rate, flop = forward_alone(engine, words, arguments.repeat, device)
    print(
        f"forward alone: {rate:,.0f} tokens/s, {rate * flop / 1e12:.2f} TFLOP/s, "
        f"{rate * flop / ceiling:.1%} of the ceiling"
    )
    return tokens


def padding_share(engine: NerEngine, words: Sequence[Words]) -> float:
    """Share of padding among the tokens of batches of rows, as without packing."""
    encoder = engine.model.encoder
    windows = cut_texts(words, encoder)
    batches = batch_windows(windows, engine.token_budget, encoder.specials)
    padded = sum(len(batch) * (len(batch[0]) + encoder.specials) for batch in batches)
    return 1 - sum(len(w) + encoder.specials for w in windows) / padded


def forward_alone(
    engine: NerEngine, words: Sequence[Words], repeat: int, device: str
) -> tuple[float, float]:
    """Tokens per second of the network on one batch that is there already, and FLOP a token."""
    encoder, network = engine.model.encoder, engine.model.network
    batch: list[np.ndarray] = []
    rows = []
    size = 0
    for text in words:
        sequence = encoder.with_specials(text.token_ids[: encoder.size])
        if batch and size + len(sequence) > engine.token_budget:
            break
        kept = text.label_tokens[text.label_tokens < encoder.size]
        rows.append(kept + size + len(encoder.start_tokens))
        batch.append(sequence)
        size += len(sequence)
    packed = pack(batch, [np.zeros_like(sequence) for sequence in batch]).to(device)
    chosen = torch.from_numpy(np.concatenate(rows)).to(device)
    classifier = PackedClassifier(network)
    with torch.inference_mode():
        classifier.logits(packed, chosen)
        spent = min(
            seconds(lambda: classifier.logits(packed, chosen), device) for _ in range(repeat)
        )
    config = network.config
    width, inner, layers = config.hidden_size, config.intermediate_size, config.num_hidden_layers
    products = 2 * layers * (4 * width**2 + 2 * width * inner)
    attention = 4 * layers * width * sum(len(s) ** 2 for s in batch) / size
    return size / spent, products + attention


def report_whole(
    source: str, texts: list[str], tokens: int, processes: int, arguments: argparse.Namespace
) -> None:
    """Raw text to spans, the texts dealt out to processes with an engine each."""
    context = multiprocessing.get_context("spawn")
    barrier = context.Barrier(processes + 1)
    done = context.Barrier(processes + 1)
    threads = max(1, torch.get_num_threads() // processes)
    workers = [
        context.Process(
            target=work,
            args=(source, texts[i::processes], arguments, threads, barrier, done),
            daemon=True,
        )
        for i in range(processes)
    ]
    for worker in workers:
        worker.start()
    barrier.wait()
    clock = time.perf_counter()
    done.wait()
    spent = time.perf_counter() - clock
    for worker in workers:
        worker.join()
    print(
        f"text to spans, {processes} process{'es' if processes > 1 else ''}: "
        f"{tokens / spent:,.0f} tokens/s, {len(texts) / spent:,.0f} documents/s"
    )


def work(
    source: str,
    texts: list[str],
    arguments: argparse.Namespace,
    threads: int,
    start: Barrier,
    done: Barrier,
) -> None:
    torch.set_num_threads(threads)
    engine = load_engine(source, arguments)
    engine.find(texts[:32])
    start.wait()
    for first in range(0, len(texts), 1_000):  # as a worker takes them from a shard
        engine.find(texts[first : first + 1_000])
    done.wait()


if __name__ == "__main__":
    main()
