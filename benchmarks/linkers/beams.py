"""Our beam search over a trie beside transformers' own with ``prefix_allowed_tokens_fn``."""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np
import torch
from transformers import AutoModelForCausalLM

from linkers.tables import print_table, say
from ontologies.labels import LABEL_TYPES, allowed_types
from ontologies.store import ConceptStore
from ontologies.writing.beam import write_names
from ontologies.writing.model import Writer
from ontologies.writing.names import named_trie
from ontologies.writing.settings import TEMPLATE
from ontologies.writing.trie import NameTrie, restrict

BEAMS = 5


def compare_beams(
    store: ConceptStore, names: Sequence[tuple[str, str]], model: str, count: int
) -> None:
    """Print CPU seconds and how often the best name is the same, for diseases."""
    say("comparing with transformers' beam search")
    texts = [text for text, label in names if label == "Disease"][:count]
    writer = Writer.open(model, device="cpu")
    named = named_trie(
        store,
        writer.source,
        TEMPLATE,
        writer.longest,
        writer.end,
        lambda its: writer.names(its, TEMPLATE),
    )
    permit = store.permits(allowed_types("Disease", LABEL_TYPES))
    allowed = permit[store.names.concept[named.name]] != 0
    trie = restrict(named.trie, np.logical_or.reduceat(allowed, named.name_start[:-1]))
    prompts = writer.prompts(texts, TEMPLATE)
    clock = time.process_time()
    query, sequence, _ = write_names(writer, prompts, trie, BEAMS)
    ours_seconds = time.process_time() - clock
    ours = [
        named.trie.tokens(int(sequence[np.searchsorted(query, at)])) for at in range(len(texts))
    ]
    clock = time.process_time()
    theirs = by_transformers(model, prompts, trie, writer.longest)
    seconds = time.process_time() - clock
    same = sum(a == b for a, b in zip(ours, theirs, strict=True))
    print_table(
        f"{BEAMS} beams for {len(texts):,} names; the best name of {same:,} is the same",
        ["", "names a CPU second"],
        [
            ["ours, batched", f"{len(texts) / ours_seconds:.1f}"],
            ["transformers, batched by length", f"{len(texts) / seconds:.1f}"],
        ],
    )


def by_transformers(
    model: str, prompts: Sequence[list[int]], trie: NameTrie, longest: int
) -> list[list[int]]:
    """The best name of each prompt, batches of one length."""
    network = AutoModelForCausalLM.from_pretrained(model).eval()
    best: list[list[int]] = [[] for _ in prompts]
    nodes: dict[tuple[int, ...], tuple[int, int]] = {(): (0, len(trie))}
    after: dict[tuple[int, ...], list[int]] = {}

    def ways(so_far: tuple[int, ...]) -> list[int]:
        if so_far not in after:
            low, high = nodes[so_far]
            found = trie.children(np.array([low]), np.array([high]), len(so_far))
            after[so_far] = found.token.tolist()
            for token, first, last in zip(found.token, found.low, found.high, strict=True):
                nodes[*so_far, int(token)] = int(first), int(last)
        return after[so_far]

    lengths = sorted({len(prompt) for prompt in prompts})
    for length in lengths:
        rows = [row for row, prompt in enumerate(prompts) if len(prompt) == length]
        for start in range(0, len(rows), 12):
            batch = rows[start : start + 12]

            def allowed(_: int, ids: torch.Tensor, length: int = length) -> list[int]:
                so_far = tuple(ids[length:].tolist())
                return [trie.end] if trie.end in so_far else ways(so_far)

            ids = torch.tensor([prompts[row] for row in batch])
            with torch.inference_mode():
                out = network.generate(
                    ids,
                    attention_mask=torch.ones_like(ids),
                    num_beams=BEAMS,
                    prefix_allowed_tokens_fn=allowed,
                    max_new_tokens=longest,
                    do_sample=False,
                    early_stopping="never",
                    pad_token_id=trie.end,
                    eos_token_id=trie.end,
                )
            for row, its in zip(batch, out[:, length:].tolist(), strict=True):
                best[row] = its[: its.index(trie.end) + 1] if trie.end in its else its
    return best
