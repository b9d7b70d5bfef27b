"""Write a costs table to a file and read it back: CSV or Parquet, by the ending of the name."""

from __future__ import annotations

import csv
import os
import tempfile
from pathlib import Path

import pandas as pd

from handan.schema import Problem, TableError
from handan.tables import check_costs, read_table

ENDINGS = (".csv", ".parquet")
_TRUTH = {"True": True, "False": False}


def write_costs(frame: pd.DataFrame, path: str | Path) -> Path:
    """Write a costs table; a file of that name is replaced as a whole, or not at all.

    Parameters
    ----------
    frame : DataFrame
        See `handan.tables`.
    path : str or Path
        Ends in ``.csv`` or ``.parquet``. In CSV, whole numbers have no decimal point.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    TableError
        When the ending is another, the frame is no costs table, a text can't be kept in CSV,
        Parquet needs a package that is not installed, or the file can't be written.
    """
    path = Path(path)
    ending = _ending(path)
    table = check_costs(frame)
    if ending == ".csv":
        _refuse_nul(table, path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=f".{path.name}.") as folder:
            draft = Path(folder) / path.name
            _write_csv(table, draft) if ending == ".csv" else table.to_parquet(draft, index=False)
            with draft.open("rb") as file:
                os.fsync(file.fileno())
            draft.replace(path)
    except OSError as error:
        raise _trouble(path, f"can't be written: {error.strerror or error}") from None
    except ImportError:
        raise _trouble(path, "Parquet needs a package: pip install 'handan[traces]', or use .csv") from None
    return path


def read_costs(path: str | Path) -> pd.DataFrame:
    """Read a costs table from CSV or Parquet, and check it.

    Parameters
    ----------
    path : str or Path
        Ends in ``.csv`` or ``.parquet``.

    Raises
    ------
    TableError
        When the ending is another, the file can't be read, or it holds no costs table.
    """
    path = Path(path)
    if _ending(path) == ".csv":
        return check_costs(_with_truth(read_table(path)))
    if not path.is_file():
        raise _trouble(path, "no such file")
    try:
        frame = pd.read_parquet(path)
    except ImportError:
        raise _trouble(path, "Parquet needs a package: pip install 'handan[traces]'") from None
    except Exception as error:  # pyarrow raises its own kinds
        raise _trouble(path, f"is no Parquet file, or is torn: {error}") from None
    return check_costs(frame)


def _ending(path: Path) -> str:
    if path.suffix.lower() not in ENDINGS:
        raise _trouble(path, f"the ending {path.suffix or '(none)'} is unknown; use {' or '.join(ENDINGS)}")
    return path.suffix.lower()


def _write_csv(table: pd.DataFrame, path: Path) -> None:
    numbers = table.select_dtypes("float").columns
    whole = [name for name in numbers if (table[name].dropna() % 1 == 0).all()]
    # A carriage return ends a line for readers of CSV, but is not quoted by its writers.
    returns = any(
        table[name].astype("string").str.contains("\r", regex=False).any() for name in _texts(table)
    )
    quoting = csv.QUOTE_ALL if returns else csv.QUOTE_MINIMAL
    table.astype(dict.fromkeys(whole, "Int64")).to_csv(
        path, index=False, lineterminator="\n", quoting=quoting
    )


def _with_truth(frame: pd.DataFrame) -> pd.DataFrame:
    """Read columns of ``True`` and ``False`` as truth values, as they were written."""
    for name in frame.select_dtypes("string"):
        given = frame[name].dropna()
        if len(given) and given.isin(list(_TRUTH)).all():
            frame[name] = frame[name].map(_TRUTH, na_action="ignore").astype("boolean")
    return frame


def _refuse_nul(table: pd.DataFrame, path: Path) -> None:
    for name in _texts(table):
        bad = table[name].astype("string").str.contains("\0", regex=False).fillna(False)
        if bad.any():
            row = int(bad.to_numpy(dtype=bool).argmax())
            raise TableError(
                str(path), [Problem(f"row {row}", name, "holds a NUL character, which CSV can't keep")]
            )


def _texts(table: pd.DataFrame) -> list[str]:
    return [str(name) for name in table if not pd.api.types.is_numeric_dtype(table[name])]


def _trouble(path: Path, reason: str) -> TableError:
    return TableError(str(path), [Problem("file", "-", reason)])
