"""A stand-in for the package vllm, with the names and habits that its documentation gives.

It generates with a real, tiny model of transformers, a token per request and step, so that
its traces can be compared with those of the transformers engine.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, field, fields
from enum import Enum
from types import ModuleType, SimpleNamespace
from typing import Any, ClassVar


class RequestOutputKind(Enum):
    CUMULATIVE = 0
    DELTA = 1
    FINAL_ONLY = 2


@dataclass
class SamplingParams:
    n: int = 1
    temperature: float = 1.0
    top_p: float = 1.0
    top_k: int = 0
    seed: int | None = None
    stop_token_ids: list[int] | None = None
    max_tokens: int | None = 16
    detokenize: bool = True
    skip_special_tokens: bool = True
    output_kind: RequestOutputKind = RequestOutputKind.CUMULATIVE

    def __post_init__(self):
        if not 0 <= self.temperature <= 2:
            raise ValueError(f"temperature must be in [0, 2], got {self.temperature}.")
        if not 0 < self.top_p <= 1 or self.top_k < -1 or self.max_tokens < 1:
            raise ValueError(f"out of range: {self}")


@dataclass
class CompletionOutput:
    index: int
    text: str
    token_ids: list[int]
    finish_reason: str | None = None
    stop_reason: int | str | None = None


@dataclass
class RequestOutput:
    request_id: str
    prompt_token_ids: list[int]
    outputs: list[CompletionOutput]
    finished: bool
    metrics: Any = None


@dataclass
class _Running:
    prompt: list[int]
    params: SamplingParams
    ids: list[int] = field(default_factory=list)


class LLMEngine:
    """Runs a few requests at a time, the others wait."""

    max_num_seqs = 3

    def __init__(self, llm: LLM):
        self._llm = llm
        self.model_config = SimpleNamespace(max_model_len=llm.context)
        self._queue: dict[str, _Running] = {}

    def add_request(self, request_id, prompt, params):
        ids = prompt["prompt_token_ids"]
        if len(ids) >= self.model_config.max_model_len:
            raise ValueError(
                f"The decoder prompt (length {len(ids)}) is longer than the maximum model length"
            )
        if request_id in self._queue:
            raise ValueError(f"Request id {request_id} already running.")
        assert params.output_kind is RequestOutputKind.FINAL_ONLY
        assert not params.detokenize
        self._queue[request_id] = _Running(list(ids), params)

    def abort_request(self, request_ids):
        for one in request_ids:
            self._queue.pop(one, None)

    def has_unfinished_requests(self):
        return bool(self._queue)

    def step(self):
        if self._llm.breaks_after is not None:
            self._llm.breaks_after -= 1
            if self._llm.breaks_after < 0:
                raise RuntimeError("EngineCore encountered an issue. See stack trace for the root cause.")
        done = []
        for number in list(self._queue)[: self.max_num_seqs]:
            running = self._queue[number]
            running.ids.append(self._llm.next_token(running))
            reason, stop = self._ended(running)
            if reason:
                del self._queue[number]
                ids = running.ids[:-1] if stop and self._llm.swallows_stop else running.ids
                reply = CompletionOutput(0, "", ids, reason, stop if stop != self._llm.primary_stop else None)
                done.append(RequestOutput(number, running.prompt, [reply], True))
        return done

    def _ended(self, running):
        last = running.ids[-1]
        if last in running.params.stop_token_ids:
            return "stop", last
        if len(running.ids) == running.params.max_tokens:
            return self._llm.cut_reason, None
        if len(running.prompt) + len(running.ids) >= self.model_config.max_model_len:
            return "length", None
        return None, None


class LLM:
    """`made` holds the arguments of every one; the class attributes are for tests to change."""

    made: ClassVar[list[dict[str, Any]]] = []
    swallows_stop = False
    cut_reason = "length"
    breaks_after: int | None = None
    primary_stop = 1

    def __init__(self, model, **arguments):
        from transformers import AutoModelForCausalLM

        type(self).made.append({"model": model, **arguments})
        if arguments["gpu_memory_utilization"] < 0.1:
            raise ValueError("No available memory for the cache blocks.")
        self._network = AutoModelForCausalLM.from_pretrained(model).eval()
        own = self._network.config.max_position_embeddings
        self.context = arguments["max_model_len"] or own
        self.llm_engine = LLMEngine(self)

    def next_token(self, running):
        import torch

        with torch.inference_mode():
            logits = self._network(torch.tensor([running.prompt + running.ids])).logits[0, -1]
        if running.params.temperature == 0:
            return int(logits.argmax())
        generator = torch.Generator().manual_seed(running.params.seed + len(running.ids))
        return int(
            torch.multinomial((logits / running.params.temperature).softmax(-1), 1, generator=generator)
        )


def install(monkeypatch) -> type[LLM]:
    """Put a fresh stand-in where ``import vllm`` finds it."""

    class Fresh(LLM):
        made: ClassVar[list[dict[str, Any]]] = []

    package, sampling = ModuleType("vllm"), ModuleType("vllm.sampling_params")
    package.LLM, package.SamplingParams = Fresh, SamplingParams
    sampling.RequestOutputKind = RequestOutputKind
    monkeypatch.setitem(sys.modules, "vllm", package)
    monkeypatch.setitem(sys.modules, "vllm.sampling_params", sampling)
    return Fresh


def accepted() -> set[str]:
    """Names that sampling parameters have."""
    return {one.name for one in fields(SamplingParams)}
