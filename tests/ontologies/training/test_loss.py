"""The loss and what it is computed on."""

from __future__ import annotations

import math

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from ontologies.training.loss import LossSettings, mine, multi_similarity_loss
from ontologies.training.relations import Relations
from ontologies.training.synonyms import Synonyms


def sample(seed: int, names: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    vectors = torch.nn.functional.normalize(torch.randn(names, 6, generator=generator), dim=1)
    concept = torch.randint(0, 3, (names,), generator=generator)
    alike = concept[:, None] == concept[None, :]
    return vectors, alike & ~torch.eye(names, dtype=torch.bool), ~alike


@given(seed=st.integers(0, 500), names=st.integers(2, 9), margin=st.sampled_from([0.0, 0.2, 3.0]))
def test_mining_leaves_the_pairs_of_hard_triplets(seed: int, names: int, margin: float) -> None:
    vectors, positive, negative = sample(seed, names)
    cosine = vectors @ vectors.T
    distance = (2 - 2 * cosine).clamp(min=0).sqrt()
    hard = [
        (a, p, n)
        for a in range(names)
        for p in range(names)
        for n in range(names)
        if positive[a, p] and negative[a, n] and distance[a, n] - distance[a, p] <= margin
    ]
    pulled, pushed = mine(cosine, positive, negative, margin)
    assert {(a, p) for a, p, _ in hard} == {tuple(x) for x in pulled.nonzero().tolist()}
    assert {(a, n) for a, _, n in hard} == {tuple(x) for x in pushed.nonzero().tolist()}


@given(seed=st.integers(0, 500), names=st.integers(2, 9))
def test_the_loss_is_the_formula_of_the_paper(seed: int, names: int) -> None:
    vectors, positive, negative = sample(seed, names)
    its = LossSettings(alpha=2.0, beta=20.0, base=0.5, margin=5.0)
    cosine = vectors @ vectors.T
    pulled, pushed = mine(cosine, positive, negative, its.margin)
    total = 0.0
    for a in range(names):
        pull = sum(
            math.exp(-its.alpha * (float(cosine[a, p]) - its.base))
            for p in range(names)
            if pulled[a, p]
        )
        push = sum(
            math.exp(its.beta * (float(cosine[a, n]) - its.base))
            for n in range(names)
            if pushed[a, n]
        )
        total += math.log1p(pull) / its.alpha + math.log1p(push) / its.beta
    loss = float(multi_similarity_loss(vectors, positive, negative, its))
    assert math.isclose(loss, total / names, rel_tol=1e-4, abs_tol=1e-6)


def test_a_step_without_hard_pairs_has_no_loss_and_no_bad_gradient() -> None:
    vectors = torch.eye(2, requires_grad=True)
    none = torch.zeros((2, 2), dtype=torch.bool)
    loss = multi_similarity_loss(vectors, none, none, LossSettings())
    loss.backward()
    assert float(loss.detach()) == 0
    assert vectors.grad is not None and bool(torch.isfinite(vectors.grad).all())


def test_an_ambiguous_name_is_no_negative_of_its_other_concept() -> None:
    # Text 1 means concepts 0 and 1; texts 0 and 2 mean one each.
    synonyms = Synonyms(
        texts=["a", "b", "c"],
        text=np.array([0, 1, 1, 2]),
        concept=np.array([0, 0, 1, 1]),
        concepts=2,
    )
    text, concept = np.array([0, 1, 2, 1]), np.array([0, 0, 1, 1])
    positive, negative = Relations(synonyms).of(text, concept)
    assert {tuple(x) for x in np.argwhere(positive)} == {(0, 1), (1, 0), (2, 3), (3, 2)}
    assert {tuple(x) for x in np.argwhere(negative)} == {(0, 2), (2, 0)}
