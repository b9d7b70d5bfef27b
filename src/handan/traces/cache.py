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


class Columns:
    """One layer's keys and values: (slots, heads, columns, head dimension) each.

    Parameters
    ----------
    keys, values : Tensor
        Shapes, number format and device are taken from them.
    slots : int
        Number of rows.
    """

    def __init__(self, keys: torch.Tensor, values: torch.Tensor, slots: int) -> None:
        self.start = self.end = 0
        self._stored = [one.new_zeros((slots, one.shape[1], 0, one.shape[3])) for one in (keys, values)]

    @property
    def width(self) -> int:
        """Columns that count."""
        return self.end - self.start

    def append(self, keys: torch.Tensor, values: torch.Tensor) -> list[torch.Tensor]:
        """Write new columns and return all that count, keys and values."""
        new = keys.shape[-2]
        if self.end + new > self._stored[0].shape[2]:
            self.rebuild(right=new)
        for stored, states in zip(self._stored, (keys, values), strict=True):
            stored[:, :, self.end : self.end + new] = states
        self.end += new
        return [stored[:, :, self.start : self.end] for stored in self._stored]

    def insert(self, slots: Sequence[int], keys: torch.Tensor, values: torch.Tensor) -> None:
        """Write whole rows, aligned at the right, over what is in `slots`."""
        width = keys.shape[2]
        if width > self.end:
            self.rebuild(left=width - self.width)
        for stored, states in zip(self._stored, (keys, values), strict=True):
            stored[list(slots), :, self.end - width : self.end] = states
        self.start = min(self.start, self.end - width)

    def rebuild(self, rows: Sequence[int] | None = None, *, left: int = 0, right: int = 0) -> None:
        """Copy what counts into new memory: some rows only, or with more room at either side."""
        width = self.width
        right += max(_AHEAD, width // 4)
        for place, stored in enumerate(self._stored):
            old = stored[:, :, self.start : self.end]
            old = old if rows is None else old[list(rows)]
            new = old.new_zeros((old.shape[0], old.shape[1], left + width + right, old.shape[3]))
            new[:, :, left : left + width] = old
            self._stored[place] = new
        self.start, self.end = left, left + width

    def wipe(self, slots: Sequence[int]) -> None:
        """Set rows to zero."""
        for stored in self._stored:
            stored[list(slots)] = 0


@cache
def _slot_layer() -> type:
    # Made on first use: the base class is in transformers, which is slow to import.
    from transformers.cache_utils import DynamicLayer

    class SlotLayer(DynamicLayer):
        """What a model is told about `Columns`."""

        def __init__(self, columns: Columns, keys: torch.Tensor) -> None:
            super().__init__()
            self.columns = columns
            self.dtype, self.device = keys.dtype, keys.device
            self.is_initialized = True

        def update(
            self, key_states: torch.Tensor, value_states: torch.Tensor, *args: Any, **kwargs: Any
        ) -> tuple[torch.Tensor, torch.Tensor]:
            """Take new columns and give all of them to attend to."""
            self.keys, self.values = self.columns.append(key_states, value_states)
            return self.keys, self.values

        def get_seq_length(self) -> int:
            """Return the number of columns, padding included."""
            return self.columns.width

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
        self._layers = [Columns(layer.keys, layer.values, count) for layer in like.layers]
        pairs = zip(self._layers, like.layers, strict=True)
        self.past = Cache(layers=[make(columns, layer.keys) for columns, layer in pairs])

    @property
    def width(self) -> int:
        """Columns that count."""
        return self._layers[0].width

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
        for columns, new in zip(self._layers, rows.layers, strict=True):
            columns.insert(slots, new.keys.masked_fill(padding, 0), new.values.masked_fill(padding, 0))

    def keep(self, slots: Sequence[int]) -> None:
        """Drop all rows but those in `slots`, which move up."""
        for columns in self._layers:
            columns.rebuild(slots)

    def trim(self, width: int) -> None:
        """Leave out columns at the left beyond `width`."""
        for columns in self._layers:
            columns.start = columns.end - width

    def wipe(self, slots: Sequence[int]) -> None:
        """Set rows to zero, after NaN."""
        for columns in self._layers:
            columns.wipe(slots)
