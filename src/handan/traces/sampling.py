"""Choosing the next token so that a row's sample doesn't depend on its neighbours.

Every row has a random stream of its own, seeded from the key of its request, and spends
one number per token. Which rows share a batch, when a row joins and where a run was
interrupted change nothing but rounding errors of the logits.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from handan.traces.request import Decoding

if TYPE_CHECKING:
    import torch

_BLOCK = 64  # numbers drawn at a time


def warpers(decoding: Decoding) -> list[Any]:
    """Return the processors of transformers that shape the distribution, in its order."""
    from transformers import TemperatureLogitsWarper, TopKLogitsWarper, TopPLogitsWarper

    found: list[Any] = []
    if decoding.temperature != 1:
        found.append(TemperatureLogitsWarper(float(decoding.temperature)))
    if decoding.top_k:
        found.append(TopKLogitsWarper(top_k=decoding.top_k))
    if decoding.top_p < 1:
        found.append(TopPLogitsWarper(top_p=decoding.top_p))
    return found


def invert(logits: torch.Tensor, uniforms: torch.Tensor) -> torch.Tensor:
    """Draw from softmax distributions by inverting their cumulative sums.

    The sums run over the vocabulary in its own order, not by rank: where rounding swaps
    two tokens of nearly equal probability, the choice stays.

    Parameters
    ----------
    logits : Tensor, shape (rows, vocabulary)
        Minus infinity where a token is ruled out.
    uniforms : Tensor, shape (rows,)
        In [0, 1).

    Returns
    -------
    Tensor of int, shape (rows,)
        Tokens of positive probability.
    """
    sums = logits.softmax(dim=-1).cumsum(dim=-1)
    found = (sums <= uniforms[:, None] * sums[:, -1:]).sum(dim=-1)
    # A number just below 1 can be rounded up to the whole sum, past the last token.
    return found.where(found < logits.shape[-1], logits.argmax(dim=-1))


class Chooser:
    """Chooses a token for each row of a batch.

    Parameters
    ----------
    decoding : Decoding
        See there.
    device : str or torch.device
        Where the logits are.
    """

    def __init__(self, decoding: Decoding, device: Any) -> None:
        self.greedy = decoding.greedy
        self._warpers = [] if self.greedy else warpers(decoding)
        self._device = device
        self._streams: list[np.random.Generator] = []
        self._drawn: Any = None  # (rows, _BLOCK)
        self._next = 0

    def seat(self, slots: Sequence[int], seeds: Sequence[int], rows: int) -> None:
        """Give the rows in `slots` fresh streams.

        Parameters
        ----------
        slots : sequence of int
            Places in the batch.
        seeds : sequence of int
            One for each of them.
        rows : int
            Size of the batch.
        """
        import torch

        if self.greedy:
            return
        if self._drawn is None:
            self._streams = [np.random.default_rng(0)] * rows
            self._drawn = torch.zeros(rows, _BLOCK, device=self._device)
        for slot, seed in zip(slots, seeds, strict=True):
            self._streams[slot] = np.random.default_rng(seed)
        left = _BLOCK - self._next
        drawn = np.stack([self._streams[slot].random(left, dtype=np.float32) for slot in slots])
        self._drawn[torch.as_tensor(slots), self._next :] = torch.from_numpy(drawn).to(self._device)

    def keep(self, slots: Sequence[int]) -> None:
        """Drop all rows but those in `slots`."""
        if not self.greedy:
            self._streams = [self._streams[slot] for slot in slots]
            self._drawn = self._drawn[list(slots)]

    def __call__(self, logits: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Choose a token per row.

        Parameters
        ----------
        logits : Tensor, shape (rows, vocabulary)
            As the model gave them.

        Returns
        -------
        tokens : Tensor of int, shape (rows,)
            Meaningless where `sound` is false.
        sound : Tensor of bool, shape (rows,)
            Whether the logits can be used: no NaN, no plus infinity, not all ruled out.
        """
        logits = logits.float()
        peak, tokens = logits.max(dim=-1)  # NaN, where there is one
        if not self.greedy:
            for warper in self._warpers:
                logits = warper(None, logits)
            tokens = invert(logits, self._uniforms())
        return tokens, peak.isfinite()

    def _uniforms(self) -> torch.Tensor:
        import torch

        if self._next == _BLOCK:
            drawn = np.stack([stream.random(_BLOCK, dtype=np.float32) for stream in self._streams])
            self._drawn = torch.from_numpy(drawn).to(self._device)
            self._next = 0
        self._next += 1
        return self._drawn[:, self._next - 1]
