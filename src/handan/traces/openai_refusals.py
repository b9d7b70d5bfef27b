"""What a server means when it does not answer, and what to do about it.

=======================================  ====================================================
the server says                          then
=======================================  ====================================================
408, 409, 425, 429, 5xx                  try again later
401, 403, 404; 402 or a spent quota;     end the run: no other request would fare better
a redirect; a decoding setting refused
400 or 422 that refuses the name of the  send again without it, or under its other name;
token limit, or the seed                 remembered for the rest of the run
any other                                a row with the error: this request is refused
=======================================  ====================================================
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from handan.traces.endpoint import Endpoint, Secret, quote
from handan.traces.errors import EngineError
from handan.traces.openai_spelling import LIMITS
from handan.traces.retry import asked_to_wait, may_succeed_later

_DECODING = ("temperature", "top_p", "top_k")
_NOT_TAKEN = re.compile(
    r"unsupported|not support|not permitted|not allowed|forbidden|unknown|unrecogni[sz]ed|unexpected",
    re.IGNORECASE,
)
# A limit that is too large for the model's context is the request's fault, not the parameter's.
_TOO_LARGE = re.compile(r"too (?:large|long|many)|at most|context|exceed", re.IGNORECASE)


class TryAgainError(Exception):
    """The request may succeed later.

    Parameters
    ----------
    message : str
        What happened, fit to be shown.
    asked : float, optional
        Seconds that the server asked to wait.
    unreached : bool
        Whether no server was reached at all.
    """

    def __init__(self, message: str, *, asked: float | None = None, unreached: bool = False) -> None:
        super().__init__(message)
        self.asked = asked
        self.unreached = unreached


class RefusedError(Exception):
    """One request will never succeed; others may."""


class RespellError(Exception):
    """The server does not take a parameter that was sent.

    Parameters
    ----------
    name : str
        The parameter.
    message : str
        What the server said, fit to be shown.
    """

    def __init__(self, name: str, message: str) -> None:
        super().__init__(message)
        self.name = name


def refusal(
    status: int,
    headers: Mapping[str, str],
    text: str,
    sent: Mapping[str, Any],
    where: Endpoint,
    secret: Secret,
) -> Exception:
    """Turn a reply that is no completion into the exception that says what to do.

    Parameters
    ----------
    status : int
        HTTP status, or the one that a server put into the body of a 200.
    headers, text
        Of the reply.
    sent : mapping
        Body of the request.
    where : Endpoint
        For the message.
    secret : Secret
        What must not appear in it.

    Returns
    -------
    TryAgainError, RefusedError, RespellError or EngineError
    """
    error = _error_of(text)
    # The body of a 401 tends to hold parts of the key.
    said = "" if status == 401 else f": {quote(error.get('message') or text or 'no body', secret)}"
    told = f"{where.host} answered {status}{said}"
    fatal = _hopeless(status, error)
    if fatal:
        return EngineError(f"{told} ({fatal})")
    if may_succeed_later(status):
        return TryAgainError(told, asked=asked_to_wait(headers))
    name = _not_taken(error, text, sent) if status in (400, 422) else None
    if name in _DECODING:
        return EngineError(
            f"{told} (it does not take {name}={sent[name]}, and another value would be another "
            "measurement: choose decoding settings that it takes)"
        )
    return RespellError(name, told) if name else RefusedError(told)


def _hopeless(status: int, error: Mapping[str, Any]) -> str | None:
    """Say what a user should do about a status that every request would meet."""
    if 300 <= status < 400:
        return "it points elsewhere, and the key is sent to no other address: name the final one as base URL"
    if status == 402 or "insufficient_quota" in (error.get("code"), error.get("type")):
        return "the account has nothing left to spend"
    return {
        401: "the key is missing or wrong: look at the environment variable it is read from",
        403: "the key may not use this model or this address",
        404: "the model or the address is not known there; does the base URL end as it should, often in /v1?",
    }.get(status)


def _error_of(text: str) -> dict[str, Any]:
    """Find the error object of a body, whichever of the common shapes it has."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    error = found.get("error", found) if isinstance(found, dict) else {}
    if isinstance(error, str):
        return {"message": error}
    if not isinstance(error, dict):
        return {}
    message = error.get("message") or error.get("detail")
    return error | {"message": message if isinstance(message, str) else None}


def _not_taken(error: Mapping[str, Any], text: str, sent: Mapping[str, Any]) -> str | None:
    """Name the parameter, out of those sent, that the server says it does not take."""
    said = str(error.get("message") or text)[:1000]
    if not _NOT_TAKEN.search(f"{said} {error.get('code') or ''}") or _TOO_LARGE.search(said):
        return None
    names = [name for name in (*LIMITS, "seed", *_DECODING) if name in sent]
    if error.get("param") in names:
        return str(error["param"])
    return next((name for name in names if re.search(rf"\b{name}\b", said)), None)
