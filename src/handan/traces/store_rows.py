"""What a row must be before it may enter a store: every column of its type, every text valid Unicode."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from handan.tables import STOPS
from handan.traces.errors import StoreError
from handan.traces.rows import COLUMNS

_INT32 = np.iinfo(np.int32)


def clean_row(row: dict[str, Any]) -> dict[str, Any]:
    """Return a row with all columns of the store, in their order; ids become an array of int32.

    Half surrogates in a text, which no file can hold, become U+FFFD.

    Parameters
    ----------
    row : dict
        Columns of `handan.traces.rows.COLUMNS`; those left out become empty.

    Raises
    ------
    StoreError
        When a column is unknown, a value doesn't fit its column, or key or stop is missing.
    """
    unknown = sorted(set(row) - set(COLUMNS))
    if unknown:
        raise StoreError(f"a row has unknown columns: {', '.join(unknown)}")
    if not isinstance(row.get("key"), str) or not row["key"]:
        raise StoreError("a row has no key; make rows with handan.traces.rows.row")
    if row.get("stop") not in STOPS:
        raise StoreError(f"row {row['key']}: stop must be one of {', '.join(STOPS)}, not {row.get('stop')!r}")
    clean = {}
    for name, kind in COLUMNS.items():
        value = row.get(name)
        try:
            clean[name] = None if value is None else _CLEANERS[kind](value)
        except (TypeError, ValueError, OverflowError) as error:
            raise StoreError(f"row {row['key']}: {name} is no {kind}: {error}") from error
    return clean


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"found {type(value).__name__}")
    try:
        value.encode()
    except UnicodeEncodeError:
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return value


def _integer(value: Any) -> int:
    number = operator.index(value)
    if not _INT32.min <= number <= _INT32.max:
        raise OverflowError(f"{number} is out of range")
    return number


def _integers(values: Any) -> np.ndarray:
    array = np.asarray(values)
    if array.size == 0:
        return np.zeros(0, dtype=np.int32)
    if array.ndim != 1 or array.dtype.kind not in "iu":
        raise TypeError(f"found {array.ndim} dimensions of {array.dtype}")
    if array.min() < _INT32.min or array.max() > _INT32.max:
        raise OverflowError(f"{array.min()} to {array.max()} is out of range")
    return array.astype(np.int32)


_CLEANERS: dict[str, Callable[[Any], Any]] = {
    "string": _text,
    "int32": _integer,
    "float64": float,
    "list<int32>": _integers,
}
