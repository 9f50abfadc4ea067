"""Chemical-disease relations beside two simple rules: F1 by document, and documents a CPU second.

python benchmarks/relations.py --data FOLDER [--model bundled] [--repeat 3] [--limit N]

Gold mentions and concepts of BC5CDR's dev file are given. The rules relate every pair of concepts,
and every pair that one sentence names. CPU seconds are medians of finding the relations of all
documents, sentences and concepts at hand, on one thread.
"""

from __future__ import annotations

import argparse
import statistics
import time
from pathlib import Path

import torch

from flows.evaluating.gold import read_corpora
from flows.evaluating.relations import evaluate_relations
from flows.evaluating.request import Request
from flows.labels import parse_rules
from flows.progress import Reporter
from flows.related import relation_texts
from flows.settings import Settings
from nlp.language_settings import GenerationSettings, RelationSettings
from nlp.ner.device import choose_device
from nlp.relations.classifier import load_classifier
from nlp.relations.source import find_classifier

DEV = Path("corpora") / "bc5cdr_dev.pubtator.gz"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="folder with corpora/")
    parser.add_argument("--model", default="bundled", help="a relation classifier")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--limit", type=int, help="only the first so many documents")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    scores(arguments.data / DEV, arguments.model, arguments.limit)
    speed(arguments.data / DEV, arguments.model, arguments.limit, arguments.repeat)


def scores(gold: Path, model: str, limit: int | None) -> None:
    settings = Settings(
        relations=RelationSettings(model=model), generation=GenerationSettings(device="cpu")
    )
    request = Request((gold,), settings, limit=limit)
    corpora = read_corpora((gold,), parse_rules((), (), (), ()), limit)
    with Reporter(request.evaluation_id, None, quiet=True) as reporter:
        (judgement,) = evaluate_relations(request, corpora, reporter).corpora
    print(f"{judgement.documents:,} documents of {judgement.corpus}, per cent")
    f1 = {}
    for scope in dict.fromkeys(score.scope for score in judgement.scores):
        row = [s for s in judgement.scores if s.scope == scope and s.label != "micro"]
        f1[scope] = row[-1].value
        shares = "  ".join(
            f"{s.measure} {100 * s.value:5.1f} ({100 * s.low:.1f}-{100 * s.high:.1f})" for s in row
        )
        print(f"  {scope:14} {shares}")
    for rule in ("all_pairs", "same_sentence"):
        print(f"  F1 points above {rule}: {100 * (f1['relations'] - f1[rule]):.1f}")


def speed(gold: Path, model: str, limit: int | None, repeat: int) -> None:
    (corpus,) = read_corpora((gold,), parse_rules((), (), (), ()), limit)
    texts = relation_texts(list(corpus.documents.values()), "rules")
    classifier = load_classifier(find_classifier(model), choose_device("cpu"))
    classifier.find(texts[:8])
    seconds = []
    for _ in range(repeat):
        clock = time.process_time()
        classifier.find(texts)
        seconds.append(time.process_time() - clock)
    pairs = sum(len(scored) for scored in classifier.score(texts[:50])) / min(50, len(texts))
    print(
        f"{len(texts) / statistics.median(seconds):.1f} documents a CPU second "
        f"({pairs:.1f} pairs a document)"
    )


if __name__ == "__main__":
    main()
