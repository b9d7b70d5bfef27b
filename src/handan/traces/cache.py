"""Keys and values of a batch whose rows come and go.

Rows are aligned at the right, so that one new column serves all of them: ::

    slot 0   . . . a b c d e f        . columns that the row doesn't attend to
    slot 1   . . . . . . x y z        (left padding, or what an earlier row left there)
    slot 2   p q r s t u v w x
             start             end

A row that is done leaves its slot as it is; the next one is written over it, so nothing
else has to move. Columns are allocated ahead in blocks, unlike in transformers'
``DynamicCache``, which copies everything at every step.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

_AHEAD = 64  # columns allocated ahead, or a quarter of the width if that is more


@cache
def _slot_layer() -> type:
    # Made on first use: the base class is in transformers, which is slow to import.
    from transformers.cache_utils import DynamicLayer

    class SlotLayer(DynamicLayer):
        """One layer's keys and values: (slots, heads, columns, head dimension) each."""

        def __init__(self, keys: torch.Tensor, values: torch.Tensor, slots: int) -> None:
            super().__init__()
            self.dtype, self.device = keys.dtype, keys.device
            self.start = self.end = 0
            self.stored = [one.new_zeros((slots, one.shape[1], 0, one.shape[3])) for one in (keys, values)]
            self.is_initialized = True

        def update(
            self, key_states: torch.Tensor, value_states: torch.Tensor, *args: Any, **kwargs: Any
        ) -> tuple[torch.Tensor, torch.Tensor]:
            """Write new columns and return all that count."""
            new = key_states.shape[-2]
            if self.end + new > self.stored[0].shape[2]:
                self.rebuild(right=new)
            for stored, states in zip(self.stored, (key_states, value_states), strict=True):
                stored[:, :, self.end : self.end + new] = states
            self.end += new
            self.keys, self.values = (stored[:, :, self.start : self.end] for stored in self.stored)
            return self.keys, self.values

        def get_seq_length(self) -> int:
            """Return the number of columns that count."""
            return self.end - self.start

        def rebuild(self, rows: Sequence[int] | None = None, *, left: int = 0, right: int = 0) -> None:
            """Copy what counts into a new buffer: some rows only, or with more room at either side."""
            width = self.end - self.start
            right += max(_AHEAD, width // 4)
            for place, stored in enumerate(self.stored):
                old = stored[:, :, self.start : self.end]
                old = old if rows is None else old[list(rows)]
                new = old.new_zeros((old.shape[0], old.shape[1], left + width + right, old.shape[3]))
                new[:, :, left : left + width] = old
                self.stored[place] = new
            self.start, self.end = left, left + width

        def insert(self, slots: Sequence[int], keys: torch.Tensor, values: torch.Tensor) -> None:
            """Write whole rows, aligned at the right, over what is in `slots`."""
            width = keys.shape[2]
            if width > self.end:
                self.rebuild(left=width - self.get_seq_length())
            for stored, states in zip(self.stored, (keys, values), strict=True):
                stored[list(slots), :, self.end - width : self.end] = states
            self.start = min(self.start, self.end - width)

        def trim(self, width: int) -> None:
            """Leave out columns at the left that no row needs."""
            self.start = self.end - width

        def wipe(self, slots: Sequence[int]) -> None:
            """Set rows to zero."""
            for stored in self.stored:
                stored[list(slots)] = 0

    return SlotLayer


class Slots:
    """The caches of all layers, as a batch of slots.

    Parameters
    ----------
    like : transformers.Cache
        A filled cache of the same model: its shapes are taken over.
    count : int
        Number of slots.

    Attributes
    ----------
    past : transformers.Cache
        What a model is given as ``past_key_values``.
    """

    def __init__(self, like: Any, count: int) -> None:
        from transformers.cache_utils import Cache

        make = _slot_layer()
        self._layers = [make(layer.keys, layer.values, count) for layer in like.layers]
        self.past = Cache(layers=self._layers)

    @property
    def width(self) -> int:
        """Columns that count."""
        return int(self._layers[0].get_seq_length())

    def insert(self, slots: Sequence[int], rows: Any, mask: torch.Tensor) -> None:
        """Write prefilled rows over whatever is in `slots`.

        Parameters
        ----------
        slots : sequence of int
            Where to.
        rows : transformers.Cache
            Left-padded.
        mask : Tensor of bool, shape (rows, width)
            False in the padding, which is set to zero: a NaN there would spread, since
            zero times NaN is NaN.
        """
        padding = ~mask[:, None, :, None]
        for layer, new in zip(self._layers, rows.layers, strict=True):
            layer.insert(slots, new.keys.masked_fill(padding, 0), new.values.masked_fill(padding, 0))

    def keep(self, slots: Sequence[int]) -> None:
        """Drop all rows but those in `slots`, which move up."""
        for layer in self._layers:
            layer.rebuild(slots)

    def trim(self, width: int) -> None:
        """Leave out columns at the left beyond `width`."""
        for layer in self._layers:
            layer.trim(width)

    def wipe(self, slots: Sequence[int]) -> None:
        """Set rows to zero, after NaN."""
        for layer in self._layers:
            layer.wipe(slots)
