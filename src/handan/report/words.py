"""Text from outside, made safe to be shown: on a page, and in a picture.

The names of models, tasks, items and studies come from a user's files, and notes and error
messages quote them. None of it is trusted.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from html import escape
from typing import Any

import pandas as pd

from handan import formats
from handan.output import harmless

LONGEST = 160
LONGEST_LABEL = 48
ENTRIES = 12
_BOX = "□"


def clean(value: Any, longest: int = LONGEST) -> str:
    r"""Write a value in one line of visible characters, shortened where it is very long.

    Parameters
    ----------
    value : object
        Control characters, line breaks and marks of writing direction become ``\n``,
        ``\u202e`` and the like.
    longest : int
        Characters to show; a longer text says how many it has.
    """
    text = str(value)
    shown = harmless(text[:longest])
    return shown if len(text) <= longest else f"{shown}… ({len(text):,} characters)"


def html(text: str) -> str:
    """Escape a sentence for the page; numbers keep their unit on the same line."""
    return escape(formats.bound(harmless(text)))


def cells(frame: pd.DataFrame) -> pd.DataFrame:
    """Make every text of a table safe, and write numbers that stand among texts as numbers are.

    Parameters
    ----------
    frame : DataFrame
        Any table.

    Returns
    -------
    DataFrame
        A copy; columns of numbers and of truth values are as they were.
    """
    return frame.apply(lambda column: column if _is_data(column) else column.astype(object).map(_cell))


def few(names: Iterable[Any], most: int = ENTRIES) -> str:
    """List names as a sentence does; beyond so many, count the rest."""
    shown = [clean(name, LONGEST_LABEL) for name in names]
    rest = len(shown) - most
    return formats.listing(shown if rest <= 0 else [*shown[:most], f"{rest:,} more"])


def labels(values: pd.Series) -> pd.Series:
    r"""Names as a picture can show them: one line, short, distinct, only characters of its font.

    Parameters
    ----------
    values : Series of str
        Names, with repetitions.

    Returns
    -------
    Series of str
        The same index. Two names that look alike when shortened get a number.
    """
    short: dict[Any, str] = {}
    taken: set[str] = set()
    for name in values.unique():
        plain = "".join(mark if _has(mark) else _BOX for mark in harmless(str(name)[: LONGEST_LABEL + 1]))
        whole = len(plain) <= LONGEST_LABEL
        short[name] = _distinct(plain if whole else f"{plain[:LONGEST_LABEL]}…", taken)
        taken.add(short[name])
    return pd.Series([short[name] for name in values], index=values.index, dtype=object)


def _distinct(name: str, taken: set[str]) -> str:
    if name not in taken:
        return name
    return next(again for k in range(2, len(taken) + 3) if (again := f"{name} ({k})") not in taken)


def _is_data(column: pd.Series) -> bool:
    return pd.api.types.is_numeric_dtype(column) or pd.api.types.is_bool_dtype(column)


def _cell(value: Any) -> Any:
    if formats.is_missing(value) or isinstance(value, bool):
        return value
    return formats.number(value) if isinstance(value, int | float) else clean(value)


def _has(mark: str) -> bool:
    return mark.isascii() or ord(mark) in _glyphs()


def _glyphs() -> Mapping[int, Any]:
    # Every picture falls back on the font that comes with matplotlib.
    from matplotlib import font_manager

    return font_manager.get_font(font_manager.findfont("DejaVu Sans")).get_charmap()
