"""Part files: Parquet with the rows of a journal, and how they came about in the file's metadata."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from handan.traces.errors import StoreError
from handan.traces.rows import schema
from handan.traces.store_files import Files

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

FOLDER = "parts"
NAME = re.compile(r"part-(\d{6,})-([0-9a-f]{8})\.parquet")
_METADATA = b"handan"
# Only columns with few values gain from a dictionary; only these help to skip a file.
_REPEATED = ["model", "model_id", "revision", "template", "task", "item", "decoding", "dtype", "stop",
             "finish_reason", "engine", "prompt"]  # fmt: skip
_STATISTICS = ["model", "task", "item", "sample", "stop", "attempt"]


@dataclass(frozen=True)
class Part:
    """A part file as the manifest lists it.

    Parameters
    ----------
    name : str
        ``part-NUMBER-ID.parquet``; a higher number holds newer rows.
    rows : int
        Rows in it.
    bytes : int
        Size of the file.
    sha256 : str
        Hash of the file; empty where it was not needed.
    """

    name: str
    rows: int
    bytes: int
    sha256: str

    @property
    def number(self) -> int:
        """Place in the order of the store."""
        return number_of(self.name)

    @property
    def path(self) -> str:
        """Place below the store's root."""
        return f"{FOLDER}/{self.name}"


def number_of(name: str) -> int:
    """Read the number in the name of a part file.

    Raises
    ------
    ValueError
        When it isn't the name of a part file.
    """
    match = NAME.fullmatch(name)
    if match is None:
        raise ValueError(f"{name!r} is not the name of a part file")
    return int(match[1])


def part_name(number: int, journal_id: str) -> str:
    """Name the part file made from a journal."""
    return f"part-{number:06d}-{journal_id}.parquet"


def write_part(files: Files, name: str, tables: Iterable[pa.Table], about: dict[str, Any]) -> Part:
    """Write a part file.

    Parameters
    ----------
    files : Files
        Where.
    name : str
        See `part_name`.
    tables : iterable of Table
        Rows in order, each table a row group.
    about : dict
        How the rows came about, as JSON values; `part_provenance` reads it back.

    Raises
    ------
    StoreError
        When it can't be written; nothing is left behind then.
    """
    import pyarrow.parquet as pq

    told = schema().with_metadata({_METADATA: json.dumps(about, default=str).encode()})
    rows = 0
    with files.create(f"{FOLDER}/{name}") as path:
        with pq.ParquetWriter(
            path, told, compression="zstd", use_dictionary=_REPEATED, write_statistics=_STATISTICS,
            write_page_checksum=True,
        ) as writer:  # fmt: skip
            for table in tables:
                writer.write_table(table.cast(told))
                rows += len(table)
        with path.open("rb") as file:
            part = Part(name, rows, path.stat().st_size, digest(file))
    return part


def read_part(files: Files, name: str, columns: Sequence[str]) -> pa.Table:
    """Read columns of a part file, checking the checksum of every page.

    Raises
    ------
    FileNotFoundError
        When it is gone.
    OSError or pyarrow.ArrowInvalid
        When it can't be read.
    """
    import pyarrow.parquet as pq

    with (
        files.open(f"{FOLDER}/{name}") as file,
        pq.ParquetFile(file, page_checksum_verification=True) as part,
    ):
        # Threads would cost more than two small columns take.
        return part.read(columns=list(columns), use_threads=len(columns) > 4).replace_schema_metadata()


def row_groups(files: Files, name: str) -> Iterator[pa.Table]:
    """Read a part file a few thousand rows at a time; raises what `read_part` does."""
    import pyarrow.parquet as pq

    with (
        files.open(f"{FOLDER}/{name}") as file,
        pq.ParquetFile(file, page_checksum_verification=True) as part,
    ):
        for place in range(part.num_row_groups):
            yield part.read_row_group(place).replace_schema_metadata()


def read_footer(file: BinaryIO) -> pq.FileMetaData:
    """Read the end of a part file, which is written last and says what is in it.

    Raises
    ------
    ValueError
        When it can't be read, or has other columns than the store.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        footer = pq.read_metadata(file)
    except (OSError, pa.ArrowException) as error:
        raise ValueError(f"unreadable ({error})") from error
    if footer.schema.to_arrow_schema().remove_metadata() != schema():
        raise ValueError("its columns are not those of a store")
    return footer


def about(footer: pq.FileMetaData) -> dict[str, Any]:
    """Read what a footer says about how its rows came about; empty where it says nothing."""
    try:
        told = json.loads((footer.metadata or {}).get(_METADATA, b"{}"))
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}


def part_provenance(path: str | Path) -> dict[str, Any]:
    """Read how the rows of a part file came about.

    Returns
    -------
    dict
        ``format``; ``runs``, a list in the order of the rows, each with its number of
        ``rows`` and the ``run`` that made them (settings and provenance); ``compacted``,
        the names of the parts that it was merged from.

    Raises
    ------
    StoreError
        When there is no such file, or it is no part of a store.
    """
    try:
        with Path(path).open("rb") as file:
            return about(read_footer(file))
    except (OSError, ValueError) as error:
        raise StoreError(f"{path} can't be read as a part file: {error}") from error


def digest(file: BinaryIO) -> str:
    """Hash an open file with SHA-256."""
    hashed = hashlib.sha256()
    while block := file.read(1 << 20):
        hashed.update(block)
    return hashed.hexdigest()


def winners(table: pa.Table) -> np.ndarray:
    """Mark the row of each key that counts: the newest that didn't fail, else the newest.

    Parameters
    ----------
    table : Table
        Columns ``key`` and ``stop``, oldest row first.

    Returns
    -------
    ndarray of bool
        One per row.
    """
    import pyarrow.compute as pc

    if not len(table):
        return np.zeros(0, dtype=bool)
    codes = table["key"].combine_chunks().dictionary_encode().indices.to_numpy(zero_copy_only=False)
    whole = pc.not_equal(table["stop"], "error").to_numpy(zero_copy_only=False)
    rank = np.arange(len(codes)) + np.where(whole, len(codes), 0)
    best = np.full(codes.max() + 1, -1)
    np.maximum.at(best, codes, rank)
    return best[codes] == rank
