"""A head learns to choose, and a training that was stopped ends with the same weights."""

from __future__ import annotations

from pathlib import Path

import pytest

from nlp.ner.source import ModelSource
from nlp.qa.question import Question
from nlp.qa.training import QaRecipe, train
from nlp.training.progress import Progress
from tests.language_models import make_gpt2

QUESTIONS = [
    Question(
        str(n),
        f"Which drug number {n}?",
        ("aspirin", "fever") if n % 2 else ("gout", "aspirin"),
        0 if n % 2 else 1,
    )
    for n in range(12)
]


class Stop(Exception):
    pass


@pytest.mark.parametrize("rank", [0, 4])
def test_stopped_and_gone_on_with_gives_the_same_weights(tmp_path: Path, rank: int) -> None:
    base = ModelSource("tiny", make_gpt2(tmp_path / "base"))
    recipe = QaRecipe(epochs=6, batch_questions=4, rate=1e-2, lora_rank=rank)

    def run(name: str, report=lambda progress: None) -> dict[str, int]:
        return train(
            base,
            QUESTIONS,
            QUESTIONS,
            tmp_path / name,
            recipe,
            checkpoints=tmp_path / f"{name}.work",
            device="cpu",
            report=report,
        )

    def stop(progress: Progress) -> None:
        if progress.epoch == 4 and progress.step == 2:
            raise Stop

    assert run("whole")["right"] == 12
    with pytest.raises(Stop):
        run("stopped", stop)
    assert run("stopped")["right"] == 12
    one, other = (tmp_path / name / "model.safetensors" for name in ("whole", "stopped"))
    assert one.read_bytes() == other.read_bytes()
