"""Read a CSV file strictly: every field where it belongs, every problem with its line."""

from __future__ import annotations

import csv
import gzip
import zlib
from pathlib import Path
from typing import Any, TextIO

import pandas as pd

from handan.schema import Problem, TableError


def read_rows(path: str | Path) -> pd.DataFrame:
    """Read a comma-separated UTF-8 file as text, also one that gzip has packed (``.csv.gz``).

    Parameters
    ----------
    path : str or Path
        The file; its first line names the columns.

    Returns
    -------
    DataFrame
        All columns as text, an empty field being missing. The index, called ``line``,
        is the line of the file where a row begins.

    Raises
    ------
    TableError
        When the file can't be read, a column is named twice, or a row has more or fewer
        fields than the header.
    """
    try:
        with _opened(Path(path)) as handle:
            reader = csv.reader(handle, strict=True)
            header = [name.strip() for name in next(reader, [])]
            lines, rows = _rows(reader)
    except (OSError, EOFError, zlib.error, UnicodeError, csv.Error) as error:
        raise TableError(str(path), [Problem("file", "-", _reason(error))]) from None
    problems = _header_problems(header) or _row_problems(header, lines, rows)
    if problems:
        raise TableError(str(path), problems)
    index = pd.Index(lines, name="line", dtype="int64")
    frame = pd.DataFrame(rows, columns=header, index=index, dtype="string")
    return frame.mask(frame == "")


def _opened(path: Path) -> TextIO:
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding="utf-8-sig", newline="")
    return path.open(encoding="utf-8-sig", newline="")


def _rows(reader: Any) -> tuple[list[int], list[list[str]]]:
    lines, rows, begins = [], [], reader.line_num + 1
    for row in reader:
        if row:
            lines.append(begins)
            rows.append(row)
        begins = reader.line_num + 1
    return lines, rows


def _reason(error: Exception) -> str:
    if isinstance(error, FileNotFoundError):
        return "no such file"
    if isinstance(error, UnicodeError):
        return "cannot be read as CSV: it is not UTF-8 text; save it as UTF-8"
    return f"cannot be read as CSV: {error}"


def _header_problems(header: list[str]) -> list[Problem]:
    if not any(header):
        return [Problem("file", "-", "cannot be read as CSV: it has no header line")]
    if len(header) == 1 and (separator := next((mark for mark in ";\t|" if mark in header[0]), None)):
        return [Problem("header", header[0], f"the fields are separated by {separator!r}; use commas")]
    twice = sorted({name for name in header if header.count(name) > 1})
    return [Problem("header", name, "named twice") for name in twice]


def _row_problems(header: list[str], lines: list[int], rows: list[list[str]]) -> list[Problem]:
    problems = []
    for line, row in zip(lines, rows, strict=True):
        if len(row) != len(header):
            reason = f"{len(row)} fields, but the header has {len(header)}"
            problems.append(Problem(f"line {line}", "-", reason))
        elif any("\0" in field for field in row):
            problems.append(Problem(f"line {line}", "-", "holds a NUL character; the file is damaged"))
    return problems
