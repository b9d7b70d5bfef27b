"""The file that every new row is appended to before anything else happens to it."""

from __future__ import annotations

import contextlib
import os
import secrets
import time
from pathlib import Path
from typing import Any

from handan.traces.store_files import LocalFiles, explain
from handan.traces.store_lines import Header, decode, encode, walk


def rewrite(path: Path, header: Header) -> None:
    """Replace a damaged journal by its whole rows under a header.

    Raises
    ------
    StoreError
        When there is no room for the copy.
    """
    with LocalFiles(path.parent).create(path.name) as temporary, temporary.open("wb") as new:
        new.write(header.line())
        with path.open("rb") as old:
            for line in old:
                data = decode(line)
                if data is not None and "journal" not in data:
                    new.write(line)


class Journal:
    """An open journal, for appending.

    Parameters
    ----------
    path : Path
        The file.
    header : Header
        Its name.
    rows : int
        Rows in it.
    size : int
        Bytes up to the end of the last whole line; what lies beyond is overwritten.
    sync_seconds : float
        Rows are handed to the operating system one by one, which a killed process can't
        undo; at most so often they are forced to the disk, for the case of a power cut.
    """

    def __init__(
        self, path: Path, header: Header, rows: int, size: int, *, sync_seconds: float = 1.0
    ) -> None:
        self.path, self.header, self.rows, self.size = path, header, rows, size
        self._every, self._synced = sync_seconds, time.monotonic()
        self.opened = self._synced
        self._handle = os.open(path, os.O_WRONLY | getattr(os, "O_BINARY", 0))
        os.ftruncate(self._handle, size)

    @classmethod
    def start(cls, path: Path, number: int) -> Journal:
        """Begin an empty journal in place of an old one.

        Raises
        ------
        StoreError
            When it can't be written.
        """
        header = Header(number, secrets.token_hex(4))
        with LocalFiles(path.parent).create(path.name) as temporary:
            temporary.write_bytes(header.line())
        return cls(path, header, 0, len(header.line()))

    @classmethod
    def resume(cls, path: Path, number: int, copy: Path) -> tuple[Journal | None, int]:
        """Open the journal that a crash left behind.

        Parameters
        ----------
        path : Path
            The file; there may be none.
        number : int
            Number to give it, should its header be damaged.
        copy : Path
            Where to keep damaged lines, should there be any.

        Returns
        -------
        journal : Journal or None
            None when nothing of it can be used.
        damaged : int
            Number of lines left out.

        Raises
        ------
        StoreError
            When a newer version wrote it, or there is no room to mend it.
        """
        content = walk(path)
        if content.bad:
            with LocalFiles(copy.parent).create(copy.name) as temporary:
                temporary.write_bytes(b"".join(content.bad))
        if content.header is None and not content.rows:
            return None, len(content.bad)
        header = content.header or Header(number, secrets.token_hex(4))
        if content.header is None or not content.torn_only:
            rewrite(path, header)
            whole = walk(path)
            return cls(path, header, whole.rows, whole.end), len(content.bad)
        return cls(path, header, content.rows, content.end), len(content.bad)

    def append(self, row: dict[str, Any]) -> None:
        """Add one row.

        Raises
        ------
        StoreError
            When it can't be written. The journal is then as it was before.
        """
        line = encode(row)
        try:
            written = 0
            while written < len(line):
                os.lseek(self._handle, self.size + written, os.SEEK_SET)
                written += os.write(self._handle, line[written:])
        except BaseException as error:  # an interrupt must not leave half a line either
            with contextlib.suppress(OSError):
                os.ftruncate(self._handle, self.size)
            if isinstance(error, OSError):
                raise explain(error, self.path) from error
            raise
        self.size += len(line)
        self.rows += 1
        if time.monotonic() - self._synced >= self._every:
            self.sync()

    def sync(self) -> None:
        """Force the rows to the disk.

        Raises
        ------
        StoreError
            When the disk refuses.
        """
        try:
            os.fsync(self._handle)
        except OSError as error:
            raise explain(error, self.path) from error
        self._synced = time.monotonic()

    def close(self) -> None:
        """Close the file; a second time does nothing."""
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1
