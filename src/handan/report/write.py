"""Put page and JSON where they belong: both complete, or neither."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ENDINGS = (".html", ".htm")


class OutError(ValueError):
    """A report cannot be written where it was asked for."""


@dataclass(frozen=True)
class Targets:
    """Where a report goes.

    Attributes
    ----------
    page, data : Path
        The HTML file and the JSON file beside it.
    """

    page: Path
    data: Path


def targets(out: Path) -> Targets:
    """Check where a report is to go, before anything is computed.

    Parameters
    ----------
    out : Path
        The HTML file.

    Raises
    ------
    OutError
        When `out` is a folder or has another ending, its folder does not exist or can't be
        written to, or a folder stands where the JSON file belongs.
    """
    if out.is_dir():
        raise OutError(f"{out} is a folder; name a file in it, such as {out / 'report.html'}")
    if out.suffix.lower() not in ENDINGS:
        raise OutError(f"{out} does not end in .html; a report is an HTML page, such as {out.name}.html")
    found = Targets(out, out.with_suffix(".json"))
    if found.data.is_dir():
        raise OutError(f"{found.data} is a folder, and the JSON file of this report belongs there")
    if not out.parent.is_dir():
        raise OutError(f"there is no folder {out.parent}; make it first, or choose another")
    if not os.access(out.parent, os.W_OK):
        raise OutError(f"the folder {out.parent} can't be written to; choose another")
    return found


def write(found: Targets, page: str, data: str) -> None:
    """Write both files; old ones stay until both new ones are complete on the disk.

    Parameters
    ----------
    found : Targets
        Where.
    page, data : str
        HTML and JSON.

    Raises
    ------
    OSError
        When there is no room, or the folder can't be written to; nothing was changed then.
    """
    with _draft(found.data, data) as first, _draft(found.page, page) as second:
        first.replace(found.data)
        second.replace(found.page)


@contextmanager
def _draft(path: Path, text: str) -> Iterator[Path]:
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:80]}.", suffix=".draft")
    draft = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        # A temporary file is for its owner alone; a report is to be read like any other file.
        draft.chmod(0o666 & ~_umask())
        yield draft
    finally:
        draft.unlink(missing_ok=True)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
