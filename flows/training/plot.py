"""The course of a training as a picture: an SVG file that stands alone."""

from __future__ import annotations

import math
from collections.abc import Sequence

from flows.training.history import Epoch, Measure, best_epoch

_WIDTH, _HEIGHT = 320, 200
_LEFT, _TOP = 52, 34
_BLUE, _RED, _GREY = "#1f6fb2", "#c2452d", "#8a8f98"


def training_svg(history: Sequence[Epoch], epochs: int, measure: Measure, loss_title: str) -> str:
    """Loss and the measure on dev by epoch, side by side.

    Args:
        history: at least one epoch.
        epochs: epochs that are to come at most; the axes reach that far.
        measure: one of the scores of each epoch.
        loss_title: above the panel of the loss.
    """
    best = best_epoch(history, measure)
    losses = [(e.epoch, e.loss) for e in history]
    scores = [(e.epoch, e.scores[measure.name]) for e in history]
    width, height = 2 * (_WIDTH + _LEFT) + 40, _HEIGHT + _TOP + 46
    mark = "" if best is None else f"best {best.scores[measure.name]:.3f} in epoch {best.epoch}"
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
            f'width="{width}" height="{height}" font-family="sans-serif" font-size="11">',
            '<rect width="100%" height="100%" fill="white"/>',
            *_panel(_LEFT, loss_title, losses, epochs, _RED, f"last {losses[-1][1]:.4f}"),
            *_panel(2 * _LEFT + _WIDTH + 16, measure.title, scores, epochs, _BLUE, mark),
            "</svg>\n",
        ]
    )


def _panel(
    left: int, title: str, points: list[tuple[int, float]], epochs: int, colour: str, note: str
) -> list[str]:
    points = [(x, y) for x, y in points if math.isfinite(y)]
    ticks = _ticks(min((y for _, y in points), default=0), max((y for _, y in points), default=1))
    low, high = ticks[0], ticks[-1]
    right, bottom = left + _WIDTH, _TOP + _HEIGHT

    def at(x: float, y: float) -> tuple[float, float]:
        share = (x - 1) / max(1, epochs - 1)
        return left + 8 + share * (_WIDTH - 16), bottom - (y - low) / (high - low) * _HEIGHT

    svg = [
        f'<text x="{left}" y="{_TOP - 14}" font-size="13">{title}</text>',
        f'<text x="{right}" y="{_TOP - 14}" text-anchor="end" fill="{_GREY}">{note}</text>',
    ]
    for tick in ticks:
        _, y = at(1, tick)
        svg += [
            f'<path d="M{left} {y:.1f}H{right}" stroke="#e3e5e8"/>',
            f'<text x="{left - 6}" y="{y + 4:.1f}" text-anchor="end">{tick:.4g}</text>',
        ]
    for epoch in range(1, epochs + 1, max(1, math.ceil(epochs / 10))):
        x, _ = at(epoch, low)
        svg.append(f'<text x="{x:.1f}" y="{bottom + 16}" text-anchor="middle">{epoch}</text>')
    svg.append(
        f'<text x="{(left + right) / 2}" y="{bottom + 34}" text-anchor="middle" '
        f'fill="{_GREY}">epoch</text>'
    )
    places = [at(x, y) for x, y in points]
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    svg.append(f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2"/>')
    svg += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in places]
    return svg


def _ticks(low: float, high: float) -> list[float]:
    """Three to six round numbers that hold both."""
    span = high - low or abs(high) or 1.0
    size = 10.0 ** math.floor(math.log10(span / 3))
    step = next(size * m for m in (1, 2, 5, 10) if span / (size * m) <= 4)
    first, last = math.floor(low / step), math.ceil(high / step)
    return [step * n for n in range(first, max(last, first + 1) + 1)]
