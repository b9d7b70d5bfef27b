"""Reading a store, whether or not somebody is writing to it meanwhile."""

from __future__ import annotations

import hashlib
import tempfile
import warnings
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from handan.traces import manifest as manifests
from handan.traces import parts, store_lines, store_runs, store_views
from handan.traces.errors import StoreError
from handan.traces.manifest import Manifest
from handan.traces.rows import COLUMNS, schema
from handan.traces.store_files import Files, LocalFiles
from handan.traces.store_mend import JOURNAL
from handan.traces.store_survey import survey

if TYPE_CHECKING:
    import pyarrow as pa

    Narrow = Callable[[pa.Table], pa.Table]

_TRIES = 20  # of a reader whose parts are merged away under its hands


class Reader:
    """What a store offers for reading; made by `handan.traces.store.Store.open`.

    Attributes
    ----------
    files : Files
        Where it is.
    writable : bool
        Whether rows may be added.
    notes : list of str
        What was found damaged or unfinished on opening and since, and what became of it.
        Damage is warned of as well; what a killed program leaves unfinished is not.
    """

    def __init__(self, files: Files) -> None:
        self.files, self.writable = files, False
        self.notes: list[str] = []
        self._journal_path = files.root / JOURNAL if isinstance(files, LocalFiles) else None

    # --- what is settled ---

    def done(self, keys: Iterable[str], *, retry_errors: bool = False) -> set[str]:
        """Return those of some keys that need no request any more.

        Parameters
        ----------
        keys : iterable of str
            Keys of requests.
        retry_errors : bool
            Whether a failed request needs another one; else it counts as settled.

        Raises
        ------
        StoreError
            When the store can't be read.
        """
        import pyarrow.compute as pc

        asked, settled = set(keys), set()
        for table in self._tables(["key", "stop"]):
            rows = table.filter(pc.not_equal(table["stop"], "error")) if retry_errors else table
            settled |= asked.intersection(rows["key"].to_pylist())
        return settled

    def attempts(self, keys: Iterable[str]) -> dict[str, int]:
        """Return the number of the latest attempt for those of some keys that have rows."""
        import pyarrow as pa
        import pyarrow.compute as pc

        asked = pa.array(list(keys), pa.string())
        latest: dict[str, int] = {}
        for table in self._tables(["key", "attempt"]):
            rows = table.filter(pc.is_in(table["key"], value_set=asked)).to_pylist()
            for row in rows:
                latest[row["key"]] = max(latest.get(row["key"], 0), row["attempt"] or 1)
        return latest

    # --- what came back ---

    def read(self, columns: Sequence[str] | None = None) -> pd.DataFrame:
        """Return one row per key: the newest that didn't fail, else the newest failure.

        Parameters
        ----------
        columns : sequence of str, optional
            By default all of `handan.traces.rows.COLUMNS`. Ids and texts are most of a store.

        Returns
        -------
        DataFrame
            Oldest row first. Whole numbers are nullable integers (``Int32``); ``token_ids``
            are arrays, None where unknown.

        Raises
        ------
        StoreError
            When a column is unknown, or the store can't be read.
        """
        import pyarrow as pa

        wanted = list(COLUMNS) if columns is None else list(columns)
        if unknown := sorted(set(wanted) - set(COLUMNS)):
            raise StoreError(f"a store has no column {', '.join(unknown)}; it has {', '.join(COLUMNS)}")
        needed = list(dict.fromkeys([*wanted, "key", "stop"]))
        empty = pa.schema([schema().field(name) for name in needed]).empty_table()
        table = pa.concat_tables([empty, *self._tables(needed)])
        table = table.filter(pa.array(parts.winners(table))).select(wanted)
        return table.to_pandas(types_mapper={pa.int32(): pd.Int32Dtype()}.get)

    def status(self) -> pd.DataFrame:
        """Count rows and tokens by model, revision, task, decoding and dtype; see `store_views.status`."""
        return store_views.status(self.read(store_views.STATUS_READ))

    def runs(self) -> list[dict[str, Any]]:
        """Return every started run, oldest first, with how far it has come.

        Returns
        -------
        list of dict
            What was given to ``add_run``, and ``run`` (its id), ``started``, ``provenance``,
            ``requests`` (their number), ``settled`` and ``failed`` (how many of these have
            a row that didn't fail, and only rows that failed; None where the list of
            requests is lost).
        """
        whole = self.read(["key", "stop"])
        return [store_runs.progress(self.files, run, whole) for run in self._current().runs]

    def rate(self, model: str, engine: str) -> float | None:
        """Return the generated tokens per second of an engine with a model; None when nothing is known.

        Time counts while at least one request of the two was under way.
        """
        rows = self.read(["model", "engine", "output_tokens", "seconds", "created"])
        return store_views.rate(rows[(rows["model"] == model) & (rows["engine"] == engine)])

    def why(self, request_parts: dict[str, Any]) -> pd.DataFrame:
        """Say what keeps the nearest stored row from answering a request; see `store_views.why`.

        Parameters
        ----------
        request_parts : dict
            `handan.traces.request.Request.parts` of the request.
        """
        import pyarrow as pa

        narrow = store_views.same_problem(request_parts)
        tables = self._tables(store_views.WHY_READ, narrow)
        rows = pa.concat_tables(tables).to_pylist() if tables else []
        return store_views.why(rows, request_parts)

    def tokenizer(self, revision: str) -> Path | None:
        """Return the ``tokenizer.json`` that was kept for a revision of a model; None without one."""
        try:
            name = store_runs.tokenizer_name(revision)
        except StoreError:  # nothing can have been kept under such a name
            return None
        if isinstance(self.files, LocalFiles):
            return self.files.root / name if self.files.exists(name) else None
        if not self.files.exists(name):
            return None
        data = self.files.read(name)
        copy = Path(tempfile.gettempdir()) / f"handan-tokenizer-{hashlib.sha256(data).hexdigest()}.json"
        if not copy.exists():
            with LocalFiles(copy.parent).create(copy.name) as path:
                path.write_bytes(data)
        return copy

    # --- how ---

    def _current(self) -> Manifest:
        return survey(self.files, thorough=False).manifest

    def _tables(self, columns: Sequence[str], narrow: Narrow | None = None) -> list[pa.Table]:
        """Read columns of every part in order, then of the journal."""
        for _ in range(_TRIES):
            # The journal first: what leaves it meanwhile is then found in a part.
            header, newest = self._newest(columns, narrow)
            manifest = self._current()
            try:
                tables = [table for part in manifest.parts for table in self._part(part, columns, narrow)]
            except FileNotFoundError:
                continue
            return tables if manifests.covers(manifest, header) else tables + newest
        raise StoreError(
            f"{self.files.label}: its parts change faster than they can be read; try again later"
        )

    def _part(self, part: parts.Part, columns: Sequence[str], narrow: Narrow | None) -> list[pa.Table]:
        import pyarrow as pa

        try:
            table = parts.read_part(self.files, part.name, columns)
        except FileNotFoundError:
            if not self.writable:  # merged away: look again
                raise
            self._drop(part)
            return []
        except (OSError, pa.ArrowException) as error:
            with self.files.open(part.path) as file:
                if part.sha256 and parts.digest(file) == part.sha256:
                    raise StoreError(f"{self.files.label}/{part.path} can't be read: {error}") from error
            self._drop(part)
            return []
        return [narrow(table) if narrow else table]

    def _drop(self, part: parts.Part) -> None:
        self._warn(f"{part.path}: damaged; its {part.rows:,} rows count as not done")

    def _newest(
        self, columns: Sequence[str], narrow: Narrow | None
    ) -> tuple[store_lines.Header | None, list[pa.Table]]:
        header, tables = None, []
        batches = store_lines.batches(self._journal_path) if self._journal_path else ()
        for found, rows in batches:
            header, table = found, store_lines.to_table(rows, columns)
            tables.append(narrow(table) if narrow else table)
        return header, tables

    def _warn(self, text: str) -> None:
        if text not in self.notes:
            self.notes.append(text)
            warnings.warn(f"{self.files.label}: {text}", RuntimeWarning, stacklevel=3)
