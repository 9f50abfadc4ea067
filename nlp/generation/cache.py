"""Keys and values of a batch whose rows come and go.

Rows are aligned at their ends: the newest token of each stands in the last column, and shorter rows
are padded on the left with zeros that the attention mask hides.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from transformers import Cache
from transformers.cache_utils import DynamicLayer

_ROOM = 64
"""Columns by which a buffer grows; transformers' own layer copies all of it for every token."""


class GrowingLayer(DynamicLayer):
    """One layer's keys and values, each ``(rows, heads, columns, width)``, written in place."""

    _keys: torch.Tensor
    _values: torch.Tensor
    _columns: int = 0

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, *args: object, **kwargs: object
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Append the columns of new tokens; returns all keys and values up to them."""
        first, last = self._columns, self._columns + key_states.shape[-2]
        if not self.is_initialized:
            self.dtype, self.device = key_states.dtype, key_states.device
            self.is_initialized = True
            self.hold(key_states, value_states)
        else:
            if last > self._keys.shape[-2]:
                self.hold(self.keys, self.values, room=last - first + _ROOM)
            self._keys[:, :, first:last] = key_states
            self._values[:, :, first:last] = value_states
            self._show(last)
        return self.keys, self.values

    def hold(self, keys: torch.Tensor, values: torch.Tensor, room: int = 0) -> None:
        """Put in place of what is held, with ``room`` for further columns."""
        self._keys, self._values = _with_room(keys, room), _with_room(values, room)
        self._show(keys.shape[-2])

    def _show(self, columns: int) -> None:
        self._columns = columns
        self.keys, self.values = self._keys[:, :, :columns], self._values[:, :, :columns]


def _with_room(states: torch.Tensor, room: int) -> torch.Tensor:
    if not room:
        return states
    rows, heads, columns, width = states.shape
    buffer = states.new_empty((rows, heads, columns + room, width))
    buffer[:, :, :columns] = states
    return buffer


def new_cache() -> Cache:
    """An empty cache of growing layers; sliding windows are left to the attention mask."""
    return Cache(layer_class_to_replicate=GrowingLayer)


def keep_rows(cache: Cache, rows: Sequence[int], columns: int) -> None:
    """Keep some rows, in the order given, and their last ``columns`` columns, in place."""
    for layer in cache.layers:
        chosen = torch.tensor(rows, device=layer.keys.device)
        layer.hold(
            layer.keys[:, :, -columns:].index_select(0, chosen),
            layer.values[:, :, -columns:].index_select(0, chosen),
            room=_ROOM,
        )


def join_rows(cache: Cache, other: Cache) -> None:
    """Append the rows of another cache, in place; the narrower is padded on the left."""
    for layer, more in zip(cache.layers, other.layers, strict=True):
        layer.hold(
            stack_right([layer.keys, more.keys]), stack_right([layer.values, more.values]), _ROOM
        )
        more.reset()  # layer by layer, so that never all rows are held twice


def stack_right(parts: Sequence[torch.Tensor]) -> torch.Tensor:
    """Stack ``(rows, heads, columns, width)`` tensors by rows, aligned at their last column."""
    columns = max(part.shape[2] for part in parts)
    rows = sum(part.shape[0] for part in parts)
    first = parts[0]
    stacked = first.new_zeros((rows, first.shape[1], columns, first.shape[3]))
    at = 0
    for part in parts:
        stacked[at : at + part.shape[0], :, columns - part.shape[2] :] = part
        at += part.shape[0]
    return stacked
