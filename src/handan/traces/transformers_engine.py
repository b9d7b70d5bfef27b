"""The default engine: transformers in this process, on a CPU, an Apple GPU or one CUDA GPU."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from typing import Any

from handan.traces.decode import Batch, Row
from handan.traces.device import QUANTIZED, resolve_device, resolve_dtype
from handan.traces.errors import EngineError, ModelError
from handan.traces.fallback import StaticBatch
from handan.traces.loading import context_limit, load_network, load_tokenizer, stop_tokens
from handan.traces.memory import guess_batch, out_of_memory, release
from handan.traces.models import Model
from handan.traces.request import Completion, Decoding, Request
from handan.traces.token_ids import completion, encode

_STRIDE = {"cuda": 8, "mps": 8}  # steps between two looks; waiting costs nothing on a CPU


class TransformersEngine:
    """Generates with transformers.

    Device and number format are settled at once, since requests are named by them; the
    tokenizer is loaded when it is first asked for, the weights when the engine is entered.

    Parameters
    ----------
    model : Model
        See `handan.traces.models.resolve`.
    dtype : str
        ``auto`` or see `resolve_dtype`.
    device : str
        ``auto`` or see `resolve_device`.
    batch_size : int or "auto"
        Most rows at a time. Halved when memory runs out, whatever it was.
    quantize : {8, 4}, optional
        Bits of the weights, converted while loading; needs CUDA and bitsandbytes.
    attention : str, optional
        Attention implementation; by default the one that transformers chooses.
    refill : bool
        Whether waiting rows take the place of finished ones. Some models can't (see
        `handan.traces.network.refillable`) and never do.
    stride : int, optional
        Steps between two looks at what was generated; by default 1 on a CPU, else 8.

    Raises
    ------
    EngineError
        When this machine can't do what is asked for.
    """

    name = "transformers"

    def __init__(
        self,
        model: Model,
        *,
        dtype: str = "auto",
        device: str = "auto",
        batch_size: int | str = "auto",
        quantize: int | None = None,
        attention: str | None = None,
        refill: bool = True,
        stride: int | None = None,
    ) -> None:
        self.model = model
        self.device = resolve_device(device)
        self.dtype, self.dtype_reason = resolve_dtype(self.device, _asked(dtype, quantize))
        if batch_size != "auto" and (not isinstance(batch_size, int) or batch_size < 1):
            raise EngineError(f"the batch size must be 'auto' or at least 1, not {batch_size!r}")
        self._asked_size = batch_size
        self._attention = attention
        self._refill, self._refill_reason = refill, "not tried yet" if refill else "switched off"
        self._stride = stride or _STRIDE.get(self.device.split(":")[0], 1)
        self._tokenizer: Any = None
        self._network: Any = None
        self._possible = False
        self._stops: frozenset[int] = frozenset()
        self._context: int | None = None
        self._size: int | None = None
        self._halvings = 0

    @property
    def tokenizer(self) -> Any:
        """The model's tokenizer, to render prompts with; doesn't need the weights."""
        if self._tokenizer is None:
            self._tokenizer = load_tokenizer(self.model)
        return self._tokenizer

    def __enter__(self) -> TransformersEngine:
        from transformers import GenerationConfig

        from handan.traces.network import Network, refillable

        loaded = load_network(self.model, device=self.device, dtype=self.dtype, attention=self._attention)
        self._stops = stop_tokens(loaded, self.tokenizer)
        if not self._stops:
            raise ModelError(f"{self.model.location} names no token that ends a text; nothing would ever end")
        self._context = context_limit(loaded)
        # All models of a study decode alike, whatever their authors put into this file.
        loaded.generation_config = GenerationConfig()
        self._network = Network(loaded)
        self._possible, reason = refillable(self._network)
        if self._refill:
            self._refill, self._refill_reason = self._possible, reason
        return self

    def __exit__(self, *exc: object) -> None:
        self._network = None
        release(self.device)

    def complete(self, requests: Sequence[Request]) -> Iterator[Completion]:
        """Answer every request once, each as soon as it is done.

        Raises
        ------
        EngineError
            When the engine was not entered, or the model fails in a way that is not a
            matter of memory.
        """
        if self._network is None:
            raise EngineError("the engine has no model loaded; use it in a with statement")
        groups: dict[Decoding, list[Request]] = {}
        for request in requests:
            groups.setdefault(request.decoding.canonical(), []).append(request)
        for decoding, group in groups.items():
            rows = []
            for request in group:
                row = self._row(request)
                if isinstance(row, Row):
                    rows.append(row)
                else:
                    yield row
            for row in self._decode(rows, decoding):
                yield self._completion(row, decoding)

    def settings(self) -> dict[str, Any]:
        """Return what was asked for and what became of it; sizes are known after the first rows."""
        network = self._network.model if self._network else None
        return {
            "engine": self.name,
            "device": self.device,
            "dtype": self.dtype,
            "dtype_reason": self.dtype_reason,
            "attention": network.config._attn_implementation if network else self._attention,
            "batch_size_asked": self._asked_size,
            "batch_size": self._size,
            "halvings": self._halvings,
            "refill": self._refill,
            "refill_reason": self._refill_reason,
            "stride": self._stride,
            "stop_tokens": sorted(self._stops),
            "context": self._context,
        }

    def _row(self, request: Request) -> Row | Completion:
        """Cut a prompt into tokens; a prompt that can't be answered fails at once."""
        ids = encode(self.tokenizer, request)
        room = request.decoding.max_new_tokens
        if self._context is not None:
            room = min(room, self._context - len(ids))
        if not ids:
            return Completion.failed(request.key, "the prompt has no tokens")
        if room < 1:
            return Completion.failed(
                request.key,
                f"the prompt has {len(ids)} tokens, and the model reads {self._context} with its reply",
            )
        return Row(request.key, ids, room)

    def _decode(self, rows: list[Row], decoding: Decoding) -> Iterator[Row]:
        """Yield rows as they end; whatever was in flight when memory ran out begins again."""
        start = self._start_size(rows, decoding)
        waiting = deque(sorted(rows, key=lambda row: -len(row.prompt)))
        self._size = start
        while waiting:
            batch = self._batch(waiting, decoding)
            try:
                yield from batch.run()
                continue
            except (MemoryError, RuntimeError) as error:
                if not out_of_memory(error):
                    raise EngineError(f"{self.model.name} failed on {self.device}: {error}") from error
            back = batch.flight
            del batch
            release(self.device)
            self._halvings += 1
            if len(back) == 1:
                lone = back.pop()
                lone.finish("error", f"out of memory on {self.device} with this request alone")
                yield lone
                self._size = start
            else:
                self._size = max(1, len(back) // 2)
                waiting = deque(sorted([*back, *waiting], key=lambda row: -len(row.prompt)))

    def _start_size(self, rows: list[Row], decoding: Decoding) -> int:
        if isinstance(self._asked_size, int):
            return self._asked_size
        longest = max((len(row.prompt) for row in rows), default=1)
        return guess_batch(self._network.model, self.device, longest + decoding.max_new_tokens)

    def _batch(self, waiting: deque[Row], decoding: Decoding) -> Batch | StaticBatch:
        size = self._size or 1
        if not self._possible:
            return StaticBatch(self._network, waiting, decoding, self._stops, size=size)
        return Batch(
            self._network,
            waiting,
            decoding,
            self._stops,
            size=size,
            refill=self._refill,
            stride=self._stride,
        )

    def _completion(self, row: Row, decoding: Decoding) -> Completion:
        if row.end == "error":
            return Completion.failed(row.key, row.error or "", seconds=row.seconds)
        return completion(
            row.key,
            row.ids,
            tokenizer=self.tokenizer,
            stops=self._stops,
            limit=decoding.max_new_tokens,
            prompt_tokens=len(row.prompt),
            seconds=row.seconds,
        )


def _asked(dtype: str, quantize: int | None) -> str:
    if quantize is None:
        asked = dtype
    elif quantize not in QUANTIZED:
        raise EngineError(f"weights are quantised to 8 or 4 bits, not {quantize!r}")
    elif dtype not in ("auto", QUANTIZED[quantize]):
        raise EngineError(
            f"quantize={quantize} makes the dtype {QUANTIZED[quantize]}; leave out dtype={dtype!r}"
        )
    else:
        asked = QUANTIZED[quantize]
    if asked in QUANTIZED.values() and find_spec("bitsandbytes") is None:
        raise EngineError(
            f"{asked} weights need bitsandbytes: pip install bitsandbytes, or leave out quantize"
        )
    return asked
