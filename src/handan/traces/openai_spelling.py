"""How a request is spelled in the chat-completions API, and what of it a server turns out not to take.

The token limit is called ``max_tokens`` by most servers and ``max_completion_tokens`` by
some; a few know no seed. Both are found out from the first refusal. Temperature, top-p
and top-k are never left out silently: that would be another measurement.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from handan.traces.errors import EngineError
from handan.traces.prompts import SERVER
from handan.traces.request import Request

LIMITS = ("max_tokens", "max_completion_tokens")
_OWN = {
    *LIMITS,
    "model",
    "messages",
    "n",
    "stream",
    "stream_options",
    "temperature",
    "top_p",
    "top_k",
    "seed",
}


def seed_of(request: Request) -> int:
    """Return the seed of one sample: 31 bits of its key, so that samples differ and can be repeated."""
    return int(request.key[:8], 16) & 0x7FFFFFFF


def check_extra(extra: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return further settings of a request body as a dictionary.

    Parameters
    ----------
    extra : mapping, optional
        Settings that one server knows, for example ``{"return_token_ids": True}`` or
        ``{"chat_template_kwargs": {"enable_thinking": True}}`` of vLLM. A ``top_k`` of 0
        or -1 is let through: it keeps vLLM from taking one out of the model's own
        generation config.

    Raises
    ------
    EngineError
        When a setting belongs to the request itself, or is not JSON.
    """
    own = {
        name
        for name in _OWN & set(extra or {})
        if (name, (extra or {})[name]) not in (("top_k", 0), ("top_k", -1))
    }
    if own:
        raise EngineError(f"{', '.join(sorted(own))} is set by the request itself: use the decoding settings")
    try:
        return dict(json.loads(json.dumps(dict(extra or {}), allow_nan=False)))
    except (TypeError, ValueError) as error:
        raise EngineError(f"the further settings of the request body are not JSON: {error}") from None


def template_of(extra: Mapping[str, Any] | None) -> str:
    """Name what the server makes of a prompt, for the key of a request.

    ``server``, followed by a hash of the further settings where there are any: they can
    change the reply, so requests with others need other keys.

    Parameters
    ----------
    extra : mapping, optional
        As given to the engine.
    """
    settings = check_extra(extra)
    if not settings:
        return SERVER
    text = json.dumps(settings, sort_keys=True, separators=(",", ":"))
    return f"{SERVER}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"


@dataclass
class Spelling:
    """Which parameters a server takes, as far as it is known.

    Parameters
    ----------
    limit : {"max_tokens", "max_completion_tokens"}
        The server's word for the limit on generated tokens.
    seed : bool
        Whether it takes a seed.
    extra : dict
        Further settings, see `check_extra`.
    refused : set of str
        Parameters that the server has refused so far; see `learn`.
    """

    limit: str = LIMITS[0]
    seed: bool = True
    extra: dict[str, Any] = field(default_factory=dict)
    refused: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        if self.limit not in LIMITS:
            raise EngineError(f"the token limit is called {' or '.join(LIMITS)}, not {self.limit!r}")

    def body(self, request: Request, model: str) -> dict[str, Any]:
        """Spell a request: one user message, one sample.

        Parameters
        ----------
        request : Request
            What is asked.
        model : str
            The endpoint's name for the model.
        """
        decoding = request.decoding.canonical()
        spelled = {
            "model": model,
            "messages": [{"role": "user", "content": request.prompt}],
            self.limit: decoding.max_new_tokens,
            "temperature": decoding.temperature,
        }
        if not decoding.greedy:
            spelled["top_p"] = decoding.top_p
            if decoding.top_k:
                spelled["top_k"] = decoding.top_k
            if self.seed:
                spelled["seed"] = seed_of(request)
        return self.extra | spelled

    def learn(self, name: str) -> bool:
        """Take to heart that a parameter is refused; return whether there is another way to say it.

        Parameters
        ----------
        name : str
            The parameter that was sent.
        """
        self.refused.add(name)
        if name == "seed":
            self.seed = False
            return True
        left = [limit for limit in LIMITS if limit not in self.refused]
        self.limit = left[0] if left else self.limit
        return bool(left)
