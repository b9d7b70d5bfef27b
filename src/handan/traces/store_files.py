"""The few file operations a store needs, on a local folder and at an fsspec location.

A local file appears whole or not at all: it is written beside its place, synced to disk and
renamed. A remote file is put whole, which object stores do in one step.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

from handan.traces.errors import StoreError

TEMPORARY = ".tmp"
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def explain(error: OSError, path: str | Path) -> StoreError:
    """Turn a failed write into an error that names the file, the room left, and what to do."""
    reason = os.strerror(error.errno) if error.errno else str(error)
    if error.errno not in _NO_ROOM:
        return StoreError(f"can't write {path}: {reason}")
    with contextlib.suppress(OSError):
        folder = next(parent for parent in Path(path).absolute().parents if parent.is_dir())
        reason += f"; {shutil.disk_usage(folder).free / 1e6:,.1f} MB are free on its disk"
    return StoreError(
        f"no room to write {path}: {reason}. Every earlier row is kept: make room, or raise the quota "
        "or file size limit, and repeat the command"
    )


def sync_folder(folder: Path) -> None:
    """Make a rename durable, on the file systems that can."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


class LocalFiles:
    """A store's folder on this machine.

    Parameters
    ----------
    root : Path
        The folder.
    """

    remote = False

    def __init__(self, root: Path) -> None:
        self.root = root
        self.label = str(root)

    def sizes(self, folder: str) -> dict[str, int]:
        """List the files of a folder with their sizes in bytes; empty where there is no folder."""
        sizes = {}
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):
            for entry in os.scandir(self.root / folder):
                with contextlib.suppress(FileNotFoundError):
                    if entry.is_file():
                        sizes[entry.name] = entry.stat().st_size
        return sizes

    def exists(self, name: str) -> bool:
        """Whether there is such a file or folder."""
        return (self.root / name).exists()

    def read(self, name: str) -> bytes:
        """Return a file's bytes."""
        return (self.root / name).read_bytes()

    @contextlib.contextmanager
    def open(self, name: str) -> Iterator[BinaryIO]:
        """Open a file for reading."""
        with (self.root / name).open("rb") as file:
            yield file

    @contextlib.contextmanager
    def create(self, name: str) -> Iterator[Path]:
        """Give a temporary path to write to; at the end of the block it takes its name.

        Raises
        ------
        StoreError
            When it can't be written; nothing is left behind then.
        """
        path = self.root / name
        temporary = path.with_name(f".{path.name}{TEMPORARY}")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            yield temporary
            with temporary.open("rb+") as file:
                os.fsync(file.fileno())
            os.replace(temporary, path)  # noqa: PTH105
            sync_folder(path.parent)
        except OSError as error:
            raise explain(error, path) from error
        finally:
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)

    def move(self, name: str, to: str) -> None:
        """Rename a file within the store."""
        try:
            (self.root / to).parent.mkdir(parents=True, exist_ok=True)
            os.replace(self.root / name, self.root / to)  # noqa: PTH105
            sync_folder((self.root / to).parent)
        except OSError as error:
            raise explain(error, self.root / to) from error

    def remove(self, name: str) -> None:
        """Delete a file, if it is there."""
        try:
            (self.root / name).unlink(missing_ok=True)
        except OSError as error:
            raise explain(error, self.root / name) from error


class RemoteFiles:
    """A store's location on any fsspec file system, such as ``s3://bucket/folder``.

    Parameters
    ----------
    location : str
        Address with its protocol.

    Raises
    ------
    StoreError
        When fsspec doesn't know the protocol, or the package for it isn't installed.
    """

    remote = True

    def __init__(self, location: str) -> None:
        self.label = without_login(location)
        try:
            import fsspec

            self.fs, self.root = fsspec.core.url_to_fs(location)
        except ImportError as error:
            raise StoreError(f"{self.label} needs a package that is not installed: {error}") from error
        except ValueError as error:
            raise StoreError(f"{self.label} has a protocol that fsspec doesn't know: {error}") from error

    def _path(self, name: str) -> str:
        return f"{self.root.rstrip('/')}/{name}"

    def sizes(self, folder: str) -> dict[str, int]:
        """List the files of a folder with their sizes in bytes; empty where there is no folder."""
        self.fs.invalidate_cache()
        try:
            entries = self._read("list", folder, lambda path: self.fs.ls(path, detail=True))
        except FileNotFoundError:
            return {}
        return {
            entry["name"].rsplit("/", 1)[-1]: entry["size"] for entry in entries if entry["type"] == "file"
        }

    def exists(self, name: str) -> bool:
        """Whether there is such a file or folder."""
        self.fs.invalidate_cache()
        return bool(self._try("look for", name, self.fs.exists))

    def read(self, name: str) -> bytes:
        """Return a file's bytes."""
        return bytes(self._read("read", name, self.fs.cat_file))

    @contextlib.contextmanager
    def open(self, name: str) -> Iterator[BinaryIO]:
        """Open a file for reading."""
        with self._read("open", name, lambda path: self.fs.open(path, "rb")) as file:
            yield file

    @contextlib.contextmanager
    def create(self, name: str) -> Iterator[Path]:
        """Give a temporary path on this machine; see `LocalFiles.create`."""
        with tempfile.TemporaryDirectory(prefix="handan-") as folder:
            temporary = Path(folder) / "whole"
            try:
                yield temporary
            except OSError as error:
                raise explain(error, temporary) from error
            self._try("put", name, lambda path: self._put(temporary, path))

    def _put(self, temporary: Path, path: str) -> None:
        self.fs.makedirs(path.rsplit("/", 1)[0], exist_ok=True)
        self.fs.put_file(str(temporary), path)

    def _try(self, verb: str, name: str, act: Callable[[str], Any]) -> Any:
        try:
            return act(self._path(name))
        except Exception as error:  # every backend has exceptions of its own
            raise StoreError(
                f"can't {verb} {self.label}/{name} ({type(error).__name__}); check the connection and the "
                "permissions, then repeat the command"
            ) from error

    def _read(self, verb: str, name: str, act: Callable[[str], Any]) -> Any:
        try:
            return self._try(verb, name, act)
        except StoreError as error:
            if isinstance(error.__cause__, FileNotFoundError):
                raise error.__cause__ from None
            raise

    def move(self, name: str, to: str) -> None:
        """Rename a file within the store."""
        self._try("move", name, lambda path: self.fs.mv(path, self._path(to)))

    def remove(self, name: str) -> None:
        """Delete a file, if it is there."""
        if self.exists(name):
            self._try("remove", name, self.fs.rm_file)


Files = LocalFiles | RemoteFiles


def without_login(location: str) -> str:
    """Return an address without user, password and query, fit for messages."""
    return re.sub(r"(?<=://)[^/@]*@", "", location).split("?", 1)[0]


def files_at(location: str | Path) -> Files:
    """Choose by the address: ``protocol://…`` is remote, ``file://`` and plain paths are local.

    Raises
    ------
    StoreError
        See `RemoteFiles`.
    """
    text = str(location)
    if text.startswith("file://"):
        return LocalFiles(Path(text.removeprefix("file://")))
    remote = isinstance(location, str) and re.match(r"[A-Za-z][A-Za-z0-9+.-]*://", text)
    return RemoteFiles(text) if remote else LocalFiles(Path(location))
