"""What is asked of a model and what comes back: the two records that every engine speaks.

A request is named by its *key*: a hash over everything that can change the reply. Two
requests with the same key need one reply; a request whose key changed needs a new one.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, replace
from typing import Any

from handan.traces.errors import RequestError

_KEY_LENGTH = 32


@dataclass(frozen=True)
class Decoding:
    """How the next token is chosen, and when to give up.

    The defaults are those that the authors of DeepSeek-R1 recommend for its family. A
    model's own ``generation_config`` is not consulted, except for its stop tokens, so
    that all models of a study decode alike.

    Parameters
    ----------
    max_new_tokens : int
        Limit on generated tokens. A trace that reaches it is right-censored.
    temperature : float
        0 takes the likeliest token (greedy); then `top_p`, `top_k` and `seed` are moot.
    top_p : float
        Keep the likeliest tokens that together have this probability, in (0, 1].
    top_k : int
        Keep this many of the likeliest tokens; 0 keeps all.
    seed : int
        Seed of the samples, where the engine can be seeded.

    Raises
    ------
    RequestError
        When a value is out of range.
    """

    max_new_tokens: int = 8192
    temperature: float = 0.6
    top_p: float = 0.95
    top_k: int = 0
    seed: int = 0

    def __post_init__(self) -> None:
        faults = {
            "max_new_tokens must be at least 1": self.max_new_tokens < 1,
            "temperature must be a finite number, 0 or above": not 0 <= self.temperature < float("inf"),
            "top_p must be above 0 and at most 1": not 0 < self.top_p <= 1,
            "top_k must be 0 or above": self.top_k < 0,
            "seed must be 0 or above": self.seed < 0,
        }
        for fault, holds in faults.items():
            if holds:
                raise RequestError(f"{fault}, not {getattr(self, fault.split()[0])!r}")

    @property
    def greedy(self) -> bool:
        """Whether no chance is involved."""
        return self.temperature == 0

    def canonical(self) -> Decoding:
        """Return the same decoding with moot settings at fixed values, so that equal runs have equal keys."""
        return replace(self, temperature=0.0, top_p=1.0, top_k=0, seed=0) if self.greedy else self


@dataclass(frozen=True)
class Request:
    """One prompt for one model, to be answered once.

    Parameters
    ----------
    model : str
        Name in the costs table and in the lineage. Not part of the key.
    model_id : str
        Hub id, ``local:NAME`` for a folder, or the model name that an endpoint knows.
    revision : str
        Commit of the hub repository, content hash of a folder, ``unknown`` for an endpoint.
    template : str
        Hash of the chat template, ``plain`` without one, ``server`` where an endpoint applies it.
    task, item : str
        As in the norms table.
    sample : int
        Counts the samples of an item from 0.
    prompt : str
        Text exactly as the model reads it; for an endpoint, the user's message.
    decoding : Decoding
        See there.
    dtype : str
        Number format of the weights, for example ``float32``, ``bfloat16``, ``int8``;
        ``server`` where it can't be known.
    """

    model: str
    model_id: str
    revision: str
    template: str
    task: str
    item: str
    sample: int
    prompt: str
    decoding: Decoding
    dtype: str

    def parts(self) -> dict[str, Any]:
        """Everything that the key is made of, by name, so that two keys can be compared by eye."""
        return {
            "model_id": self.model_id,
            "revision": self.revision,
            "template": self.template,
            "task": self.task,
            "item": self.item,
            "sample": self.sample,
            "prompt": self.prompt,
            **asdict(self.decoding.canonical()),
            "dtype": self.dtype,
        }

    @property
    def key(self) -> str:
        """128 bits of SHA-256 over `parts`, as 32 hexadecimal digits."""
        text = json.dumps(self.parts(), sort_keys=True, ensure_ascii=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()[:_KEY_LENGTH]


@dataclass(frozen=True)
class Completion:
    """What came back for one request.

    Parameters
    ----------
    key : str
        Key of the request.
    text : str
        Generated text with its special tokens; where `reasoning` is given, the answer alone.
    stop : {"stop", "length", "error"}
        Ended by itself, was cut at the limit, or failed.
    token_ids : tuple of int, optional
        Generated tokens up to and including the first stop token. None when the engine
        does not give them.
    reasoning : str, optional
        Chain of thought, where the engine hands it over apart from the answer.
    prompt_tokens, output_tokens : int, optional
        Tokens read, and tokens generated up to and including the first stop token.
    reasoning_tokens : int, optional
        Tokens of the chain of thought as a server reported them.
    seconds : float, optional
        Time from the start of the request to its end, queueing inside the engine included.
    attempt : int
        1 for the first try.
    error : str, optional
        What went wrong, for ``stop="error"``.
    finish_reason : str, optional
        How the engine itself called the end.
    """

    key: str
    text: str
    stop: str
    token_ids: tuple[int, ...] | None = None
    reasoning: str | None = None
    prompt_tokens: int | None = None
    output_tokens: int | None = None
    reasoning_tokens: int | None = None
    seconds: float | None = None
    attempt: int = 1
    error: str | None = None
    finish_reason: str | None = None

    @classmethod
    def failed(cls, key: str, error: str, *, attempt: int = 1, seconds: float | None = None) -> Completion:
        """Record a request that failed: a row like any other, which can be retried."""
        return cls(key, "", "error", attempt=attempt, seconds=seconds, error=error)
