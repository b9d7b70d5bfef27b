"""One try of one request over HTTP, and the words for every way in which it can fail."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import Any, NoReturn

from handan.traces.endpoint import Endpoint, Secret, quote
from handan.traces.errors import EngineError
from handan.traces.openai_refusals import TryAgainError, refusal
from handan.traces.openai_reply import MalformedReplyError, Reply, read_reply
from handan.traces.openai_stream import Assembly, lines

_CONNECT = 20.0  # seconds in which a server must take a connection


class ChatClient:
    """A connection pool to one endpoint.

    Parameters
    ----------
    endpoint : Endpoint
        Where to.
    secret : Secret
        The key; sent in a header, hidden in everything that comes back.
    timeout : float
        Seconds of silence after which a try is given up.
    connections : int
        Most connections at a time.
    stream : bool
        Have replies sent piece by piece.

    Raises
    ------
    EngineError
        When the library for it is not installed.
    """

    def __init__(
        self, endpoint: Endpoint, secret: Secret, *, timeout: float, connections: int, stream: bool
    ) -> None:
        try:
            import httpx2
        except ImportError:
            raise EngineError("talking to an endpoint needs httpx2: pip install 'handan[api]'") from None
        self._http = httpx2
        self._endpoint = endpoint
        self._secret = secret
        self._timeout = timeout
        self._stream = stream
        self._pool = httpx2.AsyncClient(
            headers={"Content-Type": "application/json", **secret.headers()},
            timeout=httpx2.Timeout(timeout, connect=min(_CONNECT, timeout), pool=None),
            limits=httpx2.Limits(max_connections=connections),
            follow_redirects=False,
        )
        self.heard = float("-inf")

    async def close(self) -> None:
        """Close all connections."""
        await self._pool.aclose()

    async def ask(self, body: Mapping[str, Any]) -> Reply:
        """Send one request once.

        Parameters
        ----------
        body : mapping
            The request as the API spells it.

        Raises
        ------
        TryAgainError, RefusedError, RespellError, EngineError
            See `openai_refusals`.
        """
        try:
            reply = read_reply(self._secret.clean(await self._payload(body)))
        except (MalformedReplyError, self._http.DecodingError, RecursionError) as error:
            raise TryAgainError(f"a body that is no completion: {quote(str(error), self._secret)}") from None
        except self._http.RequestError as error:
            raise self._lost(error) from None
        if reply.interrupted:
            raise TryAgainError(f"the server broke off: {reply.finish_reason}")
        return reply

    async def _payload(self, body: Mapping[str, Any]) -> Any:
        """Return the decoded JSON of a reply, put together where it came in pieces."""
        sent = dict(body)
        if self._stream:
            sent |= {"stream": True, "stream_options": {"include_usage": True}}
        async with self._pool.stream("POST", self._endpoint.url, content=json.dumps(sent)) as response:
            self.heard = time.monotonic()
            if not response.is_success:
                text = (await response.aread()).decode(errors="replace")
                self._refuse(response.status_code, response.headers, text, sent)
            if response.headers.get("content-type", "").startswith("text/event-stream"):
                payload = await _assembled(response)
            else:
                payload = _decoded(await response.aread())
            if isinstance(payload, dict) and payload.get("error") and not payload.get("choices"):
                self._refuse(_status_in(payload["error"]), response.headers, json.dumps(payload), sent)
            return payload

    def _refuse(
        self, status: int, headers: Mapping[str, str], text: str, sent: Mapping[str, Any]
    ) -> NoReturn:
        raise refusal(status, headers, text, sent, self._endpoint, self._secret)

    def _lost(self, error: Exception) -> TryAgainError:
        """Say in words what happened on the way."""
        http, host = self._http, self._endpoint.host
        if isinstance(error, http.ConnectError | http.ConnectTimeout | http.ProxyError):
            reason = quote(str(error), self._secret) or type(error).__name__
            return TryAgainError(f"{host} can't be reached: {reason}", unreached=True)
        if isinstance(error, http.TimeoutException):
            return TryAgainError(f"{host} was silent for {self._timeout:g} s")
        return TryAgainError(f"the connection to {host} broke ({type(error).__name__})")


async def _assembled(response: Any) -> dict[str, Any]:
    pieces = Assembly()
    async for line in lines(response.aiter_bytes()):
        if pieces.feed(line):
            break
    return pieces.payload()


def _decoded(raw: bytes) -> Any:
    try:
        return json.loads(raw)
    except ValueError:
        raise MalformedReplyError(raw.decode(errors="replace") or "an empty body") from None


def _status_in(error: Any) -> int:
    """Return the status that a server hid in the body of a 200; a server error where it gives none."""
    code = str(error.get("code", "")) if isinstance(error, dict) else ""
    return int(code) if code.isdecimal() and 300 <= int(code) <= 599 else 500
