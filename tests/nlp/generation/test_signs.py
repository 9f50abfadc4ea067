"""Signs of life: a model that takes minutes for a text must not be taken for one that hangs."""

from __future__ import annotations

from pathlib import Path

from nlp.generation.completion import Prompt, Sampling
from nlp.generation.model import load_text_model
from nlp.generation.source import find_text_model
from nlp.ner.device import choose_device
from tests.language_models import make_gpt2


def test_progress_is_told_with_each_token(tmp_path: Path) -> None:
    source = find_text_model(str(make_gpt2(tmp_path / "m")))
    model = load_text_model(source, choose_device("cpu", "auto"))
    seen = list[int]()
    prompts = [Prompt("Aspirin lowers the risk"), Prompt("Question: Does metformin")]
    answers = model.generate(prompts, Sampling(max_new_tokens=12), seen.append)
    assert len(seen) >= max(answer.completion_tokens for answer in answers) > 1
    assert seen == sorted(seen) and seen[-1] == 2
