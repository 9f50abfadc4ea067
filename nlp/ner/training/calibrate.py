"""Calibrated scores: of mentions with score 0.8, eight in ten should be right.

Platt's sigmoid on the span's log odds, one a label, fitted on texts the model was not trained on
(Platt 1999; for neural networks Guo et al. 2017), and the expected calibration error to judge it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nlp.ner.chain import DECODER_FILE, Calibration, Decoder, write_decoder
from nlp.ner.decode import Span, calibrate, log_odds
from nlp.ner.device import choose_device
from nlp.ner.engine import NerEngine
from nlp.ner.errors import TrainingError
from nlp.ner.model import folder_source, load_model
from nlp.ner.source import read_model_decoder
from nlp.ner.training.gold import GoldText

Doubles = NDArray[np.float64]

FEWEST = 50
"""Found mentions of a label below which no curve is fitted to them."""


def calibrate_folder(
    folder: Path, gold: Sequence[GoldText], device: str = "auto"
) -> dict[str, tuple[float, float]]:
    """Fit a curve to each label of the model in ``folder`` and write them to its decoder.json.

    Returns:
        By label the expected calibration error on ``gold`` before and after.

    Raises:
        TrainingError: the folder has no decoder.json.
    """
    loaded = load_model(folder_source(folder), choose_device(device))
    plain = replace(loaded, decoder=replace(loaded.decoder, calibration={}))
    found = NerEngine(plain).find([text.text for text in gold])
    return write_curves(folder, found, gold)


def write_curves(
    folder: Path, found: Sequence[Sequence[Span]], gold: Sequence[GoldText]
) -> dict[str, tuple[float, float]]:
    """The same from mentions that the model found in the gold texts, not calibrated yet."""
    curves: dict[str, Calibration] = {}
    errors: dict[str, tuple[float, float]] = {}
    for label, (scores, right) in judged_scores(found, gold).items():
        if len(scores) < FEWEST or right.all() or not right.any():
            continue
        curves[label] = fit(scores, right)
        after = apply(scores, curves[label])
        errors[label] = calibration_error(scores, right), calibration_error(after, right)
    write_decoder(folder, replace(_decoder_of(folder), calibration=curves))
    return errors


def copy_calibration(origin: Path, folder: Path) -> None:
    """Give the model in ``folder`` the curves of another model made by the same recipe.

    Raises:
        TrainingError: either folder has no decoder.json.
    """
    curves = _decoder_of(origin).calibration
    write_decoder(folder, replace(_decoder_of(folder), calibration=curves))


def judged_scores(
    found: Sequence[Sequence[Span]], gold: Sequence[GoldText]
) -> dict[str, tuple[Doubles, Doubles]]:
    """By label the scores of the mentions found in texts, and 1 where the gold agrees, else 0."""
    rows: dict[str, list[tuple[float, float]]] = {}
    for text, spans in zip(gold, found, strict=True):
        marked = set(text.mentions)
        for span in spans:
            if span.label in text.annotated:
                right = (span.start, span.end, span.label) in marked
                rows.setdefault(span.label, []).append((span.score, float(right)))
    return {
        label: (np.array([s for s, _ in pairs]), np.array([r for _, r in pairs]))
        for label, pairs in sorted(rows.items())
    }


def fit(scores: Doubles, right: Doubles) -> Calibration:
    """The sigmoid of largest likelihood, by Newton's method, with a weak pull to no change.

    Args:
        scores: probabilities, shape (mentions,).
        right: 1 or 0 each, shape (mentions,).
    """
    odds = np.array([log_odds(score) for score in scores])
    features = np.stack([odds, np.ones(len(scores))], axis=1)
    prior = np.array([1.0, 0.0])
    weights = prior.copy()
    for _ in range(50):
        guess = 1.0 / (1.0 + np.exp(-np.clip(features @ weights, -500.0, 500.0)))
        gradient = features.T @ (guess - right) + (weights - prior)
        curvature = features.T @ (features * (guess * (1 - guess))[:, None]) + np.eye(2)
        step = np.linalg.solve(curvature, gradient)
        step = step / max(1.0, float(np.abs(step).max()))  # far off, Newton's steps overshoot
        weights = weights - step
        if np.abs(step).max() < 1e-8:
            break
    # A falling curve would turn the order of mentions round: the scores then mean nothing.
    return Calibration(max(float(weights[0]), 0.05), float(weights[1]))


def apply(scores: Doubles, curve: Calibration) -> Doubles:
    """Calibrated probabilities, shape as given."""
    return np.array([calibrate(score, curve) for score in scores])


def calibration_error(scores: Doubles, right: Doubles, bins: int = 10) -> float:
    """Expected calibration error (Naeini et al. 2015): mean gap of score and share right.

    Args:
        scores: probabilities, shape (mentions,).
        right: 1 or 0 each, shape (mentions,).
        bins: of even width over 0 to 1.
    """
    if not len(scores):
        return 0.0
    bin_of = np.minimum((scores * bins).astype(int), bins - 1)
    gaps = np.bincount(bin_of, weights=scores - right, minlength=bins)
    return float(np.abs(gaps).sum() / len(scores))


def _decoder_of(folder: Path) -> Decoder:
    if not (folder / DECODER_FILE).is_file():
        raise TrainingError(f"{folder} holds no {DECODER_FILE}, so it takes no curves")
    return read_model_decoder(folder_source(folder))
