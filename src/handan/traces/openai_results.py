"""Batch files of the OpenAI format: the results, as OpenAI and ``vllm run-batch`` write them.

A line holds the ``custom_id`` of its request and either a response (status and body) or an
error. Failures may come in a second file. Lines come in any order, and files get torn.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from handan.traces.endpoint import Secret, quote
from handan.traces.errors import ImportFormatError
from handan.traces.openai_reply import MalformedReplyError, read_reply
from handan.traces.request import Completion, Request

_NO_SECRET = Secret()
_NAMED = 5


@dataclass
class BatchReport:
    """What was found in result files, filled while they are read.

    Parameters
    ----------
    answered, failed : int
        Requests with a completion, and with an error alone.
    missing : list of str
        Keys without a line: not done, to be asked again.
    unknown : list of str
        Ids of lines that belong to no request.
    doubled : list of str
        Keys with more than one line; the first answer counts.
    unreadable : list of str
        ``file:line`` of what is no result; a torn last line is one.
    """

    answered: int = 0
    failed: int = 0
    missing: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    unreadable: list[str] = field(default_factory=list)

    def remarks(self) -> list[str]:
        """Return a sentence for everything that is not as it should be."""
        found = {
            "requests have no result": self.missing,
            "results belong to no request": self.unknown,
            "requests have several results, of which the first answer counts": self.doubled,
            "lines can't be read": self.unreadable,
        }
        return [
            f"{len(names)} {what}: {', '.join(names[:_NAMED])}{', …' if len(names) > _NAMED else ''}"
            for what, names in found.items()
            if names
        ]


def read_batch(
    output_path: str | Path | Iterable[str | Path],
    error_path: str | Path | None = None,
    *,
    requests: Iterable[Request],
    report: BatchReport | None = None,
) -> Iterator[Completion]:
    """Yield the completions of a batch, each key once; failures come last.

    Parameters
    ----------
    output_path : path or iterable of paths
        Output file, or those of all parts.
    error_path : path, optional
        File of failures, where the provider writes one.
    requests : iterable of Request
        Those that were written.
    report : BatchReport, optional
        Filled while reading. Without one, its remarks become warnings at the end.

    Raises
    ------
    ImportFormatError
        When a file is absent, or no line of it is a result.
    """
    told = BatchReport() if report is None else report
    paths = [output_path] if isinstance(output_path, str | Path) else list(output_path)
    keys = {one.key for one in requests}
    answered: set[str] = set()
    failures: dict[str, Completion] = {}
    for path in [*paths, *([error_path] if error_path is not None else [])]:
        for found in _results(Path(path), told):
            known = found.key in answered or found.key in failures
            if found.key not in keys:
                told.unknown.append(found.key)
                continue
            if known and found.key not in told.doubled:
                told.doubled.append(found.key)
            if found.stop == "error":
                failures.setdefault(found.key, found)
            elif found.key not in answered:
                answered.add(found.key)
                yield found
    left = [found for key, found in failures.items() if key not in answered]
    yield from left
    told.answered, told.failed = told.answered + len(answered), told.failed + len(left)
    told.missing += sorted(keys - answered - set(failures))
    if report is None:
        for remark in told.remarks():
            warnings.warn(remark, stacklevel=2)


class BatchFiles:
    """Result files as an engine: what it is asked is answered out of them, and nothing is sent.

    Parameters
    ----------
    paths : iterable of paths
        Output files of a batch, and its error files, in any order.
    """

    name = "openai-batch"

    def __init__(self, paths: Iterable[str | Path]) -> None:
        self._paths = [Path(path) for path in paths]
        self.report = BatchReport()

    def __enter__(self) -> BatchFiles:
        return self

    def __exit__(self, *exc: object) -> None:
        pass

    def known(self, requests: Sequence[Request]) -> list[Request]:
        """Return the requests that the files have a result for; what is odd becomes a warning.

        Parameters
        ----------
        requests : sequence of Request
            All that were written to the batch.

        Raises
        ------
        ImportFormatError
            See `read_batch`.
        """
        self.report = BatchReport()
        found = {one.key for one in read_batch(self._paths, requests=requests, report=self.report)}
        for remark in self.report.remarks():
            warnings.warn(remark, stacklevel=2)
        return [request for request in requests if request.key in found]

    def complete(self, requests: Sequence[Request]) -> Iterator[Completion]:
        """Yield the stored answers of requests, see `read_batch`."""
        yield from read_batch(self._paths, requests=requests, report=BatchReport())

    def settings(self) -> dict[str, Any]:
        """Return which files were read, and what was found in them."""
        names = [path.name for path in self._paths]
        return {"engine": self.name, "device": "endpoint", "files": names, **asdict(self.report)}


def _results(path: Path, report: BatchReport) -> Iterator[Completion]:
    """Read one file line by line."""
    if not path.is_file():
        raise ImportFormatError(f"there is no file {path}")
    faults: list[str] = []
    results = 0
    with path.open("rb") as file:
        for number, raw in enumerate(file, 1):
            if not raw.strip():
                continue
            line = _object(raw)
            if results == 0 and "method" in line and "response" not in line:
                raise ImportFormatError(f"{path} holds the requests of a batch, not its results")
            if isinstance(line.get("custom_id"), str) and ("response" in line or "error" in line):
                results += 1
                yield _completion(line)
            else:
                faults.append(f"{path.name}:{number}")
    if faults and not results:
        raise ImportFormatError(
            f"{path} is no output of a batch: no line has a custom_id with a response or an error"
        )
    report.unreadable += faults


def _object(raw: bytes) -> dict[str, Any]:
    """Decode one line; an empty object where that can't be done."""
    try:
        line = _NO_SECRET.clean(json.loads(raw.decode("utf-8-sig")))
    except (ValueError, RecursionError):
        return {}
    return line if isinstance(line, dict) else {}


def _completion(line: dict[str, Any]) -> Completion:
    """Turn one result into a completion, whatever is wrong with it."""
    key = line["custom_id"]
    response = line["response"] if isinstance(line.get("response"), dict) else {}
    status, body = response.get("status_code"), response.get("body")
    if line.get("error") or status not in (None, 200):
        return Completion.failed(key, _error(line.get("error") or body, status))
    try:
        return read_reply(body).completion(key)
    except MalformedReplyError as error:
        return Completion.failed(key, f"the batch gave no completion: {quote(str(error), _NO_SECRET)}")


def _error(error: Any, status: Any) -> str:
    """Say why a request of a batch failed."""
    error = error.get("error", error) if isinstance(error, dict) else error
    inner = error if isinstance(error, dict) else {"message": error}
    said = inner.get("message") or inner.get("code") or json.dumps(error)
    code = inner.get("code") if inner.get("message") else None
    kind = " ".join(str(one) for one in (status, code) if one not in (None, "")) or "no code"
    return f"the batch failed here ({quote(kind, _NO_SECRET)}): {quote(str(said), _NO_SECRET)}"
