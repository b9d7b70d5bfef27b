"""One row of the store: a request, and what came back."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from handan.traces.request import Completion, Request

if TYPE_CHECKING:
    import pyarrow as pa

# name -> type in the Parquet files; `key` names the row. Ids are those that were generated.
COLUMNS: dict[str, str] = {
    "key": "string",
    "model": "string",
    "model_id": "string",
    "revision": "string",
    "template": "string",
    "task": "string",
    "item": "string",
    "sample": "int32",
    "prompt": "string",
    "decoding": "string",  # JSON of the canonical decoding settings
    "dtype": "string",
    "text": "string",
    "reasoning": "string",
    "token_ids": "list<int32>",
    "stop": "string",
    "finish_reason": "string",
    "prompt_tokens": "int32",
    "output_tokens": "int32",
    "reasoning_tokens": "int32",
    "seconds": "float64",
    "attempt": "int32",
    "error": "string",
    "engine": "string",
    "created": "string",  # UTC, ISO 8601
}


def schema() -> pa.Schema:
    """Return the Arrow schema of a part file."""
    import pyarrow as pa

    known = {
        "string": pa.string(),
        "int32": pa.int32(),
        "float64": pa.float64(),
        "list<int32>": pa.list_(pa.int32()),
    }
    return pa.schema([(name, known[kind]) for name, kind in COLUMNS.items()])


def row(request: Request, completion: Completion, engine: str) -> dict[str, Any]:
    """Join a request with its completion.

    Raises
    ------
    ValueError
        When the completion answers another request.
    """
    if completion.key != request.key:
        raise ValueError(f"completion {completion.key} does not answer request {request.key}")
    asked = {name: getattr(request, name) for name in COLUMNS if hasattr(request, name)}
    came = {name: getattr(completion, name) for name in COLUMNS if hasattr(completion, name)}
    ids = completion.token_ids
    return asked | came | {
        "decoding": json.dumps(asdict(request.decoding.canonical()), sort_keys=True),
        "token_ids": None if ids is None else list(ids),
        "engine": engine,
        "created": datetime.now(UTC).isoformat(timespec="milliseconds"),
    }  # fmt: skip
