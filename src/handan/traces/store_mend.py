"""What opening a store for writing does about the traces of a crash."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from handan.traces import manifest as manifests
from handan.traces import parts
from handan.traces.errors import StoreError
from handan.traces.journal import Journal
from handan.traces.manifest import Manifest
from handan.traces.store_files import Files, LocalFiles
from handan.traces.store_survey import Survey

JOURNAL = "journal.jsonl"
DAMAGED = "damaged"


def check_pyarrow() -> None:
    """Make sure that part files can be read and written.

    Raises
    ------
    StoreError
        When pyarrow isn't installed.
    """
    try:
        import pyarrow  # noqa: F401
    except ImportError:
        raise StoreError("a store of traces needs pyarrow: pip install 'handan[traces]'") from None


def check_place(files: Files, *, create: bool) -> None:
    """Make sure that there is a store, or room for a new one.

    Raises
    ------
    StoreError
        When there is neither.
    """
    if any(files.exists(name) for name in (manifests.NAME, JOURNAL, parts.FOLDER)):
        return
    if not create:
        raise StoreError(f"{files.label} holds no store of traces; check the path")
    if isinstance(files, LocalFiles):
        folder = files.root
        if folder.exists() and (not folder.is_dir() or any(one.name[0] != "." for one in folder.iterdir())):
            raise StoreError(f"{folder} is not empty and holds no store of traces; name a new folder")
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreError(f"can't make the folder {folder}: {error.strerror}") from error


def mend(files: Files, found: Survey) -> Manifest:
    """Put damaged files aside, remove leftovers, and write down what remains.

    Raises
    ------
    StoreError
        When something can't be moved or written.
    """
    if found.torn:
        files.move(manifests.NAME, f"{DAMAGED}/{stamp()}-{manifests.NAME}")
    for name in found.damaged:
        put_aside(files, name)
    for stray in found.strays:
        files.remove(stray)
    manifest = replace(found.manifest, superseded=())
    if manifest != found.listed:
        manifests.save(files, manifest)
    return manifest


def put_aside(files: Files, name: str) -> None:
    """Move a part that can't be read to where nobody reads it, but somebody may look at it."""
    if files.exists(f"{parts.FOLDER}/{name}"):
        files.move(f"{parts.FOLDER}/{name}", f"{DAMAGED}/{stamp()}-{name}")


def resume(path: Path, manifest: Manifest) -> tuple[Journal | None, str]:
    """Take up the journal of a program that was killed.

    Returns
    -------
    journal : Journal or None
        None when there is none, or a part has its rows.
    note : str
        What was left out of it; empty when nothing was.

    Raises
    ------
    StoreError
        When it can't be mended for want of room.
    """
    copy = path.parent / DAMAGED / f"{stamp()}-{JOURNAL}"
    journal, bad = Journal.resume(path, manifest.next_number(), copy)
    note = f"{JOURNAL}: {bad} unfinished line(s) left out and copied to {DAMAGED}/{copy.name}" if bad else ""
    if journal is not None and journal.rows and not manifests.covers(manifest, journal.header):
        return journal, note
    if journal is not None:
        journal.close()
    path.unlink(missing_ok=True)
    return None, note


def stamp() -> str:
    """Return a prefix that makes file names unique: the time in microseconds."""
    return f"{datetime.now(UTC):%Y%m%dT%H%M%S%f}"
