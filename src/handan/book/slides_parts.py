"""What a chapter gives to slides, and what a slide of a deck holds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape
from typing import NamedTuple

from handan.book.slides_shown import Figure, Table
from handan.book.slides_text import page_address, sentences

_MOST_LINES = 2


class Piece(NamedTuple):
    """A part of a slide.

    Its kind is ``prose``, ``list`` or ``time`` (Markdown), ``code`` (Python), or ``html`` or
    ``aside`` (both HTML of ours, which is safe).
    """

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
    figure : Figure, optional
        What it was made for.
    fixed : bool
        Whether its author wants it as it is.
    """

    kind: str
    heading: str
    stacked: bool = True
    pieces: list[Piece] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    figure: Figure | None = None
    fixed: bool = False


class Said(NamedTuple):
    """A block of Markdown, of the kinds of `slides_text.Block`; and whether it was computed."""

    kind: str
    source: str
    computed: bool = False


class Note(NamedTuple):
    """Markdown that is for the speaker only."""

    source: str


class Own(NamedTuple):
    """What its author wants to be seen as it is; `joins` says whether earlier such parts may precede it."""

    pieces: list[Piece]
    heading: str | None = None
    joins: bool = False


Item = Said | Note | Own | Figure | Table | Slide


@dataclass
class Section:
    """All that stands under one heading, in order; the first one of a chapter has level 1."""

    heading: str
    level: int
    items: list[Item] = field(default_factory=list)


def left_out(parts: Sequence[Figure | Table], chapter: str) -> list[Piece]:
    """Say of figures and tables that no slide can hold where they are; of one or two, what they show."""
    links = [f'<a href="{escape(_place(part, chapter))}">{escape(part.label)}</a>' for part in parts]
    if len(parts) > _MOST_LINES:
        return [_aside(f"In the book: {', '.join(links)}.")]
    heads = [escape(sentences(part.caption)[0]) for part in parts]
    return [_aside(f"{link} in the book: {head}") for link, head in zip(links, heads, strict=True)]


def more_figures(hidden: Sequence[Figure], chapter: str) -> list[Piece]:
    """Say how many figures under the same heading are in the book only."""
    if not hidden:
        return []
    words = f"{len(hidden)} more such figure{'s' * (len(hidden) > 1)}"
    place = escape(_place(hidden[0], chapter))
    return [_aside(f'<a href="{place}">{words}</a> in the book.')]


def words_of(pieces: Sequence[Piece]) -> int:
    """Count the words of pieces; a formula takes the room of a longer sentence."""
    return sum(
        30 if piece.content.startswith(("$$", "\\begin")) else len(piece.content.split()) for piece in pieces
    )


def more_findings(count: int, chapter: str) -> list[Piece]:
    """Say how many computed sentences under the same heading are in the book only."""
    link = f'<a href="{escape(page_address(f"{chapter}.ipynb", chapter))}">in the book</a>'
    return [_aside(f"And {count} more {link}.")] if count else []


def _aside(html: str) -> Piece:
    return Piece("aside", f'<p class="deck-aside">{html}</p>')


def _place(part: Figure | Table, chapter: str) -> str:
    return page_address(f"#{part.name}" if part.name else f"{chapter}.ipynb", chapter)
