"""The slides of one section of a chapter: what is seen, what is only spoken, what is left to the book."""

from __future__ import annotations

import re
from itertools import zip_longest

from handan.book import slides_text as text
from handan.book import slides_tidy as tidy
from handan.book.slides_parts import (
    Item,
    Note,
    Own,
    Piece,
    Said,
    Section,
    Slide,
    left_out,
    more_figures,
    more_findings,
    words_of,
)
from handan.book.slides_shown import Figure, Table
from handan.formats import plain

_AIMS = re.compile(r"\*\*(After|On) this (chapter|page) you can\*\*")
_TIME = re.compile(r"\*\*Time:\*\*")
# A computed sentence that has nothing to tell an audience.
_SILENT = re.compile(r"Nothing can be said\b")
_MOST_WORDS = 130
_FEWEST_WORDS = 30
_MOST_COMPUTED_WORDS = 150
_MOST_SENTENCES = 3
_MOST_BULLETS = 5
# More figures than these under one heading are alike: the first ones speak for all.
_MOST_FIGURES = 4
_FIRST_FIGURES = 2


def lay_out(section: Section, chapter: str) -> list[Slide]:
    """Make the slides of a section.

    Parameters
    ----------
    section : Section
        Its heading and what stands below it.
    chapter : str
        Name of the chapter, for links to its page.

    Returns
    -------
    list of Slide
        The first may have a heading and notes only, when there is nothing to be seen.
    """
    layout = _Layout(section, chapter)
    for item, after in zip_longest(section.items, section.items[1:]):
        layout.take(item, after)
    return layout.finished()


class _Layout:
    def __init__(self, section: Section, chapter: str) -> None:
        self.chapter = chapter
        self.items = section.items
        self.first = Slide(
            "title" if section.level == 1 else "section", section.heading, stacked=section.level > 2
        )
        self.slides = [self.first]
        self.host = self.first
        self.lead = ""
        self.findings = 0
        self.opening: tuple[Piece, str] | None = None
        figures = [item for item in section.items if isinstance(item, Figure)]
        readable = [figure for figure in figures if figure.small]
        self.run = len(figures) > _MOST_FIGURES
        self.chosen = readable[:_FIRST_FIGURES] if self.run else readable
        self.hidden = [figure for figure in figures if figure not in self.chosen]

    def take(self, item: Item, after: Item | None) -> None:
        """Take what stands under the heading, one after the other."""
        if isinstance(item, Slide):
            self.slides.append(item)
        elif isinstance(item, Note):
            self._note(item.source)
        elif isinstance(item, Own):
            self._own(item)
        elif isinstance(item, Said):
            self._say(item, after)
        else:
            self._show(item)

    def finished(self) -> list[Slide]:
        """Give the slides, without those that would be nearly empty."""
        for slide in self.slides:
            if slide.kind in ("section", "text") and not slide.fixed:
                tidy.end_on_a_statement(slide)
        figures = [slide for slide in self.slides if slide.figure in self.chosen]
        away = [item for item in self.items if isinstance(item, Table) and not item.small]
        self.first.pieces += left_out([*away, *([] if self.run else self.hidden)], self.chapter)
        self.host.pieces += more_findings(max(0, self.findings - _MOST_BULLETS), self.chapter)
        if self.run:
            (figures or self.slides)[-1].pieces += more_figures(self.hidden, self.chapter)
        slides = tidy.join(self.slides)
        if self.opening and slides[0] is self.first:
            tidy.widen(self.first, *self.opening)
        return slides

    def _note(self, source: str) -> None:
        self.slides[-1].notes.append(source)

    def _say(self, said: Said, after: Item | None) -> None:
        slide = self.slides[-1]
        if slide.kind in ("exercise", "code"):
            self._note(said.source)
        elif slide.kind == "title" and self._title(said):
            pass
        elif said.kind == "text":
            self._paragraph(said, after)
        elif said.kind == "math" or (said.kind == "list" and self._is_shown(said)):
            piece = _prose(said.source) if said.kind == "math" else self._list(said)
            self._together([_prose(self.lead)] * bool(self.lead) + [piece])
            self.slides[-1].notes += [said.source] * (said.kind == "list")
        elif self.host.pieces and self.host.pieces[-1].content.endswith(":"):
            self.host.pieces.append(_prose(said.source))
        else:
            self._note(said.source)
        if said.kind != "text":
            self.lead = ""

    def _title(self, said: Said) -> bool:
        aims = bool(_AIMS.match(said.source))
        if said.kind == "text" and (aims or _TIME.match(said.source)):
            self.first.pieces.append(Piece("prose" if aims else "time", said.source))
            return True
        of_aims = bool(self.first.pieces) and bool(_AIMS.match(self.first.pieces[-1].content))
        if said.kind == "list" and of_aims:
            self.first.pieces.append(_prose(said.source))
        elif said.kind in ("text", "list") and self.first.pieces:
            self._note(said.source)
        else:
            return False
        return True

    def _paragraph(self, said: Said, after: Item | None) -> None:
        self.lead = ""
        leads = isinstance(after, Said) and (
            after.kind == "math" or (after.kind == "list" and self._is_shown(after))
        )
        opens = not self.host.pieces
        short = len(text.sentences(said.source)) <= _MOST_SENTENCES
        if said.computed and isinstance(after, Said) and after.kind == "list":
            self.lead = said.source
            self._note(said.source)
        elif said.computed and _SILENT.match(said.source):
            self._note(said.source)
        elif said.computed and short:
            self._finding(said.source)
        elif opens or text.hangs(text.sentences(self.host.pieces[-1].content)[-1]):
            self._open(said.source, leads)
        else:
            self.lead = text.lead(said.source) if leads else ""
            self._note(said.source)

    def _finding(self, source: str) -> None:
        self.findings += 1
        if self.findings > _MOST_BULLETS:
            self._note(source)
        else:
            self._add([_prose(source)])

    def _open(self, source: str, leads: bool) -> None:
        key, rest = text.key(source)
        self._add([_prose(key)])
        if self.opening is None and self.host is self.first:
            self.opening = (self.host.pieces[-1], source)
        self.host.notes += [rest] if rest else []
        self.lead = text.lead(rest) if leads and rest else ""

    def _is_shown(self, said: Said) -> bool:
        if not said.computed:
            return True
        lists = [
            item for item in self.items if isinstance(item, Said) and item.computed and item.kind == "list"
        ]
        few = (
            words_of([_prose(one) for one in text.items(said.source)[:_MOST_BULLETS]]) <= _MOST_COMPUTED_WORDS
        )
        after_figure = any(isinstance(item, Figure) for item in self.items[: self.items.index(said)])
        return len(lists) == 1 and few and not after_figure

    def _list(self, said: Said) -> Piece:
        found = text.items(said.source)
        # a computed item is kept whole: its second sentence may take back the first
        seen = [one if said.computed else text.head(one) for one in found[:_MOST_BULLETS]]
        more = len(found) - len(seen)
        tail = [f"… and {more} more [in the book]({self.chapter}.ipynb)"] if more else []
        lines = ["- " + one.replace("\n", "\n  ") for one in [*filter(None, seen), *tail]]
        return Piece("list", "\n".join(lines))

    def _together(self, pieces: list[Piece]) -> None:
        """Add what needs its place: not above a figure that came before it."""
        if self.slides[-1] is not self.host:
            self._new_host()
        self._add(pieces)

    def _add(self, pieces: list[Piece]) -> None:
        full = words_of([*self.host.pieces, *pieces]) > _MOST_WORDS
        if full and words_of(self.host.pieces) > _FEWEST_WORDS:
            self._new_host()
        self.host.pieces += pieces

    def _new_host(self) -> None:
        self.host = Slide("text", self.first.heading)
        self.slides.append(self.host)

    def _own(self, item: Own) -> None:
        last = self.slides[-1]
        empty = last is self.first and not last.pieces
        if item.heading is not None or not (empty or (item.joins and last.fixed)):
            last = Slide("text", self.first.heading if item.heading is None else item.heading)
            self.slides.append(last)
        last.pieces += item.pieces
        last.fixed = True

    def _show(self, item: Figure | Table) -> None:
        if item.small and (isinstance(item, Table) or item in self.chosen):
            shown = item.html()
            kind, figure = ("figure", item) if isinstance(item, Figure) else ("table", None)
            self.slides.append(Slide(kind, self.first.heading, pieces=[Piece("html", shown)], figure=figure))
        else:
            self._note(f"{item.label} is in the book: {plain(item.caption)}")


def _prose(source: str) -> Piece:
    return Piece("prose", source)
