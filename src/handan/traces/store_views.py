"""Views of a store: what is in it, how fast it came, and why a request found no answer there."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pandas as pd

from handan.tables import STOPS

if TYPE_CHECKING:
    import pyarrow as pa

GROUP = ["model", "revision", "task", "decoding", "dtype"]
STATUS_READ = [*GROUP, "stop", "prompt_tokens", "output_tokens", "seconds", "attempt"]
_PLAIN = ["model_id", "revision", "template", "task", "item", "sample", "prompt", "dtype"]
WHY_READ = [*_PLAIN, "decoding", "key", "stop", "error"]


def status(rows: pd.DataFrame) -> pd.DataFrame:
    """Count what a store holds.

    Parameters
    ----------
    rows : DataFrame
        One row per key with the columns of `STATUS_READ`.

    Returns
    -------
    DataFrame
        One row per model, revision, task, decoding and dtype: ``rows``; of these
        ``stop, length, error``; ``retried``, which took more than one attempt;
        ``counted``, whose tokens are known; sums of ``prompt_tokens, output_tokens``
        over those that are known; ``seconds``, the sum over requests, which overlap
        in a batch.
    """
    marked = rows.assign(
        **{stop: rows["stop"].eq(stop).astype("int64") for stop in STOPS},
        rows=1,
        retried=rows["attempt"].gt(1).fillna(False).astype("int64"),
        counted=rows["output_tokens"].notna().astype("int64"),
        prompt_tokens=rows["prompt_tokens"].astype("Int64"),
        output_tokens=rows["output_tokens"].astype("Int64"),
    )
    sums = ["rows", *STOPS, "retried", "counted", "prompt_tokens", "output_tokens", "seconds"]
    return marked.groupby(GROUP, sort=True, dropna=False)[sums].sum().reset_index()


def rate(rows: pd.DataFrame) -> float | None:
    """Return generated tokens per second of busy time, requests in flight together counting once.

    Parameters
    ----------
    rows : DataFrame
        ``output_tokens, seconds, created`` (the end of a request).
    """
    known = rows.dropna(subset=["output_tokens", "seconds", "created"])
    if known.empty:
        return None
    end = pd.to_datetime(known["created"], utc=True, format="ISO8601")
    spans = pd.DataFrame({"start": end - pd.to_timedelta(known["seconds"], unit="s"), "end": end})
    spans = spans.sort_values("start", ignore_index=True)
    reached = spans["end"].cummax().shift()
    # Each request adds the time that no earlier one covered.
    start = spans["start"].where(reached.isna() | (spans["start"] > reached), reached)
    busy = float((spans["end"] - start).dt.total_seconds().clip(lower=0).sum())
    return float(known["output_tokens"].sum()) / busy if busy > 0 else None


def same_problem(asked: dict[str, Any]) -> Callable[[pa.Table], pa.Table]:
    """Return how to narrow a table to the rows of a request's task, item and sample."""
    import pyarrow.compute as pc

    def _narrow(table: pa.Table) -> pa.Table:
        for name in ("task", "item", "sample"):
            table = table.filter(pc.equal(table[name], asked[name]))
        return table

    return _narrow


def why(rows: list[dict[str, Any]], asked: dict[str, Any]) -> pd.DataFrame:
    """Compare a request with the stored row of its task, item and sample that is nearest to it.

    Parameters
    ----------
    rows : list of dict
        Stored rows of that task, item and sample, oldest first, with the columns of `WHY_READ`.
    asked : dict
        Parts of the request's key.

    Returns
    -------
    DataFrame
        A row per part of the key that differs: ``part, stored, asked``. Where none does,
        one row tells how the stored request ended. Empty when there is no stored row.
    """
    columns = ["part", "stored", "asked"]
    compared = [(_differences(row, asked), row) for row in reversed(rows)]
    if not compared:
        return pd.DataFrame(columns=columns)
    nearest, row = min(compared, key=lambda pair: len(pair[0]))
    ended = f"{row['stop']}: {row['error']}" if row["error"] else row["stop"]
    return pd.DataFrame(nearest or [("stop", ended, "")], columns=columns, dtype=object)


def _differences(row: dict[str, Any], asked: dict[str, Any]) -> list[tuple[str, Any, Any]]:
    stored = {name: row[name] for name in _PLAIN} | json.loads(row["decoding"])
    return [
        (part, stored.get(part), asked.get(part))
        for part in dict.fromkeys([*asked, *stored])
        if stored.get(part) != asked.get(part)
    ]
