"""Assertion by a sequence classifier: what it is given, and what becomes of its answer."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from nlp.assertion import AssessorError
from nlp.assertion.classifier import classifier_fingerprint, load_classifier
from nlp.assertion.result import Assertion, Assessed, Assessor, Cue
from nlp.ner.device import choose_device
from nlp.settings import AssertionSettings

MakeClassifier = Callable[..., Path]
PROBLEM = re.compile(r"fever|cough|asthma|pain|nausea|anemia")
PRESENT = Assertion(negated=False, uncertain=False)


def absent(name: str) -> Assertion:
    return Assertion(negated=True, uncertain=False, cues=(Cue("negated", f"model:{name}"),))


def possible(name: str) -> Assertion:
    return Assertion(negated=False, uncertain=True, cues=(Cue("uncertain", f"model:{name}"),))


def document(text: str) -> Assessed:
    """Every problem is a mention, every full stop ends a sentence."""
    mentions = [match.span() for match in PROBLEM.finditer(text)]
    sentences = [match.span() for match in re.finditer(r"\S[^.]*\.?", text)]
    return Assessed(text, mentions, sentences, [])


def load(folder: Path) -> Assessor:
    settings = AssertionSettings(method=str(folder))
    return load_classifier(settings, choose_device("cpu", "fp32"))


def configure(folder: Path, **content: Any) -> Path:
    """A copy of the model with this ``assertion.json``."""
    copy = folder.with_name(f"{folder.name}-{len(list(folder.parent.iterdir()))}")
    shutil.copytree(folder, copy)
    (copy / "assertion.json").write_text(json.dumps(content))
    return copy


def fingerprint(folder: Path) -> str:
    return classifier_fingerprint(AssertionSettings(method=str(folder)))


def test_what_a_model_learnt_is_what_mentions_get(learnt_folder: Path) -> None:
    found = load(learnt_folder).assess(
        [
            document("the patient has fever but denies cough . the patient maybe asthma ."),
            document("nothing of note"),
            document("the patient no pain but has nausea ."),
        ]
    )
    assert found == [
        [PRESENT, absent("learnt"), possible("learnt")],
        [],
        [absent("learnt"), PRESENT],
    ]


def test_no_documents(learnt_folder: Path) -> None:
    assert load(learnt_folder).assess([]) == []


def test_long_sentences_are_cut_around_the_mention(make_classifier: MakeClassifier) -> None:
    """Of 24 tokens two are special, three the marked mention: 9 words before it, 10 after."""
    assessor = load(make_classifier(context=24))
    words = [("no", "has", "but", "maybe", "the", "denies", "and")[n**2 % 7] for n in range(3000)]
    answers = set()
    for where in (0, 5, 9, 10, 500, 1500, 2989, 2990, 2999):
        words[where], kept = "fever", words[where]
        first = max(0, min(where - 9, 3000 - 20))
        ((cut,),) = assessor.assess([document(" ".join(words[first : first + 20]))])
        ((whole,),) = assessor.assess([document(" ".join(words))])
        words[where] = kept
        assert whole == cut
        answers.add(whole)
    assert len(answers) > 1


def test_a_mention_across_sentences_takes_both(make_classifier: MakeClassifier) -> None:
    assessor = load(make_classifier())
    for text in _texts():
        middle, end = len(text) // 2, len(text)
        across = (middle - 2, middle + 2)
        cut = Assessed(text, [across], [(0, middle), (middle, end)], [])
        assert assessor.assess([cut]) == assessor.assess([Assessed(text, [across], [(0, end)], [])])


def test_a_mention_outside_of_sentences_stands_alone(make_classifier: MakeClassifier) -> None:
    assessor = load(make_classifier())
    for text in _texts():
        last = list(PROBLEM.finditer(text))[-1:]
        for mention in last:
            outside = Assessed(text, [mention.span()], [(0, mention.start())], [])
            alone = Assessed(mention[0], [(0, len(mention[0]))], [(0, len(mention[0]))], [])
            assert assessor.assess([outside]) == assessor.assess([alone])


def test_a_mention_longer_than_the_context(learnt_folder: Path) -> None:
    text = "fever " * 200
    (found,) = load(learnt_folder).assess([Assessed(text, [(0, 1200)], [(0, 1200)], [])])
    assert len(found) == 1


def _texts() -> list[str]:
    words = ["no", "fever", "but", "possible", "cough", "has", "pain", "denies", ".", "asthma"]
    return [" ".join(words[i % 10] for i in range(n, n * (n + 2))) for n in range(1, 9)]


def _by_transformers(folder: Path, texts: Sequence[str]) -> list[list[str]]:
    """The labels as whoever follows the model's card gets them, one mention at a time."""
    tokenizer = AutoTokenizer.from_pretrained(folder)
    network = AutoModelForSequenceClassification.from_pretrained(folder).eval()
    labels = []
    for text in texts:
        labels.append(list[str]())
        for sentence in re.finditer(r"\S[^.]*\.?", text):
            for problem in PROBLEM.finditer(sentence[0]):
                before, after = sentence[0][: problem.start()], sentence[0][problem.end() :]
                inputs = tokenizer(
                    f"{before}[entity] {problem[0]} [entity]{after}", return_tensors="pt"
                )
                with torch.inference_mode():
                    logits = network(**inputs).logits
                labels[-1].append(network.config.id2label[int(logits.argmax())])
    return labels


def _label(assertion: Assertion) -> str:
    return "ABSENT" if assertion.negated else "POSSIBLE" if assertion.uncertain else "PRESENT"


@pytest.mark.parametrize("kind", ["bert", "distilbert"])
def test_answers_are_those_of_transformers(make_classifier: MakeClassifier, kind: str) -> None:
    folder = make_classifier(kind, context=512)
    found = load(folder).assess([document(text) for text in _texts()])
    labels = [[_label(assertion) for assertion in of_one] for of_one in found]
    assert labels == _by_transformers(folder, _texts())
    assert len({label for of_one in labels for label in of_one}) > 1


def test_an_answer_does_not_depend_on_other_mentions(make_classifier: MakeClassifier) -> None:
    assessor = load(make_classifier())
    documents = [document(text) for text in _texts()]
    together = assessor.assess(documents)
    assert together == [assessor.assess([one])[0] for one in documents]
    assert together[::-1] == assessor.assess(documents[::-1])


def test_labels_and_marks_of_the_file(learnt_folder: Path) -> None:
    folder = configure(
        learnt_folder,
        version=1,
        marker=["[entity]", "[entity]"],
        labels={"ABSENT": {"experiencer": "family"}, "POSSIBLE": {"historical": True}},
    )
    text = "the patient has fever but no cough but maybe pain ."
    ((fever, cough, pain),) = load(folder).assess([document(text)])
    rule = f"model:{folder.name}"
    patient = {"experiencer": "patient", "historical": False}
    assert fever == Assertion(**patient)
    assert cough == Assertion(
        **patient | {"experiencer": "family"}, cues=(Cue("experiencer", rule),)
    )
    assert pain == Assertion(**patient | {"historical": True}, cues=(Cue("historical", rule),))


def test_labels_that_do_not_exclude_each_other(make_classifier: MakeClassifier) -> None:
    labels = ("negated", "historical", "family")
    folder = make_classifier(labels=labels, problem_type="multi_label_classification")
    found = load(folder).assess([document(text) for text in _texts()])
    assertions = [assertion for of_one in found for assertion in of_one]
    assert {a.uncertain for a in assertions} == {None}
    assert {a.negated for a in assertions} <= {True, False}
    assert any(len(a.cues) > 1 for a in assertions)
    assert any(len(a.cues) < 3 for a in assertions)


def test_words_of_a_text_are_no_special_tokens(learnt_folder: Path) -> None:
    """Where the marks are ordinary words, a text cannot end its sentence by [SEP]."""
    folder = configure(learnt_folder, version=1, marker=["the", "the"])
    assessor = load(folder)
    plain, special = "no fever but has cough", "no fever [SEP] has cough"
    assert len(assessor.assess([document(plain), document(special)])[1]) == 2
    encoded = assessor._encoder.tokenizer.encode("[SEP]", add_special_tokens=False)  # type: ignore[attr-defined]
    assert AutoTokenizer.from_pretrained(folder).sep_token_id not in encoded.ids


def test_what_changes_answers_changes_the_fingerprint(
    learnt_folder: Path, make_classifier: MakeClassifier
) -> None:
    given = {"version": 1, "labels": {"POSSIBLE": {"hypothetical": True}}}
    other = configure(learnt_folder, **given)
    copy = learnt_folder.parent / "elsewhere" / learnt_folder.name
    shutil.copytree(learnt_folder, copy)
    known = fingerprint(learnt_folder)
    assert fingerprint(copy) == known
    (copy / "assertion.json").write_text((other / "assertion.json").read_text())
    assert fingerprint(copy) != known
    assert fingerprint(make_classifier()) != known
    assert "learnt" in known


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ({"version": 2}, "version"),
        ({"version": 1, "labels": {"ABSENT": {"negatd": True}}}, r"labels\.ABSENT\.negatd"),
        ({"version": 1, "labels": {"NONE": {"negated": True}}}, "NONE, which is none of"),
        ({"version": 1, "marker": ""}, "marker"),
        (
            {"version": 1, "labels": {label: {} for label in ("ABSENT", "POSSIBLE")}},
            "tell nothing apart",
        ),
    ],
)
def test_files_that_cannot_be_used(
    learnt_folder: Path, content: dict[str, Any], problem: str
) -> None:
    folder = configure(learnt_folder, **content)
    with pytest.raises(AssessorError, match=problem):
        fingerprint(folder)
    with pytest.raises(AssessorError, match=problem):
        load(folder)


def test_models_that_cannot_be_used(
    make_classifier: MakeClassifier, tmp_path: Path, random_folder: Path
) -> None:
    unnamed = make_classifier(labels=("LABEL_0", "LABEL_1", "LABEL_2"))
    for method, problem in (
        (str(tmp_path / "none"), "no such folder; use rules, off, a folder"),
        (str(tmp_path), "no config.json"),
        ("hub:owner/name", "give the revision too"),
        (str(random_folder), "no sequence classifier"),
        (str(unnamed), "LABEL_0 means is not known"),
    ):
        with pytest.raises(AssessorError, match=problem):
            classifier_fingerprint(AssertionSettings(method=method))


def test_damaged_weights_are_told_on_loading(make_classifier: MakeClassifier) -> None:
    folder = make_classifier()
    (folder / "model.safetensors").write_bytes(b"no weights")
    with pytest.raises(AssessorError, match="cannot be loaded"):
        load(folder)
