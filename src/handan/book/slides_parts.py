"""What a slide of a deck holds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape
from typing import NamedTuple

from handan.book.slides_shown import Table
from handan.book.slides_text import sentences


class Piece(NamedTuple):
    """A part of a slide: ``prose`` or ``time`` (Markdown), ``html`` (safe, ours) or ``code`` (Python)."""

    kind: str
    content: str


@dataclass
class Slide:
    """One slide.

    Attributes
    ----------
    kind : str
        ``title``, ``section``, ``figure``, ``table``, ``exercise``, ``text``, ``code`` or ``end``.
    heading : str
        Markdown.
    stacked : bool
        Whether it lies below the first slide of its section.
    pieces : list of Piece
        What is seen.
    notes : list of str
        Markdown for the speaker.
    finding : str
        First sentence of the section that was computed; seen where the section shows no result otherwise.
    shows : bool
        Whether a figure or a table of the section has a slide.
    left_out : list of (Table, str)
        Each table that is too large for a slide, and its address in the book.
    waits : bool
        Whether the key sentence is still to come.
    goes_on : bool
        Whether a list or a code block that comes next belongs to what was said last.
    """

    kind: str
    heading: str
    stacked: bool = True
    pieces: list[Piece] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    finding: str = ""
    shows: bool = False
    left_out: list[tuple[Table, str]] = field(default_factory=list)
    waits: bool = False
    goes_on: bool = False


def left_out(tables: Sequence[tuple[Table, str]]) -> list[Piece]:
    """Say of tables that no slide can hold what they show and where they are."""
    items = [
        f'<li><a href="{escape(place)}">{escape(table.label)}</a> in the book: '
        f"{escape(sentences(table.caption)[0])}</li>"
        for table, place in tables
    ]
    return [Piece("html", f'<ul class="deck-aside">{"".join(items)}</ul>')] if items else []


def without_empty(slides: Sequence[Slide]) -> list[Slide]:
    """Leave out section slides with a heading only, where what comes next bears the same heading."""
    out = []
    for slide, after in zip(slides, [*slides[1:], None], strict=True):
        if after and not slide.pieces and slide.kind == "section" and after.heading == slide.heading:
            after.stacked = slide.stacked
            after.notes[:0] = slide.notes
        else:
            out.append(slide)
    return out
