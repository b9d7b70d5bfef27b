"""One writer at a time."""

from __future__ import annotations

import contextlib
import json
import os
import platform
from datetime import UTC, datetime
from pathlib import Path

from handan.traces.errors import StoreError

_LOCK, _HOLDER = ".lock", ".lock-holder.json"


class WriterLock:
    """The right to write to a folder; it ends with the process, however that ends.

    Parameters
    ----------
    folder : Path
        The store.

    Raises
    ------
    StoreError
        When somebody else has it (says who), or the file system knows no locks.
    """

    def __init__(self, folder: Path) -> None:
        from filelock import FileLock, Timeout

        self._holder = folder / _HOLDER
        self._lock = FileLock(folder / _LOCK, timeout=0)
        try:
            self._lock.acquire()
        except Timeout:
            raise StoreError(f"{folder} is being written by {self._who()}; wait for it to end") from None
        except (OSError, NotImplementedError) as error:
            raise StoreError(
                f"{folder} can't be locked for writing ({error}); check the permissions, or put the store on "
                "a disk of this machine"
            ) from error
        me = {"pid": os.getpid(), "host": platform.node(), "since": datetime.now(UTC).isoformat()[:19]}
        with contextlib.suppress(OSError):  # a full disk must not keep a store from being opened
            self._holder.write_text(json.dumps(me), encoding="utf-8")

    def _who(self) -> str:
        try:
            who = json.loads(self._holder.read_text(encoding="utf-8"))
            return f"process {who['pid']} on {who['host']} since {who['since']} UTC"
        except (OSError, ValueError, KeyError, TypeError):
            return "another process"

    def release(self) -> None:
        """Let others write."""
        with contextlib.suppress(OSError):
            self._holder.unlink(missing_ok=True)
        self._lock.release()
