"""What a store keeps about its runs: the settings, the list of requests, and the tokenizers."""

from __future__ import annotations

import json
import re
import secrets
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from handan.traces.errors import StoreError
from handan.traces.provenance import provenance, without_secrets
from handan.traces.store_files import Files

RUNS, TOKENIZERS = "runs", "tokenizers"


def begin(files: Files, info: dict[str, Any]) -> dict[str, Any]:
    """Write down the requests of a run, and return its entry for the manifest.

    Parameters
    ----------
    files : Files
        The store.
    info : dict
        See `handan.traces.store.Store.add_run`.

    Raises
    ------
    StoreError
        When the list of requests can't be written.
    """
    now = datetime.now(UTC)
    run = f"{now:%Y%m%dT%H%M%S%f}-{secrets.token_hex(3)}"
    keys = list(info.get("requests", ()))
    if keys:
        _write_keys(files, run, keys)
    told = json.loads(
        json.dumps({name: one for name, one in info.items() if name != "requests"}, default=str)
    )
    return {
        **without_secrets(told),
        "run": run,
        "started": now.isoformat(timespec="seconds"),
        "requests": len(keys),
        "provenance": provenance(),
    }


def _write_keys(files: Files, run: str, keys: list[str]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    with files.create(f"{RUNS}/{run}.parquet") as path:
        pq.write_table(pa.table({"key": pa.array(keys, pa.string())}), path, compression="zstd")


def progress(files: Files, entry: dict[str, Any], rows: pd.DataFrame) -> dict[str, Any]:
    """Add to the entry of a run how many of its requests are settled, and how many failed.

    Parameters
    ----------
    files : Files
        The store.
    entry : dict
        From the manifest.
    rows : DataFrame
        ``key, stop`` of the rows that count.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with files.open(f"{RUNS}/{entry['run']}.parquet") as file:
            keys = pq.read_table(file)["key"].to_pandas()
    except (OSError, pa.ArrowException):
        keys = None
    if keys is None:
        return {**entry, "settled": None if entry.get("requests") else 0, "failed": None}
    stop = rows.loc[rows["key"].isin(keys), "stop"]
    return {**entry, "settled": int((stop != "error").sum()), "failed": int((stop == "error").sum())}


def tokenizer_name(revision: str) -> str:
    """Name the file that keeps the tokenizer of a revision.

    Raises
    ------
    StoreError
        When the revision can't be a file name.
    """
    if not re.fullmatch(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,127}", revision):
        raise StoreError(f"a tokenizer can't be kept for revision {revision!r}: it is no commit and no hash")
    return f"{TOKENIZERS}/{revision}.json"


def keep_tokenizer(files: Files, source: str | Path | bytes, revision: str) -> None:
    """Keep a copy of ``tokenizer.json``, so that counts can be repeated from the store alone.

    Parameters
    ----------
    files : Files
        The store.
    source : str, Path or bytes
        A model's folder, the file itself, or its content.
    revision : str
        Of the model.

    Raises
    ------
    StoreError
        When there is no such file, it isn't JSON, it can't be written, or another
        tokenizer is kept under this revision.
    """
    name = tokenizer_name(revision)
    data = source if isinstance(source, bytes) else _tokenizer_bytes(Path(source))
    try:
        told = json.loads(data)
    except ValueError as error:
        raise StoreError(f"the tokenizer of revision {revision} isn't JSON: {error}") from error
    if not files.exists(name):
        with files.create(name) as path:
            path.write_bytes(data)
    elif json.loads(files.read(name)) != told:
        raise StoreError(
            f"{files.label}/{name} holds another tokenizer under the same revision; use another store"
        )


def _tokenizer_bytes(path: Path) -> bytes:
    path = path / "tokenizer.json" if path.is_dir() else path
    try:
        return path.read_bytes()
    except OSError as error:
        raise StoreError(f"can't read the tokenizer {path}: {error.strerror}") from error
