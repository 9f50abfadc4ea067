"""A classifier learns, is saved and loaded, and goes on after a kill with the same weights."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

from nlp.ner.device import choose_device
from nlp.ner.errors import ModelError, TrainingError
from nlp.ner.source import find_model
from nlp.relations.classifier import RelationClassifier, load_classifier
from nlp.relations.source import classifier_fingerprint, find_classifier
from nlp.relations.text import RelationText
from nlp.relations.training import RelationRecipe, train
from nlp.relations.training.threshold import best_threshold
from nlp.training.progress import Progress
from tests.nlp.relations.texts import GOLD, gold, relation_text

RECIPE = RelationRecipe(
    epochs=8, batch_tokens=150, rank=2, encoder_rate=1e-3, head_rate=5e-3, average=0.0
)
CPU = choose_device("cpu", "fp32")


@pytest.fixture(scope="module")
def folder(random_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("relations") / "learnt"
    score = train(find_model(str(random_folder)), GOLD, GOLD, out, RECIPE, device="cpu")
    assert score.f1 == 1.0
    return out


@pytest.fixture(scope="module")
def classifier(folder: Path) -> RelationClassifier:
    return load_classifier(find_classifier(str(folder)), CPU)


def test_what_was_learnt_is_found_in_texts_not_seen(classifier: RelationClassifier) -> None:
    new = gold("heparin", "seizures", "nausea")
    (found,) = classifier.find([new.text])
    assert [(r.subject, r.object) for r in found] == sorted(new.related)
    (relation,) = found
    assert relation.relation == RECIPE.relation
    assert classifier.model.form.threshold <= relation.score <= 1
    subject, other = (
        new.text.mentions[n] for n in (relation.subject_mention, relation.object_mention)
    )
    assert new.text.text[subject.start : other.end] == "heparin caused seizures"


def test_the_threshold_decides(classifier: RelationClassifier) -> None:
    text = GOLD[0].text
    assert len(classifier.find([text], 0.0)[0]) == len(classifier.score([text])[0]) == 2
    assert classifier.find([text], 1.01) == [[]]


def test_what_a_text_yields_is_its_own(classifier: RelationClassifier) -> None:
    texts = [
        relation_text("No names here."),
        GOLD[0].text,
        relation_text("Lithium alone."),
        relation_text("Lithium caused nausea. " + "Then aspirin caused an ulcer. " * 80),
        RelationText("", (), ()),
        GOLD[5].text,
    ]
    together = classifier.score(texts)
    for text, scored in zip(texts, together, strict=True):
        (alone,) = classifier.score([text])
        assert [pair for pair, _ in alone] == [pair for pair, _ in scored]
        np.testing.assert_allclose([s for _, s in alone], [s for _, s in scored], atol=1e-6)
    assert [len(scored) for scored in together] == [0, 2, 0, 4, 0, 2]


def test_a_kill_changes_nothing(random_folder: Path, folder: Path, tmp_path: Path) -> None:
    class Killed(Exception):
        pass

    steps = 0

    def kill(progress: Progress) -> None:
        nonlocal steps
        steps += 1
        if steps == 20:
            raise Killed

    base = find_model(str(random_folder))
    told = {"checkpoints": tmp_path / "work", "device": "cpu"}
    with pytest.raises(Killed):
        train(base, GOLD, GOLD, tmp_path / "again", RECIPE, report=kill, **told)
    reports: list[Progress] = []
    train(base, GOLD, GOLD, tmp_path / "again", RECIPE, report=reports.append, **told)
    assert 0 < len(reports) < 8 * 6
    again = tmp_path / "again"
    for name in ("relations.safetensors", "training.json"):
        assert (again / name).read_bytes() == (folder / name).read_bytes()
    other = replace(RECIPE, seed=1)
    with pytest.raises(TrainingError, match="another training"):
        train(base, GOLD, GOLD, tmp_path / "again", other, **told)


def test_a_base_that_is_a_classifier_lends_its_encoder_alone(folder: Path, tmp_path: Path) -> None:
    named = tmp_path / "bundled"  # as the model in the box, which it is not
    named.mkdir()
    for path in folder.iterdir():
        (named / path.name).write_bytes(path.read_bytes())
    out = tmp_path / "anew"
    recipe = replace(RECIPE, epochs=1, rank=1)
    train(find_model(str(named)), GOLD[:2], GOLD[:2], out, recipe, device="cpu")
    model = find_classifier(str(out))
    assert (model.form.rank, model.form.base) == (1, "own")
    weights = load_file(out / "relations.safetensors")
    assert {len(w) for name, w in weights.items() if name.endswith(".down")} == {1}
    (scored,) = load_classifier(model, CPU).score([GOLD[0].text])
    assert len(scored) == 2


def test_patience_ends_the_training(random_folder: Path, tmp_path: Path) -> None:
    reports: list[Progress] = []
    recipe = replace(RECIPE, patience=1, encoder_rate=0.0, head_rate=0.0)
    base = find_model(str(random_folder))
    train(base, GOLD, GOLD, tmp_path / "m", recipe, device="cpu", report=reports.append)
    assert max(report.epoch for report in reports) == 2


def test_nothing_to_learn_is_said(random_folder: Path, tmp_path: Path) -> None:
    base = find_model(str(random_folder))
    silent = [replace(text, related=frozenset()) for text in GOLD]
    with pytest.raises(TrainingError, match="training texts relate no pair"):
        train(base, silent, GOLD, tmp_path / "m", RECIPE, device="cpu")
    with pytest.raises(TrainingError, match="dev texts relate no pair"):
        train(base, GOLD, silent, tmp_path / "m", RECIPE, device="cpu")


def test_the_fingerprint_is_of_the_files(folder: Path) -> None:
    model = find_classifier(str(folder))
    before = classifier_fingerprint(model)
    form = json.loads((folder / "relations.json").read_text("utf-8"))
    changed = form | {"threshold": form["threshold"] + 0.01}
    (folder / "relations.json").write_text(json.dumps(changed), "utf-8")
    try:
        assert classifier_fingerprint(find_classifier(str(folder))) != before
    finally:
        (folder / "relations.json").write_text(json.dumps(form), "utf-8")


def test_what_is_no_classifier_is_refused(
    random_folder: Path, folder: Path, tmp_path: Path
) -> None:
    with pytest.raises(ModelError, match="no such folder"):
        find_classifier(str(tmp_path / "none"))
    with pytest.raises(ModelError, match=r"holds no relations\.json"):
        find_classifier(str(random_folder))
    other = tmp_path / "other"
    other.mkdir()
    for path in folder.iterdir():
        (other / path.name).write_bytes(path.read_bytes())
    config = json.loads((other / "config.json").read_text("utf-8"))
    (other / "config.json").write_text(json.dumps(config | {"new": 1}), "utf-8")
    with pytest.raises(ModelError, match="not the one it was trained with"):
        find_classifier(str(other))
    (other / "relations.json").write_text("{", "utf-8")
    with pytest.raises(ModelError, match="cannot be read"):
        find_classifier(str(other))


def test_the_best_threshold_lies_between_probabilities() -> None:
    chances = np.array([0.9, 0.8, 0.8, 0.3], dtype=np.float32)
    threshold, score = best_threshold(chances, np.array([True, True, False, False]), gold=2)
    assert 0.3 < threshold < 0.8
    assert (score.gold, score.found, score.agreed) == (2, 3, 2)
    threshold, score = best_threshold(chances, np.array([True, False, False, False]), gold=1)
    assert 0.8 < threshold < 0.9 and score.f1 == 1.0
