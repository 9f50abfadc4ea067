"""The NER engine beside the transformers pipeline: CPU seconds on the same texts, and agreement.

python benchmarks/ner_cpu.py [--data FOLDER] [--model bundled] [--documents 100]

Both use one thread and the same weights. The pipeline gets one text at a time, as it is fastest on
a CPU; the engine gets all of them. They take turns, and the ratio of the medians is printed. Beside
it: what share of the engine's mentions differs from those of its reference, the network's own
forward pass in float32, one text at a time, decoded the same way; and whether the engine's mentions
and scores are the same to the last digit in another order and with other batch sizes.
"""

from __future__ import annotations

import argparse
import itertools
import os
import random
import statistics
import time
import warnings
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("HF_HUB_OFFLINE", "1")

import torch
from transformers import AutoModelForTokenClassification, AutoTokenizer, pipeline

from flows.bundled import SAMPLE_CORPUS
from flows.readers import READERS
from flows.readers.discover import discover
from flows.readers.gold import read_gold_file
from flows.readers.record import Document
from nlp.ner.decode import Span
from nlp.ner.device import choose_device
from nlp.ner.engine import NerEngine
from nlp.ner.model import load_model
from nlp.ner.source import find_model


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, help="folder with corpora/; else the bundled sample")
    parser.add_argument("--model", default="bundled")
    parser.add_argument("--documents", type=int, default=100)
    parser.add_argument("--repeat", type=int, default=5)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    warnings.filterwarnings("ignore")
    texts = read_texts(arguments.data, arguments.documents)
    source = find_model(arguments.model)
    engine = NerEngine(load_model(source, choose_device("cpu")))
    by_hand = pipeline(
        "token-classification",
        model=AutoModelForTokenClassification.from_pretrained(source.folder, dtype=torch.float32),
        tokenizer=AutoTokenizer.from_pretrained(source.folder, model_max_length=512),
        aggregation_strategy="simple",
        device="cpu",
    )
    engine.find(texts[:8])
    by_hand(texts[:2])
    ours, theirs = [], []
    for turn in range(arguments.repeat):
        theirs.append(cpu_seconds(lambda: [by_hand(text) for text in texts]))
        ours.append(cpu_seconds(lambda: engine.find(texts)))
        print(f"turn {turn + 1}: engine {ours[-1]:.2f} s, pipeline {theirs[-1]:.2f} s", flush=True)
    count = len(texts)
    print(f"{count} documents of {statistics.mean(map(len, texts)):.0f} characters on average")
    for name, seconds in (("engine", ours), ("pipeline", theirs)):
        median = statistics.median(seconds)
        print(f"{name:<10}{median:8.2f} CPU s {count / median:8.1f} documents per CPU s")
    ratio = statistics.median(theirs) / statistics.median(ours)
    print(f"ratio of the medians: {ratio:.2f} (engine in {engine.model.device.dtype})")
    found = engine.find(texts)
    reference = NerEngine(load_model(source, choose_device("cpu", "fp32")), packed=False)
    report_agreement(found, [reference.find([text])[0] for text in texts])
    report_independence(engine, texts, found)


def read_texts(data: Path | None, count: int) -> list[str]:
    """Abstracts of BC5CDR dev where the real corpora are at hand, else of the bundled sample."""
    if data:
        gold = read_gold_file(data / "corpora" / "bc5cdr_dev.pubtator.gz")
        return [document.text for document in itertools.islice(gold, count)]
    (file,) = discover([str(SAMPLE_CORPUS / "abstracts.xml")])
    records = READERS[file.format].read(file)
    return [r.text for r in itertools.islice(records, count) if isinstance(r, Document)]


def cpu_seconds(work: Callable[[], object]) -> float:
    clock = time.process_time()
    work()
    return time.process_time() - clock


def report_agreement(found: list[list[Span]], reference: list[list[Span]]) -> None:
    ours = {(i, s.start, s.end, s.label) for i, spans in enumerate(found) for s in spans}
    theirs = {(i, s.start, s.end, s.label) for i, spans in enumerate(reference) for s in spans}
    changed = len(ours ^ theirs) / 2 / max(1, len(theirs))
    print(f"spans changed against the float32 reference: {changed:.2%} of {len(theirs)}")


def report_independence(engine: NerEngine, texts: list[str], found: list[list[Span]]) -> None:
    order = random.Random(1).sample(range(len(texts)), len(texts))
    shuffled = engine.find([texts[i] for i in order])
    same_order = all(found[i] == spans for i, spans in zip(order, shuffled, strict=True))
    small = NerEngine(engine.model, token_budget=600).find(texts)
    alone = [engine.find([text])[0] for text in texts]
    print(
        "same mentions and scores to the last digit: "
        f"shuffled {same_order}, small batches {small == found}, one by one {alone == found}"
    )


if __name__ == "__main__":
    main()
