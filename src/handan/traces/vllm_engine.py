"""vLLM in this process: the fastest engine on a CUDA GPU.

Requests are handed to vLLM's own scheduler and come back as they finish, through the
loop of `add_request` and `step` that ``LLM.generate`` itself runs. That method would return
only at the end, so that an interruption lost everything; cut into portions it would idle
at the end of each while its longest trace finishes; and one bad prompt would fail them all.

Token ids go in and token ids come out. The text is made by the same tokenizer as with the
other engines and keeps its tags, so that the chain of thought is split off and counted by
`handan.costs` in the same way; vLLM's reasoning parsers, which work on text, are not used.

Written against the documented interface of vLLM 0.10 to 0.20, and tested with a stand-in
that has the same names. It has not been run on a GPU.
"""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from handan import installed
from handan.traces.device import FLOATS, resolve_device, resolve_dtype
from handan.traces.errors import EngineError
from handan.traces.loading import load_tokenizer
from handan.traces.models import Model
from handan.traces.request import Completion, Request
from handan.traces.token_ids import completion, encode, published_stops
from handan.traces.vllm_terms import model_arguments, sampling, unanswerable

# Requests in vLLM's hands: more than it runs at a time (256 to 1,024), so that it is never idle.
_WINDOW = 2048


class VLLMEngine:
    """Generates with vLLM.

    A sample has a seed made from the key of its request, but vLLM's arithmetic depends on
    the batch: its traces can be repeated in distribution, not letter by letter.

    Parameters
    ----------
    model : Model
        See `handan.traces.models.resolve`.
    dtype : str
        ``auto`` or see `resolve_dtype`. Weights are not quantised while loading.
    tensor_parallel : int
        GPUs to split the model over.
    max_model_len : int, optional
        Context, prompt and reply together; by default all that the model has. A smaller one
        lets a large model fit.
    gpu_memory_utilization : float
        Share of each GPU's memory to take, in (0, 1].
    **options
        Further arguments of ``vllm.LLM``.

    Raises
    ------
    EngineError
        When an argument makes no sense.
    """

    name = "vllm"

    def __init__(
        self,
        model: Model,
        *,
        dtype: str = "auto",
        tensor_parallel: int = 1,
        max_model_len: int | None = None,
        gpu_memory_utilization: float = 0.9,
        **options: Any,
    ) -> None:
        self.model = model
        self.device = resolve_device("auto")
        self.dtype, self.dtype_reason = resolve_dtype(self.device, dtype)
        if self.dtype not in FLOATS:
            raise EngineError(f"the vllm engine does not quantise weights; choose {', '.join(FLOATS)}")
        if tensor_parallel < 1 or not 0 < gpu_memory_utilization <= 1:
            raise EngineError(
                "tensor_parallel must be at least 1 and gpu_memory_utilization above 0 and at most 1, "
                f"not {tensor_parallel} and {gpu_memory_utilization}"
            )
        if refused := {"trust_remote_code", "revision", "load_format"} & set(options):
            raise EngineError(
                f"{', '.join(sorted(refused))} can't be chosen: models load pinned and run no code"
            )
        self._options = {
            "tensor_parallel_size": tensor_parallel,
            "max_model_len": max_model_len,
            "gpu_memory_utilization": gpu_memory_utilization,
            **options,
        }
        self._tokenizer: Any = None
        self._engine: Any = None
        self._llm: Any = None
        self._stops: frozenset[int] = frozenset()
        self._context: int | None = None
        self._asked = 0

    @property
    def tokenizer(self) -> Any:
        """The model's tokenizer, to render prompts with; doesn't need the weights."""
        if self._tokenizer is None:
            self._tokenizer = load_tokenizer(self.model)
        return self._tokenizer

    def __enter__(self) -> VLLMEngine:
        os.environ.setdefault("VLLM_NO_USAGE_STATS", "1")
        try:
            from vllm import LLM
        except ImportError as error:
            raise EngineError(f"the vllm engine needs vLLM and a GPU: pip install vllm ({error})") from None
        self._stops = published_stops(self.model, self.tokenizer)
        try:
            self._llm = LLM(**model_arguments(self.model, self.dtype), **self._options)
        except Exception as error:
            raise EngineError(
                f"vLLM could not load {self.model.name}: {error}. Where memory is short, a smaller "
                "max_model_len or more GPUs (tensor_parallel) help"
            ) from error
        self._engine = self._llm.llm_engine
        self._context = int(self._engine.model_config.max_model_len)
        return self

    def __exit__(self, *exc: object) -> None:
        # vLLM frees the GPU when its engine is collected; it has no method to do so.
        self._llm = self._engine = None

    def settings(self) -> dict[str, Any]:
        """See `Engine`."""
        return {
            "engine": self.name,
            "device": self.device,
            "dtype": self.dtype,
            "dtype_reason": self.dtype_reason,
            "vllm": installed.versions(["vllm"]).get("vllm", "unknown"),
            **{name: repr(value) if callable(value) else value for name, value in self._options.items()},
            "context": self._context,
            "stop_tokens": sorted(self._stops),
        }

    def complete(self, requests: Sequence[Request]) -> Iterator[Completion]:
        """Answer every request once, each as soon as it is done.

        Raises
        ------
        EngineError
            When the engine was not entered, or vLLM can't go on.
        """
        if self._engine is None:
            raise EngineError("the engine has no model loaded; use it in a with statement")
        waiting = deque(requests)
        flight: dict[str, _Flight] = {}
        try:
            while waiting or flight:
                while waiting and len(flight) < _WINDOW:
                    refused = self._add(waiting.popleft(), flight)
                    if refused:
                        yield refused
                for output in self._step():
                    if output.finished and output.request_id in flight:
                        yield self._completion(flight.pop(output.request_id), output)
                if flight and not self._engine.has_unfinished_requests():
                    raise EngineError(f"vLLM lost {len(flight)} requests; run again to ask for them anew")
        finally:
            if flight:
                # The engine may be the thing that broke; what is under way is lost in any case.
                with suppress(Exception):
                    self._engine.abort_request(list(flight))

    def _add(self, request: Request, flight: dict[str, _Flight]) -> Completion | None:
        from vllm import SamplingParams
        from vllm.sampling_params import RequestOutputKind

        ids = encode(self.tokenizer, request)
        if reason := unanswerable(request, len(ids), self._context):
            return Completion.failed(request.key, reason)
        # vLLM has trouble with long ids, so requests are numbered.
        self._asked += 1
        number = str(self._asked)
        try:
            params = SamplingParams(
                **sampling(request, self._stops), output_kind=RequestOutputKind.FINAL_ONLY
            )
            self._engine.add_request(number, {"prompt_token_ids": ids}, params)
        except ValueError as error:
            return Completion.failed(request.key, f"vLLM refused it: {error}")
        except Exception as error:
            raise EngineError(f"vLLM takes no requests: {type(error).__name__}: {error}") from error
        flight[number] = _Flight(request, len(ids), time.monotonic())
        return None

    def _step(self) -> list[Any]:
        try:
            return list(self._engine.step())
        except Exception as error:
            raise EngineError(f"vLLM broke down: {type(error).__name__}: {error}") from error

    def _completion(self, asked: _Flight, output: Any) -> Completion:
        reply = output.outputs[0]
        seconds = time.monotonic() - asked.since
        if reply.finish_reason not in ("stop", "length"):
            why = f"vLLM ended it with {reply.finish_reason!r} after {len(reply.token_ids)} tokens"
            return Completion.failed(asked.request.key, why, seconds=seconds)
        ids = list(reply.token_ids)
        if reply.finish_reason == "stop" and not self._stops.intersection(ids):
            # Versions differ in whether the token that ended a text is among its tokens.
            said = reply.stop_reason
            ids.append(said if isinstance(said, int) else self.tokenizer.eos_token_id)
        return completion(
            asked.request.key,
            ids,
            tokenizer=self.tokenizer,
            stops=self._stops,
            limit=asked.request.decoding.max_new_tokens,
            prompt_tokens=asked.prompt_tokens,
            seconds=seconds,
        )


@dataclass(frozen=True)
class _Flight:
    request: Request
    prompt_tokens: int
    since: float
