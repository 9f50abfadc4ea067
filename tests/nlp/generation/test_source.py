from __future__ import annotations

import importlib.util
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import BertConfig, BertForTokenClassification

from nlp.generation.completion import Prompt, Sampling
from nlp.generation.device import choose_text_device
from nlp.generation.model import load_text_model
from nlp.generation.source import check_causal, find_text_model, text_model_fingerprint
from nlp.ner.device import choose_device
from nlp.ner.errors import ModelError
from nlp.ner.model import load_model
from nlp.ner.source import find_model
from tests.language_models import TEXTS

CPU = choose_device("cpu", "fp32")
PROMPTS = [Prompt(text[:30]) for text in TEXTS]
GREEDY = Sampling(max_new_tokens=8)


@pytest.fixture
def copy(folders: dict[str, Path], tmp_path: Path) -> Path:
    return Path(shutil.copytree(folders["gpt2"], tmp_path / "model"))


def make_adapter(base: Path, folder: Path, name: str) -> Path:
    peft = pytest.importorskip("peft")
    from transformers import AutoModelForCausalLM

    network = AutoModelForCausalLM.from_pretrained(base)
    lora = peft.LoraConfig(
        task_type="CAUSAL_LM", target_modules=["c_attn"], r=2, init_lora_weights=False
    )
    torch.manual_seed(3)
    adapted = peft.get_peft_model(network, lora)
    adapted.save_pretrained(folder)
    config = json.loads((folder / "adapter_config.json").read_text())
    config["base_model_name_or_path"] = name
    (folder / "adapter_config.json").write_text(json.dumps(config))
    return folder


def change_json(path: Path, **values: Any) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


def test_a_causal_model_passes(folders: dict[str, Path]) -> None:
    for folder in folders.values():
        assert check_causal(find_text_model(str(folder))).adapter is None


def test_a_token_classifier_writes_no_text(copy: Path) -> None:
    BertForTokenClassification(
        BertConfig(
            vocab_size=9,
            hidden_size=8,
            num_hidden_layers=1,
            num_attention_heads=1,
            intermediate_size=8,
        )
    ).save_pretrained(copy)
    with pytest.raises(ModelError, match="BertForTokenClassification is no causal language model"):
        load_text_model(find_text_model(str(copy)), CPU)


def test_the_bundled_token_classifier_writes_no_text() -> None:
    with pytest.raises(ModelError, match="no causal language model"):
        check_causal(find_text_model("bundled"))


@pytest.mark.parametrize("form", ["gpt2", "biogpt"])
def test_a_causal_model_labels_no_tokens(folders: dict[str, Path], form: str) -> None:
    with pytest.raises(ModelError, match="is no token classifier"):
        load_model(find_model(str(folders[form])), CPU)


def test_an_encoder_decoder_is_refused(copy: Path) -> None:
    change_json(copy / "config.json", architectures=["T5ForConditionalGeneration"])
    with pytest.raises(ModelError, match="T5ForConditionalGeneration is no causal"):
        check_causal(find_text_model(str(copy)))


def test_lacking_weights_are_told(copy: Path) -> None:
    weights = load_file(copy / "model.safetensors")
    del weights["transformer.h.1.mlp.c_fc.weight"]
    save_file(weights, copy / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ModelError, match=r"weights lack transformer\.h\.1"):
        load_text_model(find_text_model(str(copy)), CPU)


def test_a_chat_template_that_fails_is_told(copy: Path) -> None:
    (copy / "chat_template.jinja").write_text("{{ raise_exception('never') }}", "utf-8")
    with pytest.raises(ModelError, match="its chat template cannot be used"):
        load_text_model(find_text_model(str(copy)), CPU)


def test_damaged_files_are_told(copy: Path) -> None:
    (copy / "model.safetensors").write_bytes(b"no weights")
    with pytest.raises(ModelError, match="files cannot be loaded"):
        load_text_model(find_text_model(str(copy)), CPU)


def test_biogpt_needs_sacremoses(folders: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "sacremoses" else find(name)
    )
    check_causal(find_text_model(str(folders["gpt2"])))
    with pytest.raises(ModelError, match="pip install sacremoses"):
        check_causal(find_text_model(str(folders["biogpt"])))


def test_the_fingerprint_changes_with_what_decides_a_text(copy: Path) -> None:
    seen = {text_model_fingerprint(find_text_model(str(copy)))}
    change_json(copy / "generation_config.json", eos_token_id=[0, 5])
    seen.add(text_model_fingerprint(find_text_model(str(copy))))
    (copy / "chat_template.jinja").write_text("{{ messages[0].content }}")
    seen.add(text_model_fingerprint(find_text_model(str(copy))))
    weights = load_file(copy / "model.safetensors")
    weights["transformer.ln_f.bias"] += 1
    save_file(weights, copy / "model.safetensors", metadata={"format": "pt"})
    seen.add(text_model_fingerprint(find_text_model(str(copy))))
    assert len(seen) == 4
    (copy / "README.md").write_text("of no account")
    assert text_model_fingerprint(find_text_model(str(copy))) in seen


@pytest.mark.parametrize("relative", [False, True], ids=["by path", "beside it"])
def test_an_adapter_is_merged_into_its_base(copy: Path, tmp_path: Path, relative: bool) -> None:
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    adapter = make_adapter(copy, tmp_path / "adapter", "../model" if relative else str(copy))
    source = find_text_model(str(adapter))
    model = load_text_model(source, CPU)
    network = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(copy), str(adapter))
    row = torch.tensor([model.codec.encode(TEXTS[0])])
    with torch.inference_mode():
        expected = network(row).logits
        got = model.network.network(row).logits
    assert torch.allclose(got, expected, atol=1e-4)
    base = load_text_model(find_text_model(str(copy)), CPU)
    assert model.generate(PROMPTS, GREEDY) != base.generate(PROMPTS, GREEDY)

    before = text_model_fingerprint(source)
    assert before != text_model_fingerprint(find_text_model(str(copy)))
    change_json(copy / "generation_config.json", eos_token_id=[0, 5])
    assert text_model_fingerprint(source) != before


@pytest.mark.parametrize("name", ["", "owner/name", "/gone", "gone@1"])
def test_a_base_that_cannot_be_found_is_told(copy: Path, tmp_path: Path, name: str) -> None:
    adapter = make_adapter(copy, tmp_path / "adapter", name)
    with pytest.raises(ModelError, match=r"base_model_name_or_path|not in the local cache"):
        check_causal(find_text_model(str(adapter)))


def test_an_adapter_labels_no_tokens(copy: Path, tmp_path: Path) -> None:
    adapter = make_adapter(copy, tmp_path / "adapter", str(copy))
    with pytest.raises(ModelError, match=r"holds no config\.json"):
        find_model(str(adapter))


def test_end_tokens_of_the_generation_config_end_texts(copy: Path) -> None:
    plain = load_text_model(find_text_model(str(copy)), CPU)
    first = plain.generate(PROMPTS[:1], Sampling(max_new_tokens=1))[0]
    row = torch.tensor([plain.codec.encode_prompt(PROMPTS[0])])
    with torch.inference_mode():
        token = int(plain.network.network(row).logits[0, -1].argmax())
    assert first.finish_reason == "length"
    change_json(copy / "generation_config.json", eos_token_id=[0, token])
    ended = load_text_model(find_text_model(str(copy)), CPU).generate(PROMPTS[:1], GREEDY)[0]
    assert (ended.text, ended.finish_reason, ended.completion_tokens) == ("", "stop", 1)


def test_fp32_is_the_cpus_choice() -> None:
    assert choose_text_device("cpu").dtype == torch.float32
    assert choose_text_device("cpu", "bf16").dtype == torch.bfloat16
    with pytest.raises(ModelError, match="fp16"):
        choose_text_device("cpu", "fp16")


def test_bf16_writes_as_many_texts(folders: dict[str, Path]) -> None:
    model = load_text_model(find_text_model(str(folders["biogpt"])), choose_device("cpu", "bf16"))
    made = model.generate(PROMPTS, GREEDY)
    assert len(made) == len(PROMPTS)
    assert all(0 < each.completion_tokens <= 8 for each in made)
