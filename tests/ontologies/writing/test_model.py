"""A causal language model: tokens of prompts and names, and likelihoods."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import AutoModelForCausalLM, AutoTokenizer

from ontologies.errors import OntologyError
from ontologies.writing.model import MAX_PROMPT, Writer
from ontologies.writing.settings import TEMPLATE, WriterSettings
from ontologies.writing.source import find_writer, writer_fingerprint
from tests.language_models import make_gpt2
from tests.ontologies.conftest import MakeEncoder

PAIRS = [
    ("broken pump", "Myocardial Infarction"),
    ("cold", "Kidney"),
    ("a very long name of a thing that nobody has", "Heart Murmurs"),
    ("cold", "Kidney Failure, Chronic"),
]


@pytest.fixture(params=["gpt2", "biogpt"])
def folder(request: pytest.FixtureRequest) -> Path:
    return request.getfixturevalue(f"{request.param}_folder")


def test_likelihoods_are_those_of_the_whole_text(folder: Path) -> None:
    writer = Writer.open(str(folder), device="cpu")
    tokenizer = AutoTokenizer.from_pretrained(folder)
    network = AutoModelForCausalLM.from_pretrained(folder).eval()
    prompts = writer.prompts([name for name, _ in PAIRS], TEMPLATE)
    found = writer.likelihoods(prompts, writer.names([name for _, name in PAIRS], TEMPLATE))
    for (mention, name), score in zip(PAIRS, found, strict=True):
        asked = tokenizer(f"{mention} means")["input_ids"]
        whole = [*tokenizer(f"{mention} means {name}")["input_ids"], tokenizer.eos_token_id]
        assert whole[: len(asked)] == asked
        with torch.inference_mode():
            nats = torch.log_softmax(network(torch.tensor([whole])).logits[0], -1)
        told = [float(nats[at - 1, whole[at]]) for at in range(len(asked), len(whole))]
        assert score == pytest.approx(np.exp(np.mean(told)), rel=1e-4)


NAMES = st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=20)


@given(pairs=st.lists(st.tuples(NAMES, NAMES), min_size=1, max_size=6), data=st.data())
@settings(max_examples=20, deadline=None)
def test_a_pair_is_as_likely_in_any_company(
    gpt2: Writer, pairs: list[tuple[str, str]], data: st.DataObject
) -> None:
    prompts = gpt2.prompts([mention for mention, _ in pairs], TEMPLATE)
    names = gpt2.names([name for _, name in pairs], TEMPLATE)
    together = gpt2.likelihoods(prompts, names)
    assert ((together > 0) & (together <= 1)).all()
    at = data.draw(st.sampled_from(range(len(pairs))))
    assert gpt2.likelihoods([prompts[at]], [names[at]])[0] == together[at]


def test_a_long_name_loses_its_end_and_the_template_stays(folder: Path) -> None:
    writer = Writer.open(str(folder), device="cpu")
    for name in ("kidney failure " * 100, "x" * 5000):
        (prompt,) = writer.prompts([name], TEMPLATE)
        assert len(prompt) <= MAX_PROMPT
        (short,) = writer.prompts(["kidney"], TEMPLATE)
        assert prompt[-1] == short[-1]


def test_names_as_long_as_a_small_context_lets_them_be(tmp_path: Path) -> None:
    writer = Writer.open(str(make_gpt2(tmp_path / "short", context=30)), device="cpu")
    prompts = writer.prompts(["fever " * 30], TEMPLATE)
    names = [name[: writer.longest - 1] for name in writer.names(["kidney " * 30], TEMPLATE)]
    assert len(prompts[0]) + len(names[0]) + 1 == 30 - (15 - len(prompts[0]))
    assert writer.likelihoods(prompts, names)[0] > 0


def test_special_tokens_in_a_name_are_letters(gpt2: Writer, biogpt: Writer) -> None:
    for writer, token in ((gpt2, "<|endoftext|>"), (biogpt, "</s>")):
        (name,) = writer.names([f"Kidney {token} Failure"], TEMPLATE)
        assert writer.end not in name


def test_no_names(gpt2: Writer, biogpt: Writer) -> None:
    for writer in (gpt2, biogpt):
        assert writer.names([], TEMPLATE) == writer.prompts([], TEMPLATE) == []
        assert writer.likelihoods([], []).shape == (0,)


def test_the_fingerprint_is_of_the_files(gpt2_folder: Path, tmp_path: Path) -> None:
    before = writer_fingerprint(find_writer(str(gpt2_folder)))
    moved = shutil.copytree(gpt2_folder, tmp_path / "elsewhere")
    assert writer_fingerprint(find_writer(str(moved))) == before
    config = json.loads((moved / "config.json").read_text())
    (moved / "config.json").write_text(json.dumps(config | {"n_positions": 12}))
    assert writer_fingerprint(find_writer(str(moved))) != before


def test_what_is_no_language_model_is_refused(
    gpt2_folder: Path, make_encoder: MakeEncoder, tmp_path: Path
) -> None:
    with pytest.raises(OntologyError, match="language model nowhere: no such folder"):
        find_writer("nowhere")
    with pytest.raises(OntologyError, match="give the revision too"):
        find_writer("hub:microsoft/biogpt")
    with pytest.raises(OntologyError, match="BertModel is no causal language model"):
        find_writer(str(make_encoder()))
    damaged = shutil.copytree(gpt2_folder, tmp_path / "damaged")
    (damaged / "model.safetensors").write_bytes(b"none")
    with pytest.raises(OntologyError, match="cannot be loaded"):
        Writer.open(str(damaged), device="cpu")
    endless = shutil.copytree(gpt2_folder, tmp_path / "endless")
    said = json.loads((endless / "tokenizer_config.json").read_text())
    said = {key: value for key, value in said.items() if key != "eos_token"}
    (endless / "tokenizer_config.json").write_text(json.dumps(said))
    with pytest.raises(OntologyError, match="no end token"):
        Writer.open(str(endless), device="cpu")


@pytest.mark.parametrize("template", ["means", "{mention}", "{mention} is {mention} is", "is"])
def test_templates_need_a_mention_and_words_after_it(template: str) -> None:
    with pytest.raises(ValueError, match=r"needs \{mention\} once"):
        WriterSettings(writer_template=template)
    assert WriterSettings(writer_template="the name of {mention} is ").writer_template.endswith(
        "is"
    )
