"""Constrained decoding against scoring every name, and against transformers' own beam search."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from transformers import AutoModelForCausalLM

from ontologies.store import ConceptStore
from ontologies.writing.beam import write_names
from ontologies.writing.model import Writer
from ontologies.writing.settings import TEMPLATE
from ontologies.writing.trie import NameTrie, ended_rows, make_trie

ASKED = ["broken pump", "cold", "a", "renal troubles", "heart", "kidney of chronic kind", "cold"]


def names_of(store: ConceptStore) -> list[str]:
    return sorted(set(store.name_texts(np.arange(len(store.names.concept)))))


def trie_of(writer: Writer, names: list[str]) -> NameTrie:
    token, start, row = ended_rows(writer.names(names, TEMPLATE), writer.end)
    return make_trie(token, start, row.astype(np.int32), writer.end).trie


def by_prompt(found, prompts: int) -> list[list[tuple[int, float]]]:
    return [
        [(int(s), float(p)) for q, s, p in zip(*found, strict=True) if q == at]
        for at in range(prompts)
    ]


@pytest.fixture(params=["gpt2", "biogpt"])
def writer(request: pytest.FixtureRequest) -> Writer:
    return request.getfixturevalue(request.param)


def test_full_width_is_scoring_every_name(writer: Writer, small: ConceptStore) -> None:
    trie = trie_of(writer, names_of(small))
    prompts = writer.prompts(ASKED, TEMPLATE)
    found = by_prompt(write_names(writer, prompts, trie, len(trie)), len(ASKED))
    for prompt, names in zip(prompts, found, strict=True):
        assert len(names) == len(trie)
        tokens = [trie.tokens(row)[:-1] for row in range(len(trie))]
        every = writer.likelihoods([prompt] * len(tokens), tokens)
        for sequence, score in names:
            assert score == pytest.approx(every[sequence], rel=1e-4)
        assert [score for _, score in names] == sorted((s for _, s in names), reverse=True)


def test_what_is_written_does_not_hang_on_company(writer: Writer, small: ConceptStore) -> None:
    trie = trie_of(writer, names_of(small))
    prompts = writer.prompts(ASKED, TEMPLATE)
    together = by_prompt(write_names(writer, prompts, trie, 3), len(ASKED))
    assert together[1] == together[-1]
    for at, prompt in enumerate(prompts):
        assert by_prompt(write_names(writer, [prompt], trie, 3), 1) == [together[at]]


def test_beams_agree_with_those_of_transformers(
    gpt2: Writer, gpt2_folder, small: ConceptStore
) -> None:
    trie = trie_of(gpt2, names_of(small))
    whole = [trie.tokens(row) for row in range(len(trie))]
    network = AutoModelForCausalLM.from_pretrained(gpt2_folder).eval()
    for prompt in gpt2.prompts(ASKED, TEMPLATE):

        def allowed(_: int, ids: torch.Tensor, prompt: list[int] = prompt) -> list[int]:
            so_far = ids[len(prompt) :].tolist()
            depth = len(so_far)
            ways = {s[depth] for s in whole if s[:depth] == so_far and len(s) > depth}
            return sorted(ways) or [gpt2.end]

        with torch.inference_mode():
            out = network.generate(
                torch.tensor([prompt]),
                attention_mask=torch.ones((1, len(prompt)), dtype=torch.int64),
                num_beams=4,
                num_return_sequences=1,
                prefix_allowed_tokens_fn=allowed,
                max_new_tokens=40,
                do_sample=False,
                early_stopping="never",
                pad_token_id=gpt2.end,
            )
        theirs = out[0, len(prompt) :].tolist()
        theirs = theirs[: theirs.index(gpt2.end) + 1]
        (ours,) = by_prompt(write_names(gpt2, [prompt], trie, 4), 1)
        assert trie.tokens(ours[0][0]) == theirs


def test_no_prompts_and_no_names(gpt2: Writer, small: ConceptStore) -> None:
    empty = trie_of(gpt2, [])
    prompts = gpt2.prompts(["cold"], TEMPLATE)
    assert [len(part) for part in write_names(gpt2, prompts, empty, 3)] == [0, 0, 0]
    assert [len(part) for part in write_names(gpt2, [], trie_of(gpt2, ["cold"]), 3)] == [0, 0, 0]
