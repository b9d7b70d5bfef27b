"""The mechanics of checking a table against its schema; `handan.tables` holds the schemas."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

_SHOWN = 20


@dataclass(frozen=True)
class Column:
    """One column of a table.

    Parameters
    ----------
    name : str
        Column name.
    kind : {"text", "number", "count"}
        Text, a finite float, or a whole number. A missing value is allowed
        unless `required`, and always in a measurement (a number or a count).
    required : bool
        Whether the column must exist. Required text must also be filled in every row.
    low, high : float
        Inclusive bounds of a number or a count.
    choices : tuple of str
        The only values a text column may hold; empty for free text.
    default : object
        What fills an optional column that is absent.
    """

    name: str
    kind: str = "text"
    required: bool = False
    low: float = -np.inf
    high: float = np.inf
    choices: tuple[str, ...] = ()
    default: object = None


@dataclass(frozen=True)
class Problem:
    """One offending place of a table: a row (its file line where known), a column, a reason."""

    row: str
    column: str
    reason: str

    def __str__(self) -> str:
        return f"{self.row}, column {self.column!r}: {self.reason}"


class TableError(ValueError):
    """A table breaks its schema.

    Attributes
    ----------
    table : str
        Name of the table.
    problems : list of Problem
        Every offending place, not only those that the message has room for.
    """

    def __init__(self, table: str, problems: Sequence[Problem]) -> None:
        self.table = table
        self.problems = list(problems)
        shown = "\n".join(f"  {problem}" for problem in self.problems[:_SHOWN])
        rest = len(self.problems) - _SHOWN
        more = f"\n  ... and {rest} more" if rest > 0 else ""
        count = f"{len(self.problems)} problem{'s' * (len(self.problems) != 1)}"
        super().__init__(f"the {table} table has {count}:\n{shown}{more}")

    def __reduce__(self) -> tuple[Any, ...]:
        """Let it cross from one process to another: an error is made again from what it was made of."""
        return type(self), (self.table, self.problems)


def check(frame: pd.DataFrame, table: str, schema: Iterable[Column], key: Sequence[str]) -> pd.DataFrame:
    """Check a table and complete its optional columns.

    Parameters
    ----------
    frame : DataFrame
        The table as it came.
    table : str
        Its name, for the message.
    schema : iterable of Column
        What it must look like.
    key : sequence of str
        Columns whose values together name a row.

    Returns
    -------
    DataFrame
        A copy: the columns of the schema first, then any others.

    Raises
    ------
    TableError
        Naming every offending row.
    """
    rows = _row_names(frame)
    out = frame.copy().reset_index(drop=True)
    problems: list[Problem] = []
    for column in schema:
        if column.name in out:
            out[column.name] = _coerce(out[column.name], column, rows, problems)
        elif column.required:
            have = ", ".join(map(str, frame.columns)) or "none"
            problems.append(Problem("header", column.name, f"missing (the table has: {have})"))
        else:
            out[column.name] = _filled(column, len(out))
    if not problems:
        problems += _duplicates(out, rows, key)
    if not problems and out.empty:
        problems.append(Problem("file", "-", "there are no rows"))
    if problems:
        raise TableError(table, problems)
    names = [column.name for column in schema]
    return out[names + [name for name in out.columns if name not in names]]


def _row_names(frame: pd.DataFrame) -> list[str]:
    word = "line" if frame.index.name == "line" else "row"
    return [f"{word} {label}" for label in frame.index]


def _filled(column: Column, n: int) -> pd.Series:
    dtype = "string" if column.kind == "text" else "float64"
    if column.kind == "count" and column.default is not None:
        dtype = "int64"
    return pd.Series([column.default] * n, dtype=dtype)


def _coerce(values: pd.Series, column: Column, rows: list[str], problems: list[Problem]) -> pd.Series:
    clean = (
        _text(values) if column.kind == "text" else pd.to_numeric(values, errors="coerce").astype("float64")
    )
    for reason, bad in _faults(values, clean, column):
        for place in np.flatnonzero(bad):
            problems.append(Problem(rows[place], column.name, reason.format(_python(values.iloc[place]))))
    if column.kind == "text" and column.default is not None:
        return clean.fillna(column.default)
    if column.kind == "count" and column.default is not None and not problems:
        return clean.fillna(column.default).astype("int64")
    return clean


def _python(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value


def _text(values: pd.Series) -> pd.Series:
    text = values.astype("string").str.strip()
    return text.mask(text == "")


def _faults(raw: pd.Series, clean: pd.Series, column: Column) -> Iterable[tuple[str, np.ndarray]]:
    if column.kind == "text":
        if column.required:
            yield "empty", clean.isna().to_numpy()
        if column.choices:
            allowed = ", ".join(column.choices)
            unknown = (~clean.isin(column.choices) & clean.notna()).to_numpy(dtype=bool)
            yield f"{{!r}} is not one of {allowed}", unknown
        return
    numbers = clean.to_numpy()
    with np.errstate(invalid="ignore"):
        if not pd.api.types.is_numeric_dtype(raw):
            given = (raw.astype("string").str.strip() != "").fillna(False).to_numpy(dtype=bool)
            yield "{!r} is not a number", given & np.isnan(numbers) & ~_says_nan(raw)
        yield "{} is not finite", np.isinf(numbers)
        if np.isfinite(column.low):
            yield f"{{}} is below {column.low:g}", np.isfinite(numbers) & (numbers < column.low)
        if np.isfinite(column.high):
            yield f"{{}} is above {column.high:g}", np.isfinite(numbers) & (numbers > column.high)
        if column.kind == "count":
            yield "{} is not a whole number", np.isfinite(numbers) & (numbers != np.floor(numbers))


def _says_nan(raw: pd.Series) -> np.ndarray:
    return (
        raw.astype("string")
        .str.lower()
        .isin(["nan", "na", "none", "<na>"])
        .fillna(False)
        .to_numpy(dtype=bool)
    )


def _duplicates(frame: pd.DataFrame, rows: list[str], key: Sequence[str]) -> list[Problem]:
    keys = frame[list(key)].astype("string").fillna("")
    first: dict[tuple[str, ...], str] = {}
    problems = []
    for place in np.flatnonzero(keys.duplicated(keep=False)):
        values = tuple(keys.iloc[place])
        if values in first:
            shown = ", ".join(f"{name}={value}" for name, value in zip(key, values, strict=True))
            reason = f"repeats {first[values]} ({shown})"
            problems.append(Problem(rows[place], key[-1], reason))
        else:
            first[values] = rows[place]
    return problems
