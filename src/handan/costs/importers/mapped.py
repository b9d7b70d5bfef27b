"""Tables of any origin (JSON lines, a JSON array, Parquet, CSV) with a map of their columns.

===========================================  ===========================================
our name                                     what it is
===========================================  ===========================================
model, task, item, sample, study             as in the costs table
text                                         the whole output, with its tags
reasoning, answer                            the two parts, where they are apart
prompt                                       what the model read
prompt_tokens, reasoning_tokens,             counts, taken as they are
answer_tokens, output_tokens, n_chars
stop, correct, error, finish_reason,         as in the costs table; words of other tools
tokenizer                                    for the end of a reply are understood
===========================================  ===========================================

A map gives the file's name for ours: ``{"item": "question_id", "text": "output"}``. A name
may reach into objects (``usage.completion_tokens``), and ``#`` is the number of the row, from
0. Columns that have our names already need no map, except that texts are looked for by name
only where no text is mapped: a column ``answer`` is as often the key.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from handan.costs.importers.files import find_files, read_records
from handan.costs.importers.mapped_row import KNOWN, TEXTS, read_row
from handan.costs.importers.reply import Log, Options
from handan.traces.errors import ImportFormatError

ROW = "#"
Row = Mapping[str, Any]


def read_json(path: str | Path | Sequence[str | Path], options: Options) -> Log:
    """Read JSON lines or JSON arrays, see the module.

    Raises
    ------
    ImportFormatError
        When a file holds none, or lacks a column.
    """
    log = Log()
    for file in find_files(path, ("*.jsonl", "*.jsonl.gz", "*.json", "*.json.gz")):
        records, remarks = read_records(file)
        log.remarks += remarks
        log.extend(_read_rows(file, [(f"line {line}", row) for line, row in records], options))
    return log


def read_parquet(path: str | Path | Sequence[str | Path], options: Options) -> Log:
    """Read Parquet files, see the module.

    Raises
    ------
    ImportFormatError
        When a file is none, or lacks a column.
    """
    return _read_frames(path, options, "*.parquet", pd.read_parquet, "is no Parquet file")


def read_csv(path: str | Path | Sequence[str | Path], options: Options) -> Log:
    """Read CSV files, see the module; every field is text at first, so that ``0011`` stays ``0011``.

    Raises
    ------
    ImportFormatError
        When a file is none, or lacks a column.
    """
    how = {"dtype": str, "keep_default_na": False, "na_values": [""], "encoding": "utf-8-sig"}
    return _read_frames(path, options, "*.csv", lambda file: pd.read_csv(file, **how), "is no CSV file")


def _read_frames(path: Any, options: Options, pattern: str, reader: Any, fault: str) -> Log:
    log = Log()
    for file in find_files(path, (pattern,)):
        try:
            frame = reader(file)
        except ImportError:
            raise ImportFormatError(f"pip install 'handan[traces]' to read {file}") from None
        except Exception as error:  # each library raises its own
            raise ImportFormatError(f"{file} {fault}, or can't be read: {error}") from None
        rows = [(f"row {number}", row) for number, row in enumerate(frame.to_dict("records"), start=1)]
        if not rows:
            raise ImportFormatError(f"{file} holds no rows")
        log.extend(_read_rows(file, rows, options))
    return log


def _read_rows(path: Path, rows: Sequence[tuple[str, Row]], options: Options) -> Log:
    columns, unused = _columns(path, [row for _, row in rows], options)
    log = Log(remarks=[f"{path.name}: not used: {', '.join(unused)}"] if unused else [])
    for number, (place, row) in enumerate(rows):
        values = {name: number if source == ROW else _get(row, source) for name, source in columns.items()}
        log.replies.append(read_row(values, f"{path.name} {place}", options))
    return log


def _columns(path: Path, rows: Sequence[Row], options: Options) -> tuple[dict[str, str], list[str]]:
    """Complete the map with columns that have our names, and check it against the file."""
    there = list(dict.fromkeys(str(name) for row in rows for name in row))
    given = dict(options.columns or {})
    have = ", ".join(there)
    if strange := [name for name in given if name not in KNOWN]:
        raise ImportFormatError(f"the map names {', '.join(strange)}, which is none of: {', '.join(KNOWN)}")
    by_name = [name for name in KNOWN if name in there and not (name in TEXTS and given.keys() & set(TEXTS))]
    columns = dict(zip(by_name, by_name, strict=True)) | given
    for name, source in columns.items():
        if source != ROW and all(_get(row, source) is None for row in rows) and source not in there:
            raise ImportFormatError(f"{path} has no column {source!r} (mapped to {name}); it has: {have}")
    for name in ("model", "task", "item"):
        if name not in columns and getattr(options, name, None) is None:
            raise ImportFormatError(
                f"{path} has no column {name!r}, and none is mapped to it; it has: {have}"
            )
    if "text" in columns and {"reasoning", "answer"} & columns.keys():
        raise ImportFormatError("map either text (the whole output), or reasoning and answer, not both")
    if not {"text", "reasoning", "reasoning_tokens", "output_tokens"} & columns.keys():
        raise ImportFormatError(
            f"{path} says nothing about costs: map text, reasoning, reasoning_tokens or output_tokens; "
            f"it has: {have}"
        )
    used = set(columns.values()) | {source.split(".")[0] for source in columns.values()}
    return columns, [name for name in there if name not in used]


def _get(row: Row, source: str) -> Any:
    value: Any = row
    for name in [source] if source in row else source.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    is_missing = value is None or value is pd.NA or (isinstance(value, float) and math.isnan(value))
    return None if is_missing or value is pd.NaT else value
