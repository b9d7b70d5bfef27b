"""Which slides a chapter gives: a rule for each kind of cell, so that nothing is written twice.

A ``## `` section starts a slide with its heading and its key sentence. Each figure, each
table that is small enough and each exercise get a slide of their own, stacked below the
section's. Everything else that is prose goes into the speaker notes.
"""

from __future__ import annotations

import re
from html import escape
from typing import TYPE_CHECKING

from handan.book import slides_text as text
from handan.book.slides_parts import Piece, Slide, left_out, without_empty
from handan.book.slides_shown import Figure, Table, shown
from handan.formats import plain

if TYPE_CHECKING:
    from nbformat import NotebookNode

_AIMS = re.compile(r"\*\*(After|On) this (chapter|page) you can\*\*")
_TIME = re.compile(r"\*\*Time:\*\*")
# Solutions and answer keys; a cell that its author keeps from the slides or from the book.
_UNSEEN = {"solution", "key", "skip-slide", "remove-cell", "injected-parameters"}
_MOST_WORDS = 110
_MOST_FORMULAS = 2


def plan(notebook: NotebookNode, chapter: str) -> list[Slide]:
    """Decide on the slides of an executed chapter.

    Parameters
    ----------
    notebook : NotebookNode
        With outputs. The tags ``slide`` (the whole cell on a slide of its own), ``notes``
        (into the notes only), ``skip-slide`` and ``slide-code`` (show the code) overrule
        what a cell's kind says. Solutions and keys give nothing.
    chapter : str
        Its name, for links to its page.
    """
    planner = _Planner(chapter)
    for cell in notebook.cells:
        tags = set(cell.metadata.get("tags", []))
        if tags & _UNSEEN:
            continue
        if cell.cell_type == "markdown":
            planner.prose(cell.source, tags)
        elif cell.cell_type == "code":
            planner.code(cell, tags)
    return planner.finished()


class _Planner:
    def __init__(self, chapter: str) -> None:
        self.chapter = chapter
        self.slides = [Slide("title", chapter, stacked=False, waits=True)]
        self.section = self.slides[0]

    @property
    def last(self) -> Slide:
        """The slide that what comes next belongs to."""
        return self.slides[-1]

    def prose(self, source: str, tags: set[str]) -> None:
        """Take a Markdown cell."""
        source, folded = text.unfold(source)
        found = text.blocks(source)
        if "exercise" in tags:
            self._exercise(found)
        elif "notes" in tags:
            self.last.notes.append(source)
        elif "slide" in tags:
            head = found[0] if found[0].kind == "heading" else None
            if head and head.level == 2:
                self._start(head)
            elif head or self.last is not self.section or self.section.pieces:
                self._stack("text", head.source if head else None)
            self.last.pieces += [_prose(block.source) for block in found[bool(head) :]]
            self.last.waits = False
        else:
            for block in found:
                self._block(block)
            self.last.notes += folded

    def code(self, cell: NotebookNode, tags: set[str]) -> None:
        """Take a code cell and what it put out."""
        if "slide-code" in tags:
            self._stack("code").pieces.append(Piece("code", cell.source))
        for output in [] if "remove-output" in tags else cell.outputs:
            data = output.get("data", {})
            if "text/html" in data:
                self._shown(shown(data["text/html"]), tags)
            elif "text/markdown" in data:
                self._said(data["text/markdown"], tags)
            elif "slide" in tags and (printed := output.get("text") or data.get("text/plain")):
                self._stack("text").pieces.append(Piece("html", f"<pre>{escape(printed)}</pre>"))

    def finished(self) -> list[Slide]:
        """Give all slides, once every cell was taken."""
        for slide in self.slides:
            if slide.finding and not slide.shows:
                slide.pieces.append(_prose(slide.finding))
            slide.pieces += left_out(slide.left_out)
        return without_empty(self.slides)

    def _block(self, block: text.Block) -> None:
        slide = self.last
        if block.kind == "heading":
            self._start(block)
        elif block.kind == "math":
            self._formula(block.source)
        elif block.kind == "list" and (slide.goes_on or slide.waits):
            whole = slide.kind == "title"
            slide.pieces.append(_prose(block.source if whole else text.heads(block.source)))
            slide.notes += [] if whole else [block.source]
            slide.goes_on = slide.waits = False
        elif block.kind == "text":
            self._paragraph(block.source)
        elif slide.goes_on:
            slide.pieces.append(_prose(block.source))
            slide.goes_on = False
        else:
            slide.notes.append(block.source)

    def _paragraph(self, source: str) -> None:
        slide = self.last
        slide.goes_on = False
        aims = bool(_AIMS.match(source))
        if slide.kind == "title" and (aims or _TIME.match(source)):
            slide.pieces.append(Piece("prose" if aims else "time", source))
            slide.goes_on = aims
            slide.waits = False
        elif slide.waits:
            key, rest = text.key(source)
            slide.pieces.append(_prose(key))
            slide.notes += [rest] if rest else []
            slide.waits = False
            slide.goes_on = not rest and key.endswith(":")
        else:
            slide.notes.append(source)

    def _start(self, heading: text.Block) -> None:
        if heading.level == 1:
            self.section.heading = heading.source
            return
        stacked = heading.level > 2
        self.slides.append(Slide("section", heading.source, stacked=stacked, waits=True))
        self.section = self.last

    def _stack(self, kind: str, heading: str | None = None) -> Slide:
        self.slides.append(Slide(kind, self.section.heading if heading is None else heading))
        return self.last

    def _formula(self, source: str) -> None:
        of_section = [piece for piece in self.section.pieces if piece.content.startswith(("$$", "\\begin"))]
        full = len(of_section) >= _MOST_FORMULAS
        slide = self._stack("text") if full else self.section
        slide.pieces.append(_prose(source))

    def _shown(self, found: Figure | Table | None, tags: set[str]) -> None:
        if found is None:
            return
        kind = "figure" if isinstance(found, Figure) else "table"
        if "notes" in tags:
            self.last.notes.append(f"{found.label}: {plain(found.caption)}")
        elif isinstance(found, Figure) or found.small or "slide" in tags:
            self.section.shows = True
            self._stack(kind).pieces.append(Piece("html", found.html()))
        else:
            place = text.page_address(
                f"#{found.name}" if found.name else f"{self.chapter}.ipynb", self.chapter
            )
            self.section.left_out.append((found, place))
            self.last.notes.append(f"{found.label} is in the book: {plain(found.caption)}")

    def _said(self, source: str, tags: set[str]) -> None:
        source, folded = text.unfold(source)
        if folded:
            # a question with its worked answer, which only the speaker sees
            self._exercise(text.blocks(source))
            self.last.notes += folded
        elif "slide" in tags:
            fits = self.last.kind == "text" or (self.last is self.section and not self.section.pieces)
            slide = self.last if fits else self._stack("text")
            slide.pieces.append(_prose(source))
            slide.waits = False
        elif "notes" in tags:
            self.last.notes.append(source)
        else:
            waited = self.last.waits
            for block in text.blocks(source):
                self._block(block)
            if not (waited or self.section.finding):
                self.section.finding = text.key(source)[0]

    def _exercise(self, found: list[text.Block]) -> None:
        slide = self._stack("exercise", "Exercise")
        words = 0
        for block in found:
            if block.kind == "heading":
                slide.heading = block.source
                continue
            words += len(block.source.split())
            if words <= _MOST_WORDS or not slide.pieces:
                slide.pieces.append(_prose(block.source))
            else:
                slide.notes.append(block.source)
        if slide.notes:
            slide.pieces.append(Piece("html", '<p class="deck-aside">The rest is in the notebook.</p>'))


def _prose(source: str) -> Piece:
    return Piece("prose", source)
