"""Batches for models whose memory can't be taken apart: recurrent, hybrid or chunked attention.

Prompts of equal length share a batch, so that there is no padding that such a model
might not ignore, and transformers' own loop carries the states. Rows that are done wait
for the last one of their batch.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from handan.traces.decode import Row
from handan.traces.request import Decoding
from handan.traces.sampling import Chooser

if TYPE_CHECKING:
    import torch

    from handan.traces.network import Network


class StaticBatch:
    """Rows that are continued together, from the first to the last.

    Parameters
    ----------
    network : Network
        The model.
    waiting : deque of Row
        Rows to do, sorted by the length of the prompt; taken from the left.
    decoding : Decoding
        The same for all of them.
    stops : frozenset of int
        Stop tokens.
    size : int
        Most rows at a time.
    """

    def __init__(
        self, network: Network, waiting: deque[Row], decoding: Decoding, stops: frozenset[int], *, size: int
    ) -> None:
        self._network = network
        self._waiting = waiting
        self._decoding = decoding
        self._stops = stops
        self._size = size
        self.flight: list[Row] = []

    def run(self) -> Iterator[Row]:
        """Yield the rows of one batch after the other; returns when none is waiting."""
        while self._waiting:
            length = len(self._waiting[0].prompt)
            while self._waiting and len(self._waiting[0].prompt) == length and len(self.flight) < self._size:
                self.flight.append(self._waiting.popleft())
            self._generate()
            done, self.flight = self.flight, []
            yield from done

    def _generate(self) -> None:
        import torch
        from transformers import GenerationConfig, LogitsProcessorList

        rows = self.flight
        for row in rows:
            row.start()
        choose = Chooser(self._decoding, self._network.device)
        choose.seat(range(len(rows)), [int(row.key, 16) for row in rows], len(rows))
        sound: list[torch.Tensor] = []
        ids = torch.tensor([row.prompt for row in rows], device=self._network.device)
        config = GenerationConfig(
            do_sample=False,
            max_new_tokens=rows[0].limit,
            eos_token_id=sorted(self._stops) or None,
            pad_token_id=0,
        )
        made = self._network.model.generate(
            ids,
            attention_mask=torch.ones_like(ids),
            generation_config=config,
            logits_processor=LogitsProcessorList([_forcing(choose, sound)]),
        )
        usable = torch.stack(sound, 1).tolist()
        for row, tokens, good in zip(rows, made[:, ids.shape[1] :].tolist(), usable, strict=True):
            row.extend(tokens, good, self._stops)


def _forcing(choose: Chooser, sound: list[Any]) -> Any:
    """Return a logits processor that leaves one token to choose from: the one that we chose."""
    from transformers import LogitsProcessor

    class Forcing(LogitsProcessor):
        def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
            tokens, usable = choose(scores)
            sound.append(usable)
            return scores.new_full(scores.shape, float("-inf")).scatter(1, tokens[:, None], 0.0)

    return Forcing()
