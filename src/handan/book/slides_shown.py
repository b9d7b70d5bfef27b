"""Figures and tables of a chapter, read from its outputs and written anew for a slide.

Only text, numbers and the picture itself are taken over, each escaped: whatever else an
output may hold doesn't reach a slide.
"""

from __future__ import annotations

import base64
import struct
from html import escape
from typing import Any, NamedTuple

_PICTURE = "data:image/png;base64,"
# What can be read from the last row of a lecture room at 1280 by 720 pixels.
_MOST_ROWS = 9
_MOST_CHARACTERS = 88
# What a figure has of a slide, in pixels; and what a line of its caption or of the text above it takes.
_WIDTH, _HEIGHT = 1136, 570
_CAPTION_LINE, _TEXT_LINE = 30, 40
# The heading is larger where text stands below it.
_TEXT_SPACE = 45
_CHARACTERS_A_LINE = 95
_READABLE = 0.55


class Figure(NamedTuple):
    """A figure that `handan.book.show.figure` made; `source` is the picture as a data address.

    Its natural width and height, on a page of the book, are in pixels.
    """

    label: str
    caption: str
    name: str
    source: str
    alt: str
    width: float
    height: float

    @property
    def small(self) -> bool:
        """Whether it can be read on a slide."""
        return self.scale() >= _READABLE

    def scale(self, text: str = "", asides: int = 0) -> float:
        """Its size on a slide, as a share of its natural one.

        Parameters
        ----------
        text : str
            What stands above it.
        asides : int
            Lines below the caption.
        """
        small = asides + _lines(self.caption)
        room = _HEIGHT - _CAPTION_LINE * small - _TEXT_LINE * _lines(text) - _TEXT_SPACE * bool(text)
        return min(_WIDTH / self.width, room / self.height)

    def html(self) -> str:
        """Write it for a slide."""
        return (
            f'<figure class="deck-figure"><img src="{escape(self.source)}" alt="{escape(self.alt)}">'
            f"<figcaption><strong>{escape(self.label)}</strong> {escape(self.caption)}</figcaption></figure>"
        )


class Cell(NamedTuple):
    """A cell of a table: its text, and whether it is flush right."""

    text: str
    right: bool


class Table(NamedTuple):
    """A table that `handan.book.show.table` made: headings, rows, and the line below it."""

    label: str
    caption: str
    name: str
    head: list[Cell]
    rows: list[list[Cell]]
    note: str

    @property
    def small(self) -> bool:
        """Whether it can be read on a slide."""
        lines = [self.head, *self.rows]
        widths = [max(_width(line[i], line is self.head) for line in lines) for i in range(len(self.head))]
        return len(self.rows) <= _MOST_ROWS and sum(widths) + 2 * len(widths) <= _MOST_CHARACTERS

    def html(self) -> str:
        """Write it for a slide."""
        head = "".join(_cell("th", cell, ' scope="col"') for cell in self.head)
        body = "".join(f"<tr>{''.join(_cell('td', cell) for cell in row)}</tr>" for row in self.rows)
        note = f'<p class="deck-note">{escape(self.note)}</p>' if self.note else ""
        return (
            f'<figure class="deck-table"><figcaption><strong>{escape(self.label)}</strong> '
            f"{escape(self.caption)}</figcaption><table><thead><tr>{head}</tr></thead>"
            f"<tbody>{body}</tbody></table>{note}</figure>"
        )


def shown(html: str) -> Figure | Table | None:
    """Read a figure or a table; anything else gives None.

    Parameters
    ----------
    html : str
        The HTML form of an output.
    """
    from bs4 import BeautifulSoup

    found = BeautifulSoup(html, "html.parser").find("figure", class_=["handan-figure", "handan-table"])
    if found is None or found.figcaption is None:
        return None
    label = _text(found.figcaption.strong).rstrip(".")
    caption = _text(found.figcaption).removeprefix(_text(found.figcaption.strong)).strip()
    name = str(found.get("id") or "")
    if "handan-table" in found["class"]:
        head, *rows = [[_read(cell) for cell in row(["th", "td"])] for row in found("tr")] or [[]]
        return Table(label, caption, name, head, rows, _text(found.find(class_="handan-note")))
    image = found.img
    if image is None or not str(image.get("src", "")).startswith(_PICTURE):
        return None
    source = str(image["src"])
    wide, high = _pixels(source)
    width = float(str(image.get("width") or wide))
    return Figure(label, caption, name, source, str(image.get("alt", "")), width, width * high / wide)


def _pixels(source: str) -> tuple[int, int]:
    """Read width and height from the head of a PNG picture."""
    wide, high = struct.unpack(">II", base64.b64decode(source.removeprefix(_PICTURE)[:32])[16:24])
    return wide, high


def _lines(text: str) -> int:
    return -(-len(text) // _CHARACTERS_A_LINE)


def _read(cell: Any) -> Cell:
    return Cell(_text(cell), "right" in str(cell.get("style", "")))


def _text(element: Any) -> str:
    # a no-break space keeps a number with its unit and has to stay
    return " ".join(element.get_text().strip().split(" ")) if element is not None else ""


def _cell(tag: str, cell: Cell, more: str = "") -> str:
    side = ' class="right"' if cell.right else ""
    return f"<{tag}{more}{side}>{escape(cell.text)}</{tag}>"


def _width(cell: Cell, heading: bool) -> int:
    # a heading may take two lines
    return max(map(len, cell.text.split()), default=0) if heading else len(cell.text)
