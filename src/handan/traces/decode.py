"""The decoding loop: a batch in which finished rows make room for waiting ones.

With lengths as unequal as those of chains of thought, a fixed batch spends most of its
time on rows that ended long ago. Here a row leaves as soon as it is done and the next
one takes its place. When none is left to come, the batch shrinks.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from handan.traces.cache import Slots
from handan.traces.request import Decoding
from handan.traces.sampling import Chooser

if TYPE_CHECKING:
    import torch

    from handan.traces.network import Network

_PREFILL = 16_384  # tokens read at a time, padding included: bounds the memory that it takes


@dataclass(eq=False)
class Row:
    """A prompt and its continuation.

    Parameters
    ----------
    key : str
        Key of the request.
    prompt : list of int
        Token ids.
    limit : int
        Most tokens to generate.
    ids : list of int
        Generated tokens up to and including the first stop token.
    end : {"stop", "length", "error"}, optional
        None while it is not done.
    error : str, optional
        What went wrong.
    started, seconds : float
        When it was first read (by ``time.monotonic``), and how long it took from there.
    """

    key: str
    prompt: list[int]
    limit: int
    ids: list[int] = field(default_factory=list)
    end: str | None = None
    error: str | None = None
    started: float = 0.0
    seconds: float | None = None

    def start(self) -> None:
        """Begin, or begin again."""
        self.ids, self.started = [], time.monotonic()

    def finish(self, end: str, error: str | None = None) -> None:
        """Record how it ended."""
        self.end, self.error, self.seconds = end, error, time.monotonic() - self.started

    def extend(self, tokens: Sequence[int], sound: Sequence[bool], stops: frozenset[int]) -> None:
        """Add tokens as far as they count: up to a stop token, the limit, or unusable logits."""
        for token, usable in zip(tokens, sound, strict=True):
            if not usable:
                place = len(self.ids) + 1
                return self.finish("error", f"the model's logits for token {place} are NaN or infinite")
            self.ids.append(token)
            if token in stops:
                return self.finish("stop")
            if len(self.ids) == self.limit:
                return self.finish("length")
        return None


class Batch:
    """Rows that are continued together.

    Parameters
    ----------
    network : Network
        The model.
    waiting : deque of Row
        Rows to do; taken from the left.
    decoding : Decoding
        The same for all of them.
    stops : frozenset of int
        Stop tokens.
    size : int
        Most rows at a time.
    refill : bool
        Whether waiting rows replace finished ones at once, or only when all are finished.
    stride : int
        Steps between two looks at what was generated. A look makes a GPU wait.
    """

    def __init__(
        self,
        network: Network,
        waiting: deque[Row],
        decoding: Decoding,
        stops: frozenset[int],
        *,
        size: int,
        refill: bool = True,
        stride: int = 1,
    ) -> None:
        self._network = network
        self._waiting = waiting
        self._decoding = decoding
        self._stops = stops
        self._size = size
        self._refill = refill
        self._stride = stride
        self._rows: list[Row | None] = []
        self._open()

    def _open(self) -> None:
        """Start with an empty batch."""
        self._rows = [None] * min(self._size, len(self._waiting))
        self._choose = Chooser(self._decoding, self._network.device)
        self._slots: Any = None  # made when the first prompts have been read
        self._logits: Any = None  # (rows, vocabulary), for the next token
        self._lengths: Any = None  # (rows,) tokens in the cache; 0 where nobody sits

    @property
    def flight(self) -> list[Row]:
        """Rows begun and not done."""
        return [row for row in self._rows if row is not None]

    def run(self) -> Iterator[Row]:
        """Yield each row as soon as it is done; returns when none is waiting."""
        import torch

        while self._waiting or self.flight:
            # Closed before anything is handed out: the mode must not leak to whoever iterates.
            with torch.inference_mode():
                self._seat()
                done = self._advance()
            yield from done

    def _seat(self) -> None:
        """Let waiting rows take free slots, several at a time: reading a prompt costs about a step."""
        if not self.flight:
            self._open()
        free = [slot for slot, row in enumerate(self._rows) if row is None]
        enough = self._few(len(free)) if self._refill else len(free) == len(self._rows)
        while enough and free and self._waiting:
            longest = len(self._waiting[0].prompt)
            count = min(len(free), len(self._waiting), max(1, _PREFILL // longest))
            taken, free = free[:count], free[count:]
            for slot in taken:
                self._rows[slot] = self._waiting.popleft()
            self._read(taken)

    def _few(self, free: int) -> bool:
        """Whether so many free slots are worth the work of changing the batch."""
        return free >= max(1, len(self._rows) // 16)

    def _read(self, taken: list[int]) -> None:
        """Read the prompts of the rows that took slots."""
        import torch

        rows = [row for row in (self._rows[slot] for slot in taken) if row is not None]
        for row in rows:
            row.start()
        logits, past, mask = self._network.read([row.prompt for row in rows])
        if self._slots is None:
            self._slots = Slots(past, len(self._rows))
            self._logits = logits.new_zeros((len(self._rows), logits.shape[-1]))
            self._lengths = mask.new_zeros(len(self._rows), dtype=torch.long)
        self._slots.insert(taken, past, mask)
        self._logits[taken] = logits
        self._lengths[taken] = mask.sum(dim=1)
        self._choose.seat(taken, [int(row.key, 16) for row in rows], len(self._rows))

    def _advance(self) -> list[Row]:
        """Generate up to `stride` tokens per row and return the rows that are done."""
        import torch

        tokens: list[torch.Tensor] = []
        sound: list[torch.Tensor] = []
        steps = min(self._stride, *(row.limit - len(row.ids) for row in self.flight))
        for step in range(steps):
            if step:
                self._feed(tokens[-1])
            chosen, usable = self._choose(self._logits)
            tokens.append(chosen)
            sound.append(usable)
        done = self._settle(torch.stack(tokens, 1).tolist(), torch.stack(sound, 1).tolist())
        if self.flight:
            self._feed(self._shrink(tokens[-1]))
        return done

    def _settle(self, tokens: list[list[int]], sound: list[list[bool]]) -> list[Row]:
        """Add what was generated to the rows, and take those that are done out of their slots."""
        done, left = [], []
        for slot, row in enumerate(self._rows):
            if row is None:
                continue
            row.extend(tokens[slot], sound[slot], self._stops)
            if row.end is not None:
                done.append(row)
                left.append(slot)
                self._rows[slot] = None
        if left:
            self._lengths[left] = 0
            self._slots.wipe([slot for slot, row in zip(left, done, strict=True) if row.end == "error"])
        return done

    def _shrink(self, tokens: torch.Tensor) -> torch.Tensor:
        """Give up empty columns, and slots that nobody will take; return the tokens of the others."""
        kept = [slot for slot, row in enumerate(self._rows) if row is not None]
        wanted = self._waiting and self._refill
        if not wanted and self._few(len(self._rows) - len(kept)):
            self._rows = [self._rows[slot] for slot in kept]
            self._slots.keep(kept)
            self._choose.keep(kept)
            self._lengths, tokens = self._lengths[kept], tokens[kept]
        self._slots.trim(max(len(row.prompt) + len(row.ids) - 1 for row in self.flight))
        return tokens

    def _feed(self, tokens: torch.Tensor) -> None:
        """Read the tokens just chosen."""
        even = len({len(row.prompt) + len(row.ids) if row else 0 for row in self._rows}) == 1
        self._logits = self._network.step(tokens, self._lengths, self._slots, even=even)
        self._lengths += self._lengths > 0
