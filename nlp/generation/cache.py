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
    """One layer's keys and values, each ``(rows, heads, columns, width)``, written in place."""

    keys: torch.Tensor
    values: torch.Tensor

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, *args: object, **kwargs: object
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Append the columns of new tokens; returns all keys and values up to them."""
        if not self.is_initialized:
            self.dtype, self.device = key_states.dtype, key_states.device
            self.is_initialized = True
            self.hold(key_states, value_states)
            return self.keys, self.values
        first = self.keys.shape[-2]
        last = first + key_states.shape[-2]
        if last > self._room():
            self.hold(self.keys, self.values, room=last - first + _ROOM)
        self._keys[:, :, first:last] = key_states
        self._values[:, :, first:last] = value_states
        self.keys, self.values = self._keys[:, :, :last], self._values[:, :, :last]
        return self.keys, self.values

    def hold(self, keys: torch.Tensor, values: torch.Tensor, room: int = 0) -> None:
        """Put in place of what is held, with ``room`` for further columns."""
        columns = keys.shape[-2]
        self._keys, self._values = _with_room(keys, room), _with_room(values, room)
        self.keys, self.values = self._keys[:, :, :columns], self._values[:, :, :columns]

    def _room(self) -> int:
        """Columns of the buffers; none where transformers has put others in their place."""
        same = self.keys.data_ptr() == self._keys.data_ptr()
        return self._keys.shape[-2] if same and len(self.keys) == len(self._keys) else 0


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


def _layers(cache: Cache) -> list[GrowingLayer]:
    return cast("list[GrowingLayer]", cache.layers)


def keep_rows(cache: Cache, rows: Sequence[int], columns: int) -> None:
    """Keep some rows, in the order given, and their last ``columns`` columns, in place."""
    for layer in _layers(cache):
        chosen = torch.tensor(rows, device=layer.keys.device)
        layer.hold(
            layer.keys[:, :, -columns:].index_select(0, chosen),
            layer.values[:, :, -columns:].index_select(0, chosen),
            room=_ROOM,
        )


def join_rows(cache: Cache, other: Cache) -> None:
    """Append the rows of another cache, in place; the narrower is padded on the left."""
    for layer, more in zip(_layers(cache), _layers(other), strict=True):
        layer.hold(_stack([layer.keys, more.keys]), _stack([layer.values, more.values]), room=_ROOM)


def _stack(parts: Sequence[torch.Tensor]) -> torch.Tensor:
    """Stack ``(rows, heads, columns, width)`` tensors by rows, aligned at their last column."""
    columns = max(part.shape[2] for part in parts)
    first = parts[0]
    stacked = first.new_zeros((sum(map(len, parts)), first.shape[1], columns, first.shape[3]))
    at = 0
    for part in parts:
        stacked[at : at + len(part), :, columns - part.shape[2] :] = part
        at += len(part)
    return stacked
