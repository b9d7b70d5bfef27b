"""Read the files that logs come in: JSON lines or one JSON document, zipped or not, torn or whole."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from handan.traces.errors import ImportFormatError

GZIP, ZIP, PARQUET = b"\x1f\x8b", b"PK", b"PAR1"
_BOM = b"\xef\xbb\xbf"
_NAMES = {
    "lm-eval": "a sample log of lm-evaluation-harness",
    "lm-eval results": "a results file of lm-evaluation-harness (the replies are in samples_*.jsonl)",
    "inspect": "a log of inspect_ai",
    "openai-batch": "the output of a batch",
    "requests": "the request file of a batch, not its output",
    "parquet": "a Parquet file",
}
Record = tuple[int, dict[str, Any]]  # line (or place in a list, from 1), content


def read_bytes(path: Path) -> bytes:
    """Read a file, unzipped if it is gzip; of a torn gzip file, what can be had.

    Raises
    ------
    ImportFormatError
        When it can't be read, or holds nothing.
    """
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise ImportFormatError(f"{path} can't be read: {error.strerror or error}") from None
    raw = _gunzip(raw, path) if raw.startswith(GZIP) else raw
    if not raw.strip():
        raise ImportFormatError(f"{path} is empty")
    return raw.removeprefix(_BOM)


def read_document(path: Path) -> Any:
    """Read a file that is one JSON document.

    Raises
    ------
    ImportFormatError
        When it isn't; a file that ends in the middle is said to be torn.
    """
    raw = read_bytes(path)
    try:
        return json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise ImportFormatError(f"{path} is not JSON, or is torn: {error}") from None


def read_records(path: Path) -> tuple[list[Record], list[str]]:
    """Read a list of JSON objects, one to a line or as one array.

    A line that can't be read is left out, and said to be.

    Parameters
    ----------
    path : Path
        May be gzip.

    Returns
    -------
    list of (int, dict)
        Line, or place in the array, from 1; and the object.
    list of str
        Remarks.

    Raises
    ------
    ImportFormatError
        When there is no JSON object in it.
    """
    raw = read_bytes(path)
    if raw.lstrip()[:1] == b"[":
        return _array(path), []
    records, broken = [], []
    lines = raw.split(b"\n")  # not splitlines: a line separator inside a text ends no line
    for number, line in enumerate(lines, start=1):
        try:
            value = json.loads(line) if line.strip() else None
        except (ValueError, RecursionError):
            broken.append(number)
            continue
        if isinstance(value, dict):
            records.append((number, value))
        elif value is not None:
            broken.append(number)
    if not records:
        return [(1, _single_object(path, raw))], []
    return records, _broken_remarks(path, broken, last=len(raw.rstrip().split(b"\n")))


def find_files(path: str | Path | Sequence[str | Path], patterns: Sequence[str]) -> Iterator[Path]:
    """List the files of a path, of several, or below a folder, in the order of their names.

    Raises
    ------
    ImportFormatError
        When a folder holds no file of these patterns.
    """
    if not isinstance(path, (str, Path)):
        for one in path:
            yield from find_files(one, patterns)
        return
    path = Path(path)
    if not path.is_dir():
        yield path
        return
    found = sorted({file for pattern in patterns for file in path.rglob(pattern) if file.is_file()})
    if not found:
        raise ImportFormatError(f"{path} holds no {' or '.join(patterns)}")
    yield from found


def wrong_kind(path: Path, kind: str, content: Any) -> ImportFormatError:
    """Make the error for a file that is not what it was said to be, naming what it looks like."""
    looks = _kind_of(content)
    if looks is None:
        names = (
            ", ".join(map(str, list(content)[:12])) if isinstance(content, dict) else type(content).__name__
        )
        return ImportFormatError(f"{path} is not {_NAMES.get(kind, kind)}; it holds: {names}")
    advice = f"; import it as {looks}" if looks in ("lm-eval", "inspect", "openai-batch") else ""
    return ImportFormatError(f"{path} looks like {_NAMES[looks]}, not {_NAMES.get(kind, kind)}{advice}")


def _kind_of(content: Any) -> str | None:
    """Guess the kind of a log from one JSON object of it, or from its first bytes."""
    if isinstance(content, bytes):
        return {ZIP: "inspect", PARQUET[:2]: "parquet"}.get(content[:2])
    if not isinstance(content, dict):
        return None
    marks = {
        "lm-eval": {"doc_id", "resps"},
        "lm-eval results": {"results", "config"},
        "inspect": {"eval", "version"},
        "requests": {"custom_id", "body"},
        "openai-batch": {"custom_id", "response"},
    }
    return next((kind for kind, keys in marks.items() if keys <= content.keys()), None)


def _kind_of_bytes(raw: bytes) -> str:
    looks = _kind_of(raw)
    if looks is None and b"\x00" in raw[:1000]:
        return "no text"
    return _NAMES[looks] if looks else "no JSON"


def _array(path: Path) -> list[Record]:
    values = read_document(path)
    for place, value in enumerate(values, start=1):
        if not isinstance(value, dict):
            raise ImportFormatError(f"{path}, element {place} is no JSON object: {str(value)[:60]!r}")
    if not values:
        raise ImportFormatError(f"{path} is an empty list")
    return list(enumerate(values, start=1))


def _single_object(path: Path, raw: bytes) -> dict[str, Any]:
    """Read a file as one object that is spread over lines."""
    try:
        value = json.loads(raw)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise ImportFormatError(f"{path} is {_kind_of_bytes(raw)}: no line of it is a JSON object")
    return value


def _broken_remarks(path: Path, broken: Sequence[int], last: int) -> list[str]:
    remarks = []
    if last in broken:
        remarks.append(f"{path.name}: the last line ({last}) is torn and was left out: its reply is lost")
    inner = [number for number in broken if number != last]
    if inner:
        shown = ", ".join(map(str, inner[:10])) + (", ..." if len(inner) > 10 else "")
        remarks.append(f"{path.name}: {len(inner)} lines are no JSON objects and were left out: {shown}")
    return remarks


def _gunzip(raw: bytes, path: Path) -> bytes:
    parts = []
    while raw.startswith(GZIP):  # a file may hold several zipped parts, one after the other
        stream = zlib.decompressobj(wbits=31)
        try:
            parts.append(stream.decompress(raw))
        except zlib.error as error:
            raise ImportFormatError(f"{path} is damaged: {error}") from None
        raw = stream.unused_data
    return b"".join(parts)
