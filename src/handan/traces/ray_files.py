"""Work lists and their results as Parquet files, at any place that fsspec knows."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterator, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from handan.traces.errors import RequestError, StoreError
from handan.traces.request import Completion, Request
from handan.traces.token_ids import completion, encode
from handan.traces.vllm_terms import sampling, unanswerable

if TYPE_CHECKING:
    import pyarrow as pa


def write_requests(
    requests: Sequence[Request], location: str, *, tokenizer: Any, stops: Collection[int], rows: int = 1000
) -> None:
    """Write a work list: a row per request with its fields, its tokens and its sampling arguments.

    The same list is written to the same names, so that doing it again changes nothing.

    Parameters
    ----------
    requests : sequence of Request
        What is to be done.
    location : str
        Folder, as a path or URL of fsspec (``s3://…``, ``gs://…``); made if need be.
    tokenizer : PreTrainedTokenizerBase
        The model's tokenizer.
    stops : collection of int
        Tokens that end a text, see `published_stops`.
    rows : int
        Requests per file: files are read by different workers.

    Raises
    ------
    RequestError
        When vLLM would not decode as asked.
    StoreError
        When the folder holds another work list.
    """
    import pyarrow.parquet as pq

    files, folder = reach(location)
    parts = [requests[start : start + rows] for start in range(0, len(requests), rows)]
    names = [f"requests-{_digest(part)}.parquet" for part in parts]
    if strange := {path.rsplit("/", 1)[-1] for path in _parquet(files, folder)} - set(names):
        raise StoreError(
            f"{location} holds another work list ({sorted(strange)[0]}); choose an empty folder, or delete it"
        )
    files.makedirs(folder, exist_ok=True)
    for part, name in zip(parts, names, strict=True):
        table = _table(part, tokenizer, stops)
        with files.transaction, files.open(f"{folder}/{name}", "wb") as file:
            pq.write_table(table, file)


def collect(
    location: str, requests: Sequence[Request], *, tokenizer: Any, stops: Collection[int]
) -> Iterator[Completion]:
    """Read the results of `generate` as completions.

    Each request that has a result is yielded once, a success before a failure; one without
    is not yielded and remains to be done. Results of other requests are left alone.

    Parameters
    ----------
    location : str
        Folder with the results.
    requests : sequence of Request
        Whose results are wanted.
    tokenizer : PreTrainedTokenizerBase
        The model's tokenizer.
    stops : collection of int
        Tokens that end a text.

    Raises
    ------
    StoreError
        When there are no results, or a file can't be read.
    """
    waiting = {request.key: request for request in requests}
    failed: dict[str, Completion] = {}
    for answer in _answers(location):
        request = waiting.get(answer["key"])
        if request is None:
            continue
        if answer["error"]:
            failed[request.key] = Completion.failed(request.key, answer["error"])
            continue
        del waiting[request.key]
        yield completion(
            request.key,
            answer["ids"],
            tokenizer=tokenizer,
            stops=stops,
            limit=request.decoding.max_new_tokens,
            prompt_tokens=answer["prompt_tokens"],
            seconds=answer["seconds"],
        )
    yield from (failed[key] for key in waiting if key in failed)


def reach(location: str) -> tuple[Any, str]:
    """Return the fsspec file system of a path or URL, and the path within it.

    Raises
    ------
    StoreError
        When the package for that kind of place is missing, or there is no such kind.
    """
    from fsspec.core import url_to_fs

    try:
        files, folder = url_to_fs(location)
    except (ImportError, ValueError) as error:
        raise StoreError(f"{location} can't be reached: {error}") from error
    return files, str(folder).rstrip("/")


def _table(requests: Sequence[Request], tokenizer: Any, stops: Collection[int]) -> pa.Table:
    import pyarrow as pa

    rows = []
    for request in requests:
        tokens = encode(tokenizer, request)
        # An empty prompt or one that is too long becomes a failed row on the cluster.
        if reason := unanswerable(request, max(len(tokens), 1), None):
            raise RequestError(f"{request.task} {request.item}: {reason}")
        rows.append(
            {name: value for name, value in asdict(request).items() if name != "decoding"}
            | {
                "key": request.key,
                "decoding": json.dumps(asdict(request.decoding.canonical()), sort_keys=True),
                "tokens": tokens,
                "sampling": json.dumps(sampling(request, stops)),
            }
        )
    return pa.Table.from_pylist(rows)


def _answers(location: str) -> Iterator[dict[str, Any]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    files, folder = reach(location)
    found = _parquet(files, folder)
    if not found:
        raise StoreError(f"there are no results in {location}; run generate first")
    for path in found:
        try:
            with files.open(path, "rb") as file:
                table = pq.read_table(file)
            yield from table.select(["key", "ids", "prompt_tokens", "seconds", "error"]).to_pylist()
        except (OSError, KeyError, pa.ArrowException) as error:
            raise StoreError(
                f"{path} can't be read ({error}); if generate is not running, run it again, "
                "and delete the file if that does not help"
            ) from error


def _parquet(files: Any, folder: str) -> list[str]:
    return sorted(files.glob(f"{folder}/*.parquet")) if files.exists(folder) else []


def _digest(requests: Sequence[Request]) -> str:
    return hashlib.sha256("".join(request.key for request in requests).encode()).hexdigest()[:16]
