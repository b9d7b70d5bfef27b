"""Lines of a journal: JSON with a checksum, ``{"crc32": "…", "data": {…}}``, one per row.

The first line names the journal, so that one can tell whether its rows have reached a part
file. A line that was cut short or altered fails its checksum and is left out. Ids are
written as base64 of little-endian int32.
"""

from __future__ import annotations

import base64
import contextlib
import json
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from handan.traces.errors import StoreError
from handan.traces.rows import schema

if TYPE_CHECKING:
    import pyarrow as pa

FORMAT = 1
_HEAD, _MIDDLE, _TAIL = b'{"crc32":"', b'","data":', b"}\n"
_BATCH_BYTES = 8_000_000  # read back in batches, so that long traces need no memory of their own


def encode(data: dict[str, Any]) -> bytes:
    """Write one line of a journal."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), default=_packed).encode()
    return b"".join((_HEAD, b"%08x" % zlib.crc32(text), _MIDDLE, text, _TAIL))


def _packed(ids: np.ndarray) -> str:
    # Ids are most of a line. As numbers in JSON they would take ten times as long to write and read.
    return base64.b64encode(ids.astype("<i4").tobytes()).decode()


def _unpacked(ids: str | None) -> np.ndarray | None:
    return None if ids is None else np.frombuffer(base64.b64decode(ids), "<i4")


def decode(line: bytes) -> dict[str, Any] | None:
    """Read one line of a journal; None when it is torn or altered."""
    start = len(_HEAD) + 8 + len(_MIDDLE)
    if not line.startswith(_HEAD) or not line.endswith(_TAIL):
        return None
    text = line[start : -len(_TAIL)]
    if line[len(_HEAD) : start] != b"%08x" % zlib.crc32(text) + _MIDDLE:
        return None
    data = json.loads(text)
    return data if isinstance(data, dict) else None


@dataclass(frozen=True)
class Header:
    """Name of a journal: the part file made from it has the same number and id."""

    number: int
    id: str

    def line(self) -> bytes:
        """Write the first line of a journal."""
        return encode({"journal": self.number, "id": self.id, "format": FORMAT})


@dataclass
class Content:
    """What a walk through a journal found.

    Parameters
    ----------
    header : Header, optional
        None when the first line is damaged or missing.
    rows : int
        Whole rows.
    end : int
        Bytes up to the end of the last whole line.
    bad : list of bytes
        Lines that fail their checksum.
    torn_only : bool
        Whether the only bad line is the last one.
    """

    header: Header | None = None
    rows: int = 0
    end: int = 0
    bad: list[bytes] = field(default_factory=list)
    torn_only: bool = True


def _header(data: dict[str, Any], path: Path) -> Header:
    if data.get("format", 0) > FORMAT:
        raise StoreError(f"{path} was written by a newer version of handan; upgrade handan to use it")
    return Header(int(data["journal"]), str(data["id"]))


def walk(path: Path) -> Content:
    """Check every line of a journal.

    Raises
    ------
    StoreError
        When a newer version wrote it.
    """
    content, place = Content(), 0
    with contextlib.suppress(FileNotFoundError), path.open("rb") as file:
        for line in file:
            place += len(line)
            data = decode(line)
            if data is None:
                content.bad.append(line)
                continue
            content.torn_only &= not content.bad
            content.end = place
            if "journal" in data:
                content.header = _header(data, path)
            else:
                content.rows += 1
    return content


def batches(path: Path) -> Iterator[tuple[Header | None, list[dict[str, Any]]]]:
    """Read a journal in batches of a few megabytes, leaving out lines that fail their checksum.

    The file may be growing or being replaced meanwhile; without one there are no batches.
    """
    header, rows, size = None, [], 0
    with contextlib.suppress(FileNotFoundError), path.open("rb") as file:
        for line in file:
            data = decode(line)
            if data is not None and "journal" in data:
                header = _header(data, path)
            elif data is not None:
                rows.append(data)
                size += len(line)
            if size >= _BATCH_BYTES:
                yield header, rows
                rows, size = [], 0
    if rows:
        yield header, rows


def to_table(rows: list[dict[str, Any]], columns: Iterable[str] | None = None) -> pa.Table:
    """Turn rows of a journal into an Arrow table with some or all columns of the store."""
    import pyarrow as pa

    full = schema()
    chosen = full if columns is None else pa.schema([full.field(name) for name in columns])
    if "token_ids" in chosen.names:
        rows = [row | {"token_ids": _unpacked(row["token_ids"])} for row in rows]
    return pa.Table.from_pylist(rows, schema=chosen)
