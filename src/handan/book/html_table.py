"""A data frame as the rows of an HTML table and as plain text, formatted column by column."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

from handan import formats

if TYPE_CHECKING:
    import pandas as pd

Labels = Mapping[str, str] | Sequence[str]

# Characters; a column with a longer cell holds prose, which may take several lines.
_LONGEST_NAME = 40


@dataclass(frozen=True)
class _Shown:
    heading: str
    cells: list[str]
    right: bool

    @property
    def prose(self) -> bool:
        """Whether the column holds sentences rather than names or numbers."""
        return not self.right and max(map(len, self.cells), default=0) > _LONGEST_NAME


def html_table(
    frame: pd.DataFrame,
    *,
    digits: int | Mapping[str, int],
    labels: Labels | None,
    intervals: Mapping[str, tuple[str, str]],
) -> tuple[str, str]:
    """Format every column and lay the table out.

    Parameters
    ----------
    frame, digits, labels, intervals
        As in `handan.book.show.table`.

    Returns
    -------
    html : str
        ``<thead>`` and ``<tbody>``, everything escaped.
    text : str
        The same cells, padded with blanks.

    Raises
    ------
    KeyError
        When a named column is not in the frame.
    """
    names = _names(frame, labels, intervals, digits)
    headings = labels if isinstance(labels, Mapping) else {}
    columns = [_column(frame, name, headings.get(name, name), digits, intervals) for name in names]
    return _html(columns, len(frame)), _text(columns)


def _names(
    frame: pd.DataFrame,
    labels: Labels | None,
    intervals: Mapping[str, tuple[str, str]],
    digits: int | Mapping[str, int],
) -> list[str]:
    ends = {end for pair in intervals.values() for end in pair}
    wanted = {*intervals, *ends, *(labels or ()), *(digits if isinstance(digits, Mapping) else ())}
    if unknown := sorted(wanted - set(frame.columns)):
        have = formats.listing(frame.columns)
        raise KeyError(f"the table has no column {formats.listing(map(repr, unknown))}; it has {have}")
    order = frame.columns if labels is None else labels
    return [name for name in order if name not in ends]


def _column(
    frame: pd.DataFrame,
    name: str,
    heading: str,
    digits: int | Mapping[str, int],
    intervals: Mapping[str, tuple[str, str]],
) -> _Shown:
    import pandas as pd

    decimals = digits if isinstance(digits, int) else digits.get(name, 2)
    values = frame[name]
    if name in intervals:
        low, high = (frame[end] for end in intervals[name])
        cells = [formats.interval(*row, decimals) for row in zip(values, low, high, strict=True)]
        return _Shown(heading, cells, right=True)
    if pd.api.types.is_bool_dtype(values):
        return _Shown(heading, [_yes(value) for value in values], right=False)
    if not pd.api.types.is_numeric_dtype(values):
        cells = [formats.MISSING if formats.is_missing(value) else str(value) for value in values]
        return _Shown(heading, cells, right=False)
    return _Shown(heading, [_numeric(value, name, decimals, _whole(values)) for value in values], right=True)


def _numeric(value: Any, name: str, decimals: int, whole: bool) -> str:
    if name == "p" or name.startswith("p_") or name.endswith(("_p", "_p_holm")):
        return formats.p_value(value)
    return formats.count(value) if whole else formats.number(value, decimals)


def _whole(values: pd.Series) -> bool:
    # a column of counts turns to floats as soon as one is missing; an r of exactly 1 is no count
    import pandas as pd

    if pd.api.types.is_integer_dtype(values):
        return True
    known = values.dropna().astype(float)
    return bool(len(known)) and bool((known % 1 == 0).all()) and bool(known.abs().max() >= 2)


def _yes(value: Any) -> str:
    if formats.is_missing(value):
        return formats.MISSING
    return "yes" if value else "no"


def _html(columns: list[_Shown], n: int) -> str:
    head = "".join(f'<th scope="col"{_side(column)}>{escape(column.heading)}</th>' for column in columns)
    rows = (
        "".join(f"<td{_side(column)}>{escape(column.cells[i])}</td>" for column in columns) for i in range(n)
    )
    body = "".join(f"<tr>{row}</tr>" for row in rows)
    return f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody>"


def _side(column: _Shown) -> str:
    # inline, because Jupyter and Colab align by themselves and know nothing of the book's style sheet
    wraps = ";white-space:normal;min-width:12em" if column.prose else ""
    return f' style="text-align:{"right" if column.right else "left"}{wraps}"'


def _text(columns: list[_Shown]) -> str:
    lines = []
    for row in zip(*([column.heading, *column.cells] for column in columns), strict=True):
        padded = []
        for column, cell in zip(columns, row, strict=True):
            width = max(map(len, [column.heading, *column.cells]))
            padded.append(cell.rjust(width) if column.right else cell.ljust(width))
        lines.append("  ".join(padded).rstrip())
    return "\n".join(lines)
