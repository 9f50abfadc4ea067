"""The classifier in the box, on real abstracts."""

from __future__ import annotations

from pathlib import Path

from flows.evaluating.request import Request
from flows.evaluating.run import evaluate
from flows.settings import Settings
from nlp.language_settings import GenerationSettings
from nlp.relations.source import BUNDLED_FOLDER, find_classifier


def test_it_is_far_above_relating_everything(data_dir: Path) -> None:
    dev = data_dir / "corpora" / "bc5cdr_dev.pubtator.gz"
    settings = Settings(generation=GenerationSettings(device="cpu"))
    request = Request((dev,), settings, limit=30, resamples=10)
    (judgement,) = evaluate("relations", request, quiet=True).corpora
    f1 = {s.scope: s.value for s in judgement.scores if s.label != "micro" and s.measure == "f1"}
    assert f1["relations"] > f1["all_pairs"] + 0.12
    assert f1["relations"] > f1["same_sentence"]


def test_it_is_small_and_goes_with_the_encoder_in_the_box() -> None:
    model = find_classifier("bundled")
    assert (model.name, model.form.base) == ("bundled", "bundled")
    assert sum(path.stat().st_size for path in BUNDLED_FOLDER.iterdir()) < 4_000_000
