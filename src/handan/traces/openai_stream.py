"""A reply that comes in pieces, put together until it looks like one that came at once."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

from handan.traces.openai_reply import MalformedReplyError, reasoning_in

_DONE = "[DONE]"


async def lines(chunks: AsyncIterator[bytes]) -> AsyncIterator[str]:
    r"""Cut a stream of bytes at ``\n``, and there only.

    Generated text may hold characters that Python's ``splitlines`` takes for the end of a
    line (U+2028, for example), and chunks may end inside a character.
    """
    rest = b""
    async for chunk in chunks:
        *whole, rest = (rest + chunk).split(b"\n")
        for line in whole:
            yield line.decode(errors="replace").rstrip("\r")
    if rest:
        yield rest.decode(errors="replace").rstrip("\r")


class Assembly:
    """Pieces of one streamed reply.

    Feed it every line of the event stream, then ask for the `payload`.
    """

    def __init__(self) -> None:
        self._top: dict[str, Any] = {}
        self._texts: list[str] = []
        self._parts: list[Any] = []
        self._reasoning: list[str] = []
        self._ids: list[Any] = []
        self._finish: Any = None

    def feed(self, line: str) -> bool:
        """Take one line; return whether the server has said that it was the last.

        Raises
        ------
        MalformedReplyError
            When the data of an event is not a JSON object.
        """
        if not line.startswith("data:"):
            return False  # comments and empty lines keep a connection alive
        data = line.removeprefix("data:").strip()
        if data == _DONE:
            return True
        try:
            event = json.loads(data)
        except (ValueError, RecursionError):
            raise MalformedReplyError(f"an event of the stream is not JSON: {data}") from None
        if not isinstance(event, dict):
            raise MalformedReplyError(f"an event of the stream is not an object: {data}")
        kept = ("model", "system_fingerprint", "usage", "error")
        self._top |= {name: event[name] for name in kept if event.get(name)}
        choices = event.get("choices")
        if isinstance(choices, list) and choices and isinstance(choices[0], dict):
            self._add(choices[0])
        return False

    def _add(self, choice: dict[str, Any]) -> None:
        self._finish = choice.get("finish_reason") or self._finish
        if isinstance(choice.get("token_ids"), list):
            self._ids += choice["token_ids"]
        delta = choice.get("delta")
        if not isinstance(delta, dict):
            return
        self._reasoning.append(reasoning_in(delta))
        content = delta.get("content")
        if isinstance(content, list):
            self._parts += content
        elif isinstance(content, str):
            self._texts.append(content)

    def payload(self) -> dict[str, Any]:
        """Return the reply in the shape that it has when it is not streamed.

        Raises
        ------
        MalformedReplyError
            When the stream broke off before it said how the reply ended.
        """
        if "error" in self._top:
            return self._top
        if self._finish is None:
            raise MalformedReplyError("the stream broke off before the end of the reply")
        text = "".join(self._texts)
        message = {"content": [*self._parts, text] if self._parts else text}
        if any(self._reasoning):
            message["reasoning"] = "".join(self._reasoning)
        choice = {"message": message, "finish_reason": self._finish, "token_ids": self._ids or None}
        return self._top | {"choices": [choice]}
