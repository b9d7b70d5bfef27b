"""A durable store of traces: a folder of Parquet parts, a manifest, and a journal of the newest rows."""

from __future__ import annotations

import contextlib
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from handan.traces import manifest as manifests
from handan.traces import parts, store_compact, store_lines, store_mend, store_runs
from handan.traces.errors import StoreError
from handan.traces.journal import Journal
from handan.traces.manifest import Manifest
from handan.traces.store_files import LocalFiles, files_at
from handan.traces.store_lock import WriterLock
from handan.traces.store_mend import JOURNAL
from handan.traces.store_read import Reader
from handan.traces.store_rows import clean_row
from handan.traces.store_survey import survey

PART_BYTES = 64_000_000  # of a journal: long traces become a part before their number asks for it
REMOTE_SECONDS = 120.0


class Store(Reader):
    """Rows of traces that survive whatever ends the program.

    Every row is in the journal before `add` returns, so a killed process loses nothing
    that was added. One process writes; any number read at the same time. A store object
    is for one thread.

    At a remote location the journal is a temporary file of this machine: there a crash
    loses the rows since the last part, at most those of `part_rows` or `part_seconds`.

    Parameters
    ----------
    path : str or Path
        A folder, or an address that fsspec knows (``s3://bucket/folder``).
    create : bool
        Whether to begin a new store where there is none.
    writable : bool
        A reader takes no lock and changes nothing; it mends nothing either.
    part_rows : int
        Rows to collect in the journal before they become a part file.
    part_seconds : float, optional
        Age of the journal at which they do in any case; by default 120 s for a remote
        location, and never for a local one.

    Raises
    ------
    StoreError
        When there is no store, somebody else is writing to it, a newer version wrote
        it, or the location can't be used.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        create: bool = True,
        writable: bool = True,
        part_rows: int = 2000,
        part_seconds: float | None = None,
    ) -> None:
        store_mend.check_pyarrow()
        if part_rows < 1:
            raise StoreError(f"part_rows must be at least 1, not {part_rows}")
        super().__init__(files_at(path))
        self._part_rows = part_rows
        self._part_seconds = part_seconds or (REMOTE_SECONDS if self.files.remote else float("inf"))
        self._manifest = Manifest()
        self._journal: Journal | None = None
        self._closing = contextlib.ExitStack()
        store_mend.check_place(self.files, create=create and writable)
        try:
            self._start(writable)
        except BaseException:
            self._closing.close()
            raise

    @classmethod
    def open(cls, path: str | Path, **options: Any) -> Store:
        """Open a store, mending what a crash left behind; takes what `Store` takes."""
        return cls(path, **options)

    def __enter__(self) -> Store:
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        # A disk too full for a part must not hide what really went wrong: the journal has the rows.
        hidden = (StoreError,) if kind and not self.files.remote else ()
        with contextlib.suppress(*hidden):
            self.close()

    # --- writing ---

    def add(self, row: dict[str, Any]) -> None:
        """Store one finished row, see `handan.traces.rows.row`.

        Raises
        ------
        StoreError
            When the row is malformed, or it or the part that was due can't be written
            (a full disk). Every row added before is kept, and adding may go on as soon
            as there is room.
        """
        self._must_write()
        if self._journal is None:
            self._journal = Journal.start(self._journal_file(), self._manifest.next_number())
        journal = self._journal
        journal.append(clean_row(row))
        old = time.monotonic() - journal.opened > self._part_seconds
        if journal.rows >= self._part_rows or journal.size >= PART_BYTES or old:
            self._roll()

    def add_run(self, info: dict[str, Any]) -> str:
        """Record that a run starts: rows added from now on are its rows.

        Parameters
        ----------
        info : dict
            JSON values: what was passed and what it resolved to. ``requests``, the keys
            of all requests of the run, goes to a file of its own, so that `runs` can
            tell how many are settled. What looks like a secret is hidden.

        Returns
        -------
        str
            Id of the run.

        Raises
        ------
        StoreError
            When it can't be written.
        """
        self._must_write()
        self._roll()
        entry = store_runs.begin(self.files, info)
        self._manifest = replace(self._manifest, runs=(*self._manifest.runs, entry))
        manifests.save(self.files, self._manifest)
        return str(entry["run"])

    def save_tokenizer(self, source: str | Path | bytes, revision: str) -> None:
        """Keep a model's ``tokenizer.json``; see `handan.traces.store_runs.keep_tokenizer`."""
        self._must_write()
        store_runs.keep_tokenizer(self.files, source, revision)

    def compact(self) -> store_compact.CompactReport:
        """Check the hash of every part, and merge them into few.

        Rows that a newer row of the same key replaced are left out.

        Raises
        ------
        StoreError
            When there is no room for the merged parts beside the old ones.
        """
        self._must_write()
        self._roll()
        for part in self._manifest.parts:
            if self._altered(part):
                self._drop(part)
        tables = self._tables(["key", "stop"])
        self._manifest, report = store_compact.merge(self.files, self._manifest, tables)
        return report

    def close(self) -> None:
        """Make a part of the rows in the journal, and let others write; a second time does nothing.

        Raises
        ------
        StoreError
            When there is no room for the part. The rows stay in the journal.
        """
        try:
            if self._journal is not None:
                self._journal.sync()
                self._roll()
        finally:
            if self._journal is not None:
                self._journal.close()
                self._journal = None
            self.writable = False
            self._closing.close()

    # --- how ---

    def _must_write(self) -> None:
        if not self.writable:
            raise StoreError(f"{self.files.label} is closed, or was opened for reading only")

    def _journal_file(self) -> Path:
        assert self._journal_path is not None
        return self._journal_path

    def _start(self, writable: bool) -> None:
        if writable and isinstance(self.files, LocalFiles):
            self._closing.callback(WriterLock(self.files.root).release)
        elif writable:
            folder = self._closing.enter_context(tempfile.TemporaryDirectory(prefix="handan-"))
            self._journal_path = Path(folder) / JOURNAL
        found = survey(self.files, thorough=True)
        self._manifest = found.manifest
        self.notes += found.taken
        for loss in found.lost:
            self._warn(loss)
        if writable:
            self._manifest = store_mend.mend(self.files, found)
            self._journal, note = store_mend.resume(self._journal_file(), self._manifest)
            self.notes += [note] if note else []
            self.writable = True

    def _roll(self) -> None:
        journal = self._journal
        if journal is None or not journal.rows:
            return
        run = self._manifest.runs[-1] if self._manifest.runs else None
        about = {"format": manifests.FORMAT, "runs": [{"rows": journal.rows, "run": run}]}
        tables = (store_lines.to_table(rows) for _, rows in store_lines.batches(journal.path))
        name = parts.part_name(journal.header.number, journal.header.id)
        part = parts.write_part(self.files, name, tables, about)
        # Its part exists, so from here on a row added to this journal would be lost.
        self._journal = None
        journal.close()
        self._manifest = replace(self._manifest.adding(part), rolled=journal.header.number + 1)
        manifests.save(self.files, self._manifest)
        journal.path.unlink(missing_ok=True)

    def _current(self) -> Manifest:
        return self._manifest if self.writable else super()._current()

    def _altered(self, part: parts.Part) -> bool:
        try:
            with self.files.open(part.path) as file:
                return parts.digest(file) != part.sha256
        except FileNotFoundError:
            return True

    def _drop(self, part: parts.Part) -> None:
        super()._drop(part)
        if self.writable:
            store_mend.put_aside(self.files, part.name)
            self._manifest = self._manifest.without({part.name})
            manifests.save(self.files, self._manifest)
