"""Traces from any OpenAI-compatible endpoint: a provider's, or a server of your own.

What a user should know:

* A try that fails on the way back (a time-out, a dropped connection, a broken body) may
  have been generated, and billed, all the same; the next try is billed again. A request
  is never under way twice at a time.
* What the server does not report can't be known: missing counts stay empty, and
  `revision` and `dtype` of the requests say ``unknown`` and ``server``.
* vLLM servers sample with the settings of the model's own ``generation_config`` where a
  request is silent; start them with ``--generation-config vllm``.
* Long replies through proxies that cut silent connections want ``stream=True``.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from handan.traces.background import Background
from handan.traces.endpoint import Endpoint
from handan.traces.errors import EngineError
from handan.traces.models import Model
from handan.traces.openai_client import ChatClient
from handan.traces.openai_refusals import RefusedError, RespellError, TryAgainError
from handan.traces.openai_reply import Reply
from handan.traces.openai_spelling import Spelling, check_extra, template_of
from handan.traces.request import Completion, Request
from handan.traces.retry import Backoff

_NAMES_KEPT = 20


class OpenAIEngine:
    """Chat completions over HTTP, several at a time.

    Parameters
    ----------
    model : Model
        Who is asked, by its `model_id`; a local folder by its path.
    base_url : str
        Address up to ``/v1``.
    api_key_env : str, optional
        Environment variable that holds the key; None for a server without keys. A server
        on this machine may do without.
    concurrency : int
        Requests under way at a time.
    timeout : float
        Seconds of silence after which a try is given up: without `stream`, the whole time
        that a reply takes.
    max_attempts : int
        Tries per request.
    max_wait : float
        Seconds that one request may spend waiting between tries; a server that asks for
        more is given up.
    stream : bool
        Have replies sent piece by piece.
    token_limit : {"max_tokens", "max_completion_tokens"}
        The server's word for the limit; the other one is tried if it is refused.
    extra_body : mapping, optional
        Further settings of every request, see `openai_spelling.check_extra`. They can
        change the replies: make the requests with ``template=engine.template``.
    backoff : Backoff, optional
        Waiting times in full, in place of `max_attempts` and `max_wait`.

    Raises
    ------
    EngineError
        When a setting makes no sense or the address could give a secret away.
    """

    name = "openai"

    def __init__(
        self,
        model: Model,
        *,
        base_url: str,
        api_key_env: str | None = "OPENAI_API_KEY",
        concurrency: int = 8,
        timeout: float = 600.0,
        max_attempts: int = 6,
        max_wait: float = 600.0,
        stream: bool = False,
        token_limit: str = "max_tokens",
        extra_body: Mapping[str, Any] | None = None,
        backoff: Backoff | None = None,
    ) -> None:
        if concurrency < 1 or not timeout > 0:
            raise EngineError("concurrency must be at least 1 and timeout above 0 seconds")
        self._model = model
        self._served = model.location if model.is_local else model.model_id
        self._endpoint = Endpoint.parse(base_url)
        self._key_from = api_key_env
        self._concurrency = concurrency
        self._timeout = timeout
        self._backoff = backoff or Backoff(max_attempts, max_wait)
        self._stream = stream
        self._spelling = Spelling(token_limit, extra=check_extra(extra_body))
        self.template = template_of(extra_body)
        self._background: Background | None = None
        self._client: ChatClient | None = None
        self._quiet_until = float("-inf")
        self._seen: dict[str, set[str]] = {"models": set(), "system_fingerprints": set()}

    def __enter__(self) -> OpenAIEngine:
        secret = self._endpoint.secret(self._key_from)
        further = json.dumps(self._spelling.extra)
        if secret.hide(further) != further:
            raise EngineError("the further settings of the request body hold the key, and would be recorded")
        self._client = ChatClient(
            self._endpoint,
            secret,
            timeout=self._timeout,
            connections=self._concurrency,
            stream=self._stream,
        )
        self._background = Background()
        return self

    def __exit__(self, *exc: object) -> None:
        background, client = self._background, self._client
        self._background = self._client = None
        if background and client:
            background.stop(client.close())

    def complete(self, requests: Sequence[Request]) -> Iterator[Completion]:
        """Answer every request once, each yielded as soon as it is done.

        Closing the iterator, or an interrupt, drops the requests under way at once; the
        server may still finish and bill them.

        Parameters
        ----------
        requests : sequence of Request
            All for the engine's model.

        Raises
        ------
        EngineError
            When no other request would fare better: the key, the model or the address is
            wrong, nothing is left to spend, a decoding setting is not taken, or no server
            answers.
        """
        if self._background is None or self._client is None:
            raise EngineError("the engine is not running: use it as `with OpenAIEngine(...) as engine:`")
        strange = {request.model_id for request in requests} - {self._model.model_id}
        if strange:
            raise EngineError(f"the engine asks {self._model.model_id}, not {', '.join(sorted(strange))}")
        answer = partial(self._answer, self._client)
        yield from self._background.unordered(answer, requests, self._concurrency)

    def settings(self) -> dict[str, Any]:
        """Return what it was told and what the server turned out to be, without the key."""
        return {
            "engine": self.name,
            "device": "endpoint",
            "host": self._endpoint.host,
            "model": self._served,
            "key_from": self._key_from,
            "concurrency": self._concurrency,
            "timeout": self._timeout,
            "max_attempts": self._backoff.max_attempts,
            "max_wait": self._backoff.max_wait,
            "stream": self._stream,
            "token_limit": self._spelling.limit,
            "seed_sent": self._spelling.seed,
            "refused": sorted(self._spelling.refused),
            "extra_body": self._spelling.extra,
            **{name: sorted(values) for name, values in self._seen.items()},
        }

    async def _answer(self, client: ChatClient, request: Request) -> Completion:
        """Try one request until it is answered, refused, or given up."""
        began, sent, failures, waited = time.monotonic(), 0, 0, 0.0
        while True:
            await self._quiet()
            sent += 1
            try:
                reply = await client.ask(self._spelling.body(request, self._served))
            except RespellError as fault:
                if not self._spelling.learn(fault.name):
                    raise EngineError(str(fault)) from None
            except RefusedError as fault:
                return Completion.failed(request.key, str(fault), attempt=sent, seconds=_since(began))
            except TryAgainError as fault:
                failures += 1
                self._hush(fault)
                wait = self._backoff.wait(failures, fault.asked)
                if failures >= self._backoff.max_attempts or waited + wait > self._backoff.max_wait:
                    if fault.unreached and client.heard < began:
                        raise EngineError(f"no server answers ({sent} tries): {fault}") from None
                    return Completion.failed(
                        request.key, _last(fault, sent), attempt=sent, seconds=_since(began)
                    )
                waited += wait
                await asyncio.sleep(wait)
            else:
                self._note(reply)
                return reply.completion(request.key, attempt=sent, seconds=_since(began))

    def _hush(self, fault: TryAgainError) -> None:
        """Hold all requests back when the server asks for it: limits hold for a key, not for one request."""
        if fault.asked is not None:
            until = time.monotonic() + min(fault.asked, self._backoff.max_wait)
            self._quiet_until = max(self._quiet_until, until)

    async def _quiet(self) -> None:
        left = self._quiet_until - time.monotonic()
        if left > 0:
            await asyncio.sleep(self._backoff.wait(1, left))

    def _note(self, reply: Reply) -> None:
        for what, name in (("models", reply.model), ("system_fingerprints", reply.fingerprint)):
            if name and len(self._seen[what]) < _NAMES_KEPT:
                self._seen[what].add(name)


def _last(fault: TryAgainError, sent: int) -> str:
    asked = "" if fault.asked is None else f"; it asked to wait {fault.asked:g} s"
    return f"given up after {sent} tries, the last one: {fault}{asked}"


def _since(began: float) -> float:
    return time.monotonic() - began
