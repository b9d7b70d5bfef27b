"""Put a page together: headings, paragraphs, numbered tables and figures, everything escaped."""

from __future__ import annotations

import base64
import struct
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from io import BytesIO
from typing import TYPE_CHECKING

from handan.book.html_table import html_table
from handan.report.columns import HIDDEN, Look, digits, look
from handan.report.words import cells, html

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

MOST_ROWS = 100
NOTES = ("note", "reason")
_SCALE = 2


@dataclass(frozen=True)
class Picture:
    """A figure with what is said about it.

    Attributes
    ----------
    fig : Figure
        Closed once it is on a page.
    caption : str
        States the finding.
    alt : str
        What the figure shows, for somebody who cannot see it.
    """

    fig: Figure
    caption: str
    alt: str


class Composer:
    """A page in the making.

    Parameters
    ----------
    redundant : sequence of str
        Columns that tables leave out where they hold one value.

    Attributes
    ----------
    contents : list of (str, str)
        Anchor and title of every section so far.
    captions : list of dict of str to str
        ``figure, caption, alt`` of every figure so far.
    """

    def __init__(self, redundant: Sequence[str] = ()) -> None:
        self.redundant = redundant
        self.contents: list[tuple[str, str]] = []
        self.captions: list[dict[str, str]] = []
        self._parts: list[str] = []
        self._tables = 0

    @property
    def body(self) -> str:
        """HTML of all sections."""
        ending = "</section>" if self.contents else ""
        return "\n".join(self._parts) + ending

    def section(self, title: str) -> None:
        """Begin a section."""
        anchor = f"section-{len(self.contents) + 1}"
        opening = ("</section>" if self.contents else "") + f'<section aria-labelledby="{anchor}">'
        self.contents.append((anchor, title))
        self._parts.append(f'{opening}<h2 id="{anchor}">{html(title)}</h2>')

    def heading(self, title: str) -> None:
        """Begin a subsection."""
        self._parts.append(f"<h3>{html(title)}</h3>")

    def say(self, text: str, kind: str = "") -> None:
        """Add a paragraph, perhaps of a class of the style sheet."""
        mark = f' class="{kind}"' if kind else ""
        self._parts.append(f"<p{mark}>{html(text)}</p>")

    def items(self, lines: Iterable[str]) -> None:
        """Add a list, at most `MOST_ROWS` lines of it."""
        given = list(lines)
        shown = "".join(f"<li>{html(line)}</li>" for line in given[:MOST_ROWS])
        if shown:
            self._parts.append(f"<ul>{shown}</ul>")
        if len(given) > MOST_ROWS:
            self.say(f"The first {MOST_ROWS} of {len(given):,} lines; the JSON file has all.", "note")

    def code(self, text: str) -> None:
        """Add a line of code, which can be scrolled."""
        self._parts.append(f'<pre tabindex="0"><code>{html(text)}</code></pre>')

    def facts(self, pairs: Iterable[tuple[str, str]]) -> None:
        """Add names with their values."""
        rows = "".join(f"<dt>{html(name)}</dt><dd>{html(value)}</dd>" for name, value in pairs)
        self._parts.append(f"<dl>{rows}</dl>")

    def table(
        self,
        frame: pd.DataFrame,
        caption: str,
        columns: Sequence[str] = (),
        seen: Look | None = None,
        most: int = MOST_ROWS,
    ) -> None:
        """Add a table in a region of its own that scrolls.

        Parameters
        ----------
        frame : DataFrame
            Any table; one without rows adds nothing.
        caption : str
            Plain text.
        columns : sequence of str
            See `handan.report.columns.look`.
        seen : Look, optional
            Columns, headings and intervals, where they are known better.
        most : int
            Rows to show; where there are more, a line below says so.
        """
        if frame.empty:
            return
        self._tables += 1
        name = f"Table {self._tables}"
        seen = seen or look(frame, columns)
        alike = [one for one in self.redundant if one in seen.labels and len(frame[one].unique()) == 1]
        headings = {one: heading for one, heading in seen.labels.items() if one not in alike}
        part = cells(frame.head(most))
        body, _ = html_table(part, digits=digits(part), labels=headings, intervals=seen.intervals)
        note = _left_out(frame, seen, most)
        foot = f'<p class="note">{html(note)}</p>' if note else ""
        # What explains a row is long, and comes last.
        kind = "table noted" if list(headings)[-1] in NOTES else "table"
        self._parts.append(
            f'<figure class="{kind}"><figcaption><strong>{name}.</strong> {html(caption)}</figcaption>'
            f'<div role="region" tabindex="0" aria-label="{name}"><table>{body}</table></div>{foot}</figure>'
        )

    def picture(self, one: Picture) -> None:
        """Add a figure, and close it."""
        label = f"Figure {len(self.captions) + 1}"
        self.captions.append(dict(figure=label, caption=one.caption, alt=one.alt))
        data = _png(one.fig)
        width = struct.unpack(">I", data[16:20])[0] // _SCALE
        source = base64.b64encode(data).decode()
        self._parts.append(
            f'<figure><img src="data:image/png;base64,{source}" width="{width}" alt="{escape(one.alt)}">'
            f"<figcaption><strong>{label}.</strong> {html(one.caption)}</figcaption></figure>"
        )


def _left_out(frame: pd.DataFrame, seen: Look, most: int) -> str:
    rows = f"The first {most} of {len(frame):,} rows; the JSON file has all. " * (len(frame) > most)
    ends = {end for pair in seen.intervals.values() for end in pair}
    more = set(map(str, frame)) - ends - set(seen.labels) - set(HIDDEN)
    return (rows + "The JSON file has further columns." * bool(more)).strip()


def _png(fig: Figure) -> bytes:
    import matplotlib.pyplot as plt

    buffer = BytesIO()
    with warnings.catch_warnings():
        # Labels that find no room, or marks that no font has: the table beside has them in full.
        warnings.simplefilter("ignore")
        fig.savefig(
            buffer, format="png", dpi=fig.dpi * _SCALE, bbox_inches="tight", metadata={"Software": None}
        )
    plt.close(fig)
    return buffer.getvalue()
