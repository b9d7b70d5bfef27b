"""Where an endpoint is, the key that opens it, and how to quote what it says without giving the key away.

The key is read from an environment variable when a run starts. It is sent to the one
address that the user named, and to no other: redirects are not followed. Whatever the
server says is cleaned before it is stored, shown or logged.
"""

from __future__ import annotations

import os
import warnings
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from handan.traces.errors import EngineError

QUOTED = 300
_HIDDEN = "[key]"
# Local servers are often given a placeholder such as EMPTY; hiding that word would spoil replies.
_SHORTEST_SECRET = 12
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


class Secret:
    """A key that shows itself only where it is asked to.

    Parameters
    ----------
    value : str
        The key; empty where none is needed.
    """

    def __init__(self, value: str = "") -> None:
        self._value = value

    def __repr__(self) -> str:
        return "Secret(hidden)" if self._value else "Secret(none)"

    def __bool__(self) -> bool:
        return bool(self._value)

    def __reduce__(self) -> str:
        raise TypeError("a key is never written down; start the engine where it is to run")

    def headers(self) -> dict[str, str]:
        """Return the header that proves who is asking, or nothing without a key."""
        return {"Authorization": f"Bearer {self._value}"} if self else {}

    def hide(self, text: str) -> str:
        """Replace the key wherever a text repeats it."""
        return text.replace(self._value, _HIDDEN) if len(self._value) >= _SHORTEST_SECRET else text

    def clean(self, value: Any) -> Any:
        """Hide the key in every text of a JSON value, and mend text that UTF-8 can't hold.

        JSON can spell half a character (a lone surrogate), which no file can store.
        """
        if isinstance(value, str):
            return self.hide(value.encode("utf-16", "surrogatepass").decode("utf-16", "replace"))
        if isinstance(value, list):
            return [self.clean(one) for one in value]
        if isinstance(value, dict):
            return {self.clean(name): self.clean(one) for name, one in value.items()}
        return value


@dataclass(frozen=True)
class Endpoint:
    """An OpenAI-compatible address.

    Parameters
    ----------
    url : str
        Where chat completions are asked for.
    host : str
        Host and port, for messages and provenance.
    is_loopback : bool
        Whether it is this machine.
    encrypted : bool
        Whether nobody on the way can read the key.
    """

    url: str
    host: str
    is_loopback: bool
    encrypted: bool

    @classmethod
    def parse(cls, base_url: str) -> Endpoint:
        """Read the address that a user typed, usually ending in ``/v1``.

        Raises
        ------
        EngineError
            When it is no http(s) address, or carries a password, a query or a fragment:
            an address is recorded with the traces and must hold no secret. The message
            does not repeat it.
        """
        try:
            parts = urlsplit(base_url.strip())
            host, port = parts.hostname, parts.port
        except ValueError:
            raise EngineError("the base URL can't be read; it should look like https://host/v1") from None
        if parts.scheme not in ("http", "https") or not host:
            raise EngineError("the base URL must start with http:// or https:// and name a host")
        if "@" in parts.netloc:
            raise EngineError(
                "the base URL holds a user name or password; give the key in an environment variable"
            )
        if parts.query or parts.fragment:
            raise EngineError("the base URL holds a ? or #; give the plain address up to /v1")
        path = parts.path.rstrip("/").removesuffix("/chat/completions")
        shown = f"[{host}]" if ":" in host else host
        shown = f"{shown}:{port}" if port else shown
        url = f"{parts.scheme}://{shown}{path}/chat/completions"
        return cls(url, shown, host in _LOOPBACK, parts.scheme == "https")

    def secret(self, variable: str | None) -> Secret:
        """Read the key for this endpoint from an environment variable.

        Parameters
        ----------
        variable : str or None
            Name of the variable; None for a server that wants no key.

        Raises
        ------
        EngineError
            When the variable is empty (unless the server is on this machine), or holds
            something that can't be a key.
        """
        value = os.environ.get(variable, "").strip() if variable else ""
        if variable and not value and not self.is_loopback:
            raise EngineError(
                f"{self.host} needs a key: put it into the environment variable {variable}, name another "
                "one, or say that there is none for a server without keys"
            )
        if not value.isascii() or not value.isprintable() or " " in value:
            raise EngineError(f"the environment variable {variable} holds characters that no key has")
        if value and not self.encrypted and not self.is_loopback:
            warnings.warn(f"the key travels unencrypted to {self.host}: use https://", stacklevel=3)
        return Secret(value)


def quote(text: str, secret: Secret) -> str:
    """Quote foreign text in a message: without the key, on one line, escaped, at most 300 characters.

    Parameters
    ----------
    text : str
        As the server sent it.
    secret : Secret
        What must not appear.
    """
    # Hidden before it is cut, so that no part of a key is left at the edge.
    start = secret.hide(text).strip()[: QUOTED + 1]
    shown = "".join(one if one.isprintable() else ascii(one)[1:-1] for one in start)
    return shown if len(shown) <= QUOTED else shown[: QUOTED - 1] + "…"
