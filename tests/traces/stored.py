"""The way back from a row of the store to the request that it answers."""

from __future__ import annotations

import json
from typing import Any

from handan.traces.request import Decoding, Request


def request_of(stored: dict[str, Any]) -> Request:
    """Rebuild the request of a stored row."""
    names = ("model", "model_id", "revision", "template", "task", "item", "sample", "prompt", "dtype")
    decoding = Decoding(**json.loads(stored["decoding"]))
    return Request(**{name: stored[name] for name in names}, decoding=decoding)
