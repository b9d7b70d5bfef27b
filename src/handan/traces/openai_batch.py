"""Batch files of the OpenAI format: the requests. ``vllm run-batch`` reads the same format.

One JSON object a line; the ``custom_id`` is the key of the request, so results find their
way back whatever their order (see `openai_results`).
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from handan.traces.errors import RequestError
from handan.traces.openai_results import BatchFiles
from handan.traces.openai_spelling import LIMITS, Spelling, check_extra
from handan.traces.request import Request

__all__ = ["BatchFiles", "write_batch"]


def write_batch(
    requests: Sequence[Request],
    path: str | Path,
    *,
    endpoint: str = "/v1/chat/completions",
    max_requests: int = 50_000,
    max_bytes: int = 200_000_000,
    served_model: str | None = None,
    token_limit: str = LIMITS[0],
    extra_body: Mapping[str, Any] | None = None,
) -> list[Path]:
    """Write requests as batch files.

    Parameters
    ----------
    requests : sequence of Request
        All for one model, each key once.
    path : str or Path
        The file. Where one is not enough, its name is followed by ``-001``, ``-002``...
    endpoint : str
        What the server calls chat completions.
    max_requests, max_bytes : int
        Limits on one file; the defaults are those of OpenAI.
    served_model : str, optional
        The server's name for the model; by default its `model_id`.
    token_limit : {"max_tokens", "max_completion_tokens"}
        The server's word for the limit on generated tokens.
    extra_body : mapping, optional
        Further settings, as for `OpenAIEngine`; make the requests with their
        `openai_spelling.template_of`.

    Returns
    -------
    list of Path
        The files, each to be submitted once.

    Raises
    ------
    RequestError
        When there is no request, a key twice, a second model, a request larger than a
        file may be, or when the file or a part of an earlier batch is already there.
        Then nothing is written.
    """
    path = Path(path)
    _check(requests, served_model)
    _check_free(path)
    spelling = Spelling(token_limit, extra=check_extra(extra_body))
    lines = (
        json.dumps(
            {
                "custom_id": one.key,
                "method": "POST",
                "url": endpoint,
                "body": spelling.body(one, served_model or one.model_id),
            }
        ).encode()
        for one in requests
    )
    return _write(_parts(lines, max_requests, max_bytes), path)


def _check(requests: Sequence[Request], served_model: str | None) -> None:
    if not requests:
        raise RequestError("there is no request to write")
    models = {one.model_id for one in requests}
    if len(models) > 1:
        raise RequestError(f"a batch has one model, not {', '.join(sorted(models))}: write one for each")
    if not served_model and requests[0].model_id.startswith("local:"):
        raise RequestError(f"{requests[0].model_id} is a folder: say what the server calls it")
    key, times = Counter(one.key for one in requests).most_common(1)[0]
    if times > 1:
        raise RequestError(f"request {key} is there {times} times: each is answered once")


def _check_free(path: Path) -> None:
    """Refuse to mix with the parts of an earlier batch: all of them would be submitted."""
    old = [path] if path.exists() else sorted(path.parent.glob(f"{path.stem}-[0-9][0-9][0-9]{path.suffix}"))
    if old:
        raise RequestError(f"{old[0]} is already there: remove it or choose another name")


def _parts(lines: Iterable[bytes], max_requests: int, max_bytes: int) -> Iterator[bytes]:
    """Join lines into the contents of files within the limits."""
    part: list[bytes] = []
    size = 0
    for line in lines:
        length = len(line) + 1
        if length > max_bytes:
            raise RequestError(f"one request takes {length} bytes, and a file may have {max_bytes}")
        if part and (len(part) == max_requests or size + length > max_bytes):
            yield b"\n".join(part) + b"\n"
            part, size = [], 0
        part.append(line)
        size += length
    yield b"\n".join(part) + b"\n"


def _write(parts: Iterable[bytes], path: Path) -> list[Path]:
    """Write all parts beside their place, then give them their names."""
    written: list[Path] = []
    try:
        for number, part in enumerate(parts, 1):
            written.append(path.with_name(f".{path.name}.{os.getpid()}-{number}"))
            written[-1].write_bytes(part)
        several = [path.with_stem(f"{path.stem}-{number:03d}") for number in range(1, len(written) + 1)]
        names = several if len(several) > 1 else [path]
        for temporary, name in zip(written, names, strict=True):
            temporary.replace(name)
    finally:
        for temporary in written:
            temporary.unlink(missing_ok=True)
    return names
