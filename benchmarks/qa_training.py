"""What MiniLM learns of PubMedQA's yes/no/maybe questions: cross-validation against the majority.

python benchmarks/qa_training.py --data FOLDER [--setting conclusion] [--folds 5] [--only 4 5]

Trains `minilm` by the code of `charthouse train qa` on all folds but one and judges that one, fold
after fold; folds have the same share of each answer. Two settings of Jin et al. 2019:

- `context`: the question with the abstract without its conclusion (reasoning required);
- `conclusion`: the question with the abstract's conclusion (reasoning-free).

Prints each fold as it ends, then accuracy over all judged questions with Wilson's 95% interval,
beside the share of the answer that is the most frequent one in training.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")

from flows.quality.intervals import Share, wilson_interval
from flows.questions.file import read_questions
from nlp.ner.source import ModelSource
from nlp.qa.question import Question
from nlp.qa.training import QaRecipe, train
from ontologies.encoder_source import MINILM, find_encoder


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--setting", choices=("context", "conclusion"), default="conclusion")
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--only", type=int, nargs="*", help="judge only these folds, from 1")
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--max-tokens", type=int, default=160)
    parser.add_argument("--rate", type=float, default=1e-4)
    parser.add_argument("--seed", type=int, default=13)
    arguments = parser.parse_args()
    path = arguments.data / "questions" / "pubmedqa_dev.json.gz"
    questions = [q for q in read_questions(path).questions if q.answer is not None]
    recipe = QaRecipe(
        epochs=arguments.epochs,
        max_tokens=arguments.max_tokens,
        rate=arguments.rate,
        explanations="instead" if arguments.setting == "conclusion" else "also",
        seed=arguments.seed,
    )
    encoder = find_encoder(MINILM)
    base = ModelSource(encoder.name, encoder.folder)
    folds = cut_folds(questions, arguments.folds)
    print(f"{len(questions)} questions, {arguments.folds} folds, {recipe}", flush=True)
    right = total = by_majority = 0
    for number, held in enumerate(folds, start=1):
        if arguments.only and number not in arguments.only:
            continue
        begun = time.monotonic()
        kept = [q for fold in folds if fold is not held for q in fold]
        most = Counter(q.answer for q in kept).most_common(1)[0][0]
        with tempfile.TemporaryDirectory() as folder:
            score = train(
                base,
                kept,
                held,
                Path(folder) / "model",
                recipe,
                checkpoints=Path(folder) / "checkpoints",
                device="cpu",
            )
        majority = sum(q.answer == most for q in held)
        right, total = right + score["right"], total + score["questions"]
        by_majority += majority
        print(
            f"fold {number}: {score['right']} of {score['questions']} right, majority "
            f"{majority}, {time.monotonic() - begun:.0f} s",
            flush=True,
        )
    low, high = wilson_interval(Share(right / total, total))
    print(
        f"question + {arguments.setting}, {total} held-out questions: accuracy "
        f"{100 * right / total:.1f} ({100 * low:.1f} to {100 * high:.1f}), majority "
        f"{100 * by_majority / total:.1f}"
    )


def cut_folds(questions: Sequence[Question], count: int) -> list[list[Question]]:
    """Folds with the same share of each answer; the same on every machine."""
    shuffled = sorted(questions, key=lambda question: question.question_id)
    random.Random(0).shuffle(shuffled)
    dealt = sorted(shuffled, key=lambda question: question.answer or 0)
    return [dealt[place::count] for place in range(count)]


if __name__ == "__main__":
    main()
