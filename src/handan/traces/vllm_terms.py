"""Requests and models in the terms of vLLM, for the engine here and the one on a Ray cluster."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from handan.traces.models import Model
from handan.traces.request import Request

# vLLM raises lower temperatures to this, with no more than a line in its log.
_COLDEST = 0.01


def model_arguments(model: Model, dtype: str) -> dict[str, Any]:
    """Return the arguments of vLLM that load exactly this model, without foreign code or hidden defaults.

    Parameters
    ----------
    model : Model
        See there.
    dtype : str
        Number format of the weights.
    """
    pin = {} if model.is_local else {"revision": model.revision, "tokenizer_revision": model.revision}
    return {
        "model": model.location,
        "dtype": dtype,
        "seed": 0,
        "trust_remote_code": False,
        "load_format": "safetensors",
        "generation_config": "vllm",
        **pin,
    }


def sampling(request: Request, stops: Collection[int]) -> dict[str, Any]:
    """Return the arguments of vLLM's ``SamplingParams`` for a request.

    Parameters
    ----------
    request : Request
        See there; its key gives the seed.
    stops : collection of int
        Tokens that end a text.
    """
    decoding = request.decoding.canonical()
    return {
        "n": 1,
        "max_tokens": decoding.max_new_tokens,
        "temperature": float(decoding.temperature),
        "top_p": float(decoding.top_p),
        "top_k": decoding.top_k or -1,
        "seed": None if decoding.greedy else int(request.key[:15], 16),
        "stop_token_ids": sorted(stops),
        "detokenize": False,
        "skip_special_tokens": False,
    }


def unanswerable(request: Request, prompt_tokens: int, context: int | None) -> str:
    """Say why vLLM can't answer a request; an empty string when it can."""
    if not prompt_tokens:
        return "the prompt has no tokens"
    if context is not None and prompt_tokens >= context:
        return f"the prompt has {prompt_tokens} tokens, and the model reads {context} with its reply"
    if 0 < request.decoding.temperature < _COLDEST:
        return f"vLLM raises temperatures below {_COLDEST} to it; ask for 0 or for at least {_COLDEST}"
    return ""
