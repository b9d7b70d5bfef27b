"""Print a table in a terminal, or write it as CSV or JSON for the next program."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from enum import StrEnum
from typing import Any

import numpy as np
import pandas as pd


class Format(StrEnum):
    """How a table is written to standard output."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"


def emit(frame: pd.DataFrame, how: Format, *, title: str = "", show: Sequence[str] | None = None) -> None:
    """Write a table to standard output.

    Parameters
    ----------
    frame : DataFrame
        CSV and JSON get every column at full precision, a missing value being empty or null.
    how : Format
        Table, CSV or JSON.
    title : str
        Heading, for the table only.
    show : sequence of str, optional
        Columns that the table shows, in order; by default all.
    """
    if how is Format.CSV:
        frame.to_csv(sys.stdout, index=False, lineterminator="\n")
    elif how is Format.JSON:
        print(json.dumps(records(frame), indent=2, allow_nan=False, ensure_ascii=False))
    else:
        _print_table(frame[list(show)] if show else frame, title)


def harmless(text: object) -> str:
    r"""Text that a terminal shows and does not obey: control characters become ``\x1b`` and the like."""
    return "".join(ch if ch.isprintable() else ch.encode("unicode_escape").decode() for ch in str(text))


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows of a table as JSON can hold them: what is missing or not finite becomes null."""
    return [{str(name): _plain(value) for name, value in row.items()} for row in frame.to_dict("records")]


def _plain(value: Any) -> Any:
    value = value.item() if hasattr(value, "item") else value
    if value is pd.NA or value is None or (isinstance(value, float) and not abs(value) < float("inf")):
        return None
    return value


def _print_table(frame: pd.DataFrame, title: str) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(title=title or None, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    flags = frame.select_dtypes("bool").columns
    numeric = {
        name: pd.api.types.is_numeric_dtype(frame[name]) and name not in flags for name in frame.columns
    }
    whole = {name: numeric[name] and bool((frame[name].dropna() % 1 == 0).all()) for name in frame.columns}
    for name in frame.columns:
        table.add_column(Text(str(name)), justify="right" if numeric[name] else "left", overflow="fold")
    cells = [[_cell(str(name), value, whole[name]) for value in frame[name]] for name in frame.columns]
    for row in zip(*cells, strict=True):
        table.add_row(*[Text(cell) for cell in row])
    # A pipe has no width; there a table must not be folded into 80 columns.
    console = Console(width=None if sys.stdout.isatty() else 400)
    console.print(table)


def _cell(name: str, value: Any, whole: bool) -> str:
    from handan.formats import count, is_missing, number, p_value

    if is_missing(value):
        return "–"
    if isinstance(value, bool | np.bool_):
        return "yes" if value else "no"
    if isinstance(value, str):
        return harmless(value)
    if name == "p" or name.endswith(("_p", "_holm")):
        return p_value(value)
    return count(value) if whole else number(value, 3)
