"""Windows over a token sequence that is longer than the model's context."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Window:
    """Tokens ``start:end`` go through the model together; ``keep_start:keep_end`` are taken.

    The kept ranges of a sequence's windows tile it without gap or overlap.
    """

    sequence: int
    start: int
    end: int
    keep_start: int
    keep_end: int

    def __len__(self) -> int:
        return self.end - self.start


def cut_windows(
    length: int, size: int, overlap: int, sequence: int = 0, *, causal: bool = False
) -> list[Window]:
    """Cut a sequence of ``length`` tokens into evenly spread windows of at most ``size``.

    Neighbours share at least ``overlap`` tokens, and each token is kept from the window in which
    it is nearest the centre, so that no prediction is made at the edge of its context. For a
    causal model, which sees only what stands before, that is the window that began earlier.

    Raises:
        ValueError: ``overlap`` is not smaller than ``size``.
    """
    if not 0 <= overlap < size:
        raise ValueError(f"overlap {overlap} must be at least 0 and smaller than size {size}")
    if length == 0:
        return []
    if length <= size:
        return [Window(sequence, 0, length, 0, length)]
    count = -(-(length - overlap) // (size - overlap))
    last = length - size
    starts = [index * last // (count - 1) for index in range(count)]
    ends = [start + size for start in starts]
    if causal:
        bounds = [0, *ends]
    else:
        bounds = [0, *((starts[i] + ends[i - 1]) // 2 for i in range(1, count)), length]
    return [
        Window(sequence, start, start + size, bounds[i], bounds[i + 1])
        for i, start in enumerate(starts)
    ]


def batch_windows(
    windows: list[Window], token_budget: int, special_tokens: int = 0, *, padded: bool = True
) -> list[list[Window]]:
    """Group windows of similar length so that their tokens stay within the budget.

    Padded rows count as rows x longest row, packed ones as they are.

    Each row is its window and ``special_tokens`` more.
    Windows are sorted by length, longest first, so padding is small and a device's largest need
    comes with the first batch. A window longer than the budget is a batch of its own.
    """
    ordered = sorted(windows, key=lambda w: (-len(w), w.sequence, w.start))
    batches: list[list[Window]] = []
    tokens = 0
    for window in ordered:
        size = (len(batches[-1][0]) if batches and padded else len(window)) + special_tokens
        if batches and tokens + size <= token_budget:
            batches[-1].append(window)
        else:
            batches.append([window])
            tokens = 0
        tokens += size
    return batches
