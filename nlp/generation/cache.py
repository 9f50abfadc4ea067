"""Keys and values of a batch whose rows come and go.

Rows are aligned at their ends: the newest token of each stands in the last column, and shorter rows
are padded on the left with zeros that the attention mask hides.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import torch
from transformers import Cache
from transformers.cache_utils import DynamicLayer

_ROOM = 64
"""Columns by which a buffer grows; transformers' own layer copies all of it for every token."""


class GrowingLayer(DynamicLayer):  # type: ignore[no-untyped-call]
    """One layer's keys and values, each ``(rows, heads, columns, width)``.

    ``keys`` and ``values`` show a part of buffers that have room for more rows and columns, so that
    tokens and rows are written in place. Unused places hold zeros or what stood there: hidden by
    the mask, but never NaN.
    """

    keys: torch.Tensor
    values: torch.Tensor
    _buffers: tuple[torch.Tensor, torch.Tensor]
    _start: int

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, *args: object, **kwargs: object
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Append the columns of new tokens; returns all keys and values up to them."""
        if not self.is_initialized:
            self.dtype, self.device = key_states.dtype, key_states.device
            self.is_initialized = True
            self._take((key_states, value_states), (key_states, value_states), 0)
            return self.keys, self.values
        rows, new = key_states.shape[0], key_states.shape[2]
        if not self._has_room(rows, new):
            self.reserve(rows, self.keys.shape[2], new + _ROOM)
        first = self._start + self.keys.shape[2]
        for buffer, states in zip(self._buffers, (key_states, value_states), strict=True):
            buffer[:rows, :, first : first + new] = states
        self._show(rows, self._start, first + new)
        return self.keys, self.values

    def reserve(self, rows: int, columns: int, room: int = _ROOM) -> None:
        """Move to buffers for so many rows and columns, aligned right, and further columns."""
        held = (self.keys, self.values)
        buffers = []
        for states in held:
            heads, width = states.shape[1], states.shape[3]
            buffer = states.new_zeros((max(rows, len(states)), heads, columns + room, width))
            buffer[: len(states), :, columns - states.shape[2] : columns] = states
            buffers.append(buffer)
        shown = [buffer[: len(self.keys), :, :columns] for buffer in buffers]
        self._take((buffers[0], buffers[1]), (shown[0], shown[1]), 0)

    def drop(self, moves: Sequence[tuple[int, int]], rows: int, columns: int) -> None:
        """Put rows at the places of others, then show ``rows`` rows and the last ``columns``."""
        last = self._start + self.keys.shape[2]
        if moves:
            sources, targets = (list(places) for places in zip(*moves, strict=True))
            for buffer in self._buffers:
                buffer[targets, :, last - columns : last] = buffer[
                    sources, :, last - columns : last
                ]
        self._show(rows, last - columns, last)

    def add(self, others: Sequence[GrowingLayer]) -> None:
        """Append the rows of other layers; the narrower rows are padded on the left."""
        rows = len(self.keys) + sum(len(other.keys) for other in others)
        columns = max(layer.keys.shape[2] for layer in (self, *others))
        last = self._start + self.keys.shape[2]
        if rows > len(self._buffers[0]) or columns > last:
            self.reserve(rows, columns)
            last = columns
        at = len(self.keys)
        for other in others:
            for buffer, states in zip(self._buffers, (other.keys, other.values), strict=True):
                buffer[at : at + len(states), :, last - states.shape[2] : last] = states
            at += len(other.keys)
            other.reset()  # layer by layer, so that never all rows are held twice
        self._show(rows, last - columns, last)

    def repeat(self, rows: Sequence[int]) -> None:
        """Show the rows given, in their order; a row may come more than once."""
        chosen = torch.tensor(rows, device=self.keys.device)
        states = self.keys.index_select(0, chosen), self.values.index_select(0, chosen)
        self._take(states, states, 0)

    def _has_room(self, rows: int, new: int) -> bool:
        """Whether the buffers take new columns; not where transformers put others in place."""
        keys, buffer = self.keys, self._buffers[0]
        shown = buffer[: len(keys), :, self._start : self._start + keys.shape[2]]
        same = keys.data_ptr() == shown.data_ptr() and keys.stride() == shown.stride()
        return same and self._start + keys.shape[2] + new <= buffer.shape[2]

    def _take(
        self,
        buffers: tuple[torch.Tensor, torch.Tensor],
        shown: tuple[torch.Tensor, torch.Tensor],
        start: int,
    ) -> None:
        self._buffers, self._start = buffers, start
        self.keys, self.values = shown

    def _show(self, rows: int, first: int, last: int) -> None:
        keys, values = self._buffers
        self._start = first
        self.keys, self.values = keys[:rows, :, first:last], values[:rows, :, first:last]


def new_cache() -> Cache:
    """An empty cache of growing layers; sliding windows are left to the attention mask."""
    return Cache(layer_class_to_replicate=GrowingLayer)


def repeat_rows(cache: Cache, rows: Sequence[int]) -> None:
    """Put the rows given in place of those there; a row may come more than once."""
    for layer in _layers(cache):
        layer.repeat(rows)


def drop_rows(cache: Cache, order: Sequence[int], columns: int) -> None:
    """Keep the rows of an order of :func:`keep_order`, and their last ``columns`` columns."""
    moves = [(row, place) for place, row in enumerate(order) if row != place]
    for layer in _layers(cache):
        layer.drop(moves, len(order), columns)


def keep_order(kept: Sequence[int]) -> list[int]:
    """The kept rows, in an order that moves the last of them to places that become free."""
    inside = {row for row in kept if row < len(kept)}
    outside = iter([row for row in kept if row >= len(kept)])
    return [place if place in inside else next(outside) for place in range(len(kept))]


def join_rows(caches: Sequence[Cache]) -> Cache:
    """The rows of all caches, in the first of them; the narrower are padded on the left."""
    if len(caches) > 1:
        for first, *others in zip(*map(_layers, caches), strict=True):
            first.add(others)
    return caches[0]


def _layers(cache: Cache) -> list[GrowingLayer]:
    return cast("list[GrowingLayer]", cache.layers)
