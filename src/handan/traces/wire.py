"""Requests and completions as JSON text, for the way to another machine and back."""

from __future__ import annotations

import json
from dataclasses import asdict

from handan.traces.request import Completion, Decoding, Request


def pack_request(request: Request) -> str:
    """Write a request as one line of JSON, pure ASCII, so that any text survives any transport."""
    return json.dumps(asdict(request))


def unpack_request(text: str) -> Request:
    """Read a request; it has the key that it had."""
    fields = json.loads(text)
    return Request(**(fields | {"decoding": Decoding(**fields["decoding"])}))


def pack_completion(completion: Completion) -> str:
    """Write a completion as one line of JSON, pure ASCII."""
    return json.dumps(asdict(completion))


def unpack_completion(text: str) -> Completion:
    """Read a completion."""
    fields = json.loads(text)
    ids = fields["token_ids"]
    return Completion(**(fields | {"token_ids": None if ids is None else tuple(ids)}))
