"""What a chapter puts on its page: figures, tables and sentences whose numbers were computed.

Works in the book, in Jupyter and on Colab alike, and prints plain text elsewhere. Captions
and sentences can hold results, which is why they are made here and not by cell metadata.
"""

from __future__ import annotations

import base64
import string
import struct
from collections.abc import Callable, Mapping, Sequence
from html import escape
from io import BytesIO
from typing import TYPE_CHECKING, Any

from handan import formats
from handan.book.html_table import Labels, html_table

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

_SCALE = 2
_numbers: dict[str, dict[str, int]] = {"Figure": {}, "Table": {}}


def figure(fig: Figure, caption: str, alt: str, name: str | None = None) -> None:
    """Show a matplotlib figure with a numbered caption, and close it.

    Parameters
    ----------
    fig : Figure
        Drawn at twice its resolution, shown at its size, narrower where the page is.
    caption : str
        Plain text; should state the finding. Escaped.
    alt : str
        What the figure shows, for somebody who cannot see it. Escaped.
    name : str, optional
        Anchor on the page and key for `ref`; a figure with the same name keeps its number.

    Raises
    ------
    ValueError
        When the caption or the alternative text is empty.
    """
    _require(caption=caption, alt=alt)
    caption = formats.bound(caption)
    label = _label("Figure", name or caption)
    picture = _png(fig)
    width = struct.unpack(">I", picture[16:20])[0] // _SCALE
    source = base64.b64encode(picture).decode()
    html = (
        f'<figure class="handan-figure"{_anchor(name)} style="margin:1em 0">'
        f'<img src="data:image/png;base64,{source}" alt="{escape(alt)}" width="{width}" '
        'style="max-width:100%;height:auto">'
        f"<figcaption><strong>{label}.</strong> {escape(caption)}</figcaption></figure>"
    )
    put({"text/html": html, "text/plain": f"[{label}. {caption}]"})


def table(
    frame: pd.DataFrame,
    caption: str,
    *,
    digits: int | Mapping[str, int] = 2,
    labels: Labels | None = None,
    intervals: Mapping[str, tuple[str, str]] | None = None,
    note: str | None = None,
    name: str | None = None,
) -> None:
    """Show a table with a numbered caption; it scrolls by itself where the page is narrow.

    Parameters
    ----------
    frame : DataFrame
        One row per line. The index is not shown. Whole numbers get thousands separators
        and no decimals, columns called ``p`` or ``p_...`` or ``..._p`` are p values,
        missing cells are an en dash.
    caption : str
        Plain text. Escaped, as is everything else in the table.
    digits : int or dict of str to int
        Decimals, for all columns or by column (two where a column is not named).
    labels : dict of str to str, or list of str, optional
        The columns to show, in order, with their headings; a list keeps the names. By
        default all columns.
    intervals : dict of str to (str, str), optional
        An estimate's column and the columns of its lower and upper end; the three become
        one column ``0.63 [0.55, 0.70]``.
    note : str, optional
        A line below the table.
    name : str, optional
        Anchor on the page and key for `ref`.

    Raises
    ------
    ValueError
        When the caption is empty.
    KeyError
        When a named column is not in the frame; the message lists those that are.
    """
    _require(caption=caption)
    caption = formats.bound(caption)
    label = _label("Table", name or caption)
    body, text = html_table(frame, digits=digits, labels=labels, intervals=intervals or {})
    foot = f'<p class="handan-note">{escape(note)}</p>' if note else ""
    # only the table scrolls: its caption and its note keep to the width of the page
    html = (
        f'<figure class="handan-table"{_anchor(name)} style="margin:1em 0">'
        f"<figcaption><strong>{label}.</strong> {escape(caption)}</figcaption>"
        f'<div role="region" tabindex="0" aria-label="{escape(label)}" style="overflow-x:auto">'
        f"<table>{body}</table></div>{foot}</figure>"
    )
    lines = [f"{label}. {caption}", text, *([note] if note else [])]
    put({"text/html": html, "text/plain": "\n".join(lines)})


def say(template: str, /, **values: Any) -> None:
    """Show prose whose numbers were computed.

    ``say("{model} reaches r = {r:.2f} ({p:p}) on {n} items.", model=..., r=..., p=..., n=...)``

    Parameters
    ----------
    template : str
        Markdown with fields in braces. Besides Python's format specifications there is
        ``p`` (``p = .034``, ``p < .001``). Without one, a whole number gets thousands
        separators and a float two decimals.
    **values : object
        Numbers; text, which is shown as it is, whatever markup it holds; or a list of
        text, which becomes ``a, b and c``. A missing number reads *not available*.

    Raises
    ------
    KeyError
        When the template has a field with no value.
    ValueError
        When a value is not used in the template: a typing mistake in a finding's name.
    """
    fields = {
        field.split(".")[0].split("[")[0] for _, field, _, _ in string.Formatter().parse(template) if field
    }
    if unused := sorted(set(values) - fields):
        raise ValueError(
            f"say() was given {formats.listing(unused)}, which the text never uses: {template!r}"
        )
    marked = _Prose(formats.plain, "*p*").vformat(template, (), values)
    spoken = _Prose(str, "p").vformat(template, (), values)
    put({"text/markdown": marked, "text/plain": spoken})


def ref(name: str) -> str:
    """``Figure 2`` or ``Table 1``: the label of what was shown above under this name.

    Raises
    ------
    KeyError
        When nothing was shown under the name yet; the message lists the names so far.
    """
    for kind, numbers in _numbers.items():
        if name in numbers:
            return f"{kind} {numbers[name]}"
    known = formats.listing(key for numbers in _numbers.values() for key in numbers)
    raise KeyError(f"nothing called {name!r} has been shown above; so far there are: {known}")


class _Prose(string.Formatter):
    """Format fields for prose; text passes through `shown` (an escape, or `str`), `p` is how p is written."""

    def __init__(self, shown: Callable[[str], str], p: str) -> None:
        self.shown = shown
        self.p = p

    def format_field(self, value: Any, spec: str) -> str:
        """Format one value; called by the base class."""
        if formats.is_missing(value):
            return "not available"
        if spec == "p":
            text = formats.p_value(value)
            sign, digits = (text[0], text[1:]) if text[0] in "<>" else ("=", text)
            return f"{self.p} {sign} {digits}"
        if isinstance(value, str):
            return self.shown(format(value, spec))
        if isinstance(value, Sequence):
            return formats.listing(self.format_field(part, spec) for part in value)
        if spec:
            return format(value, spec).replace("-", "−")
        return formats.count(value) if float(value).is_integer() else formats.number(value)


def _png(fig: Figure) -> bytes:
    buffer = BytesIO()
    # no software name or date: the same figure gives the same bytes
    fig.savefig(buffer, format="png", dpi=fig.dpi * _SCALE, bbox_inches="tight", metadata={"Software": None})
    _close(fig)
    return buffer.getvalue()


def _close(fig: Figure) -> None:
    # an open pyplot figure would be drawn a second time at the end of the cell
    import matplotlib.pyplot as plt

    plt.close(fig)


def _require(**texts: str) -> None:
    for name, text in texts.items():
        if not text.strip():
            raise ValueError(f"{name} is empty: say what a reader should take from it")


def _label(kind: str, key: str) -> str:
    numbers = _numbers[kind]
    return f"{kind} {numbers.setdefault(key, len(numbers) + 1)}"


def _anchor(name: str | None) -> str:
    return f' id="{escape(name)}"' if name else ""


def put(bundle: dict[str, str]) -> None:
    """Show something that exists in several forms; outside of a notebook its plain text is printed.

    Parameters
    ----------
    bundle : dict of str to str
        Content by media type, ``text/plain`` among them.
    """
    try:
        from IPython import get_ipython
        from IPython.display import display
    except ImportError:
        print(bundle["text/plain"])
        return
    if get_ipython() is None:
        print(bundle["text/plain"])
    else:
        display(bundle, raw=True)
