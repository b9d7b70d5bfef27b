"""Which slides a chapter gives: a rule for each kind of cell, so that nothing is written twice.

A ``## `` section starts a slide with its heading and its key sentence. Each figure, each
table that is small enough and each exercise get a slide of their own, stacked below the
section's. Lists and computed sentences are seen as well; everything else that is prose goes
into the speaker notes.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from handan.book import slides_text as text
from handan.book.slides_layout import lay_out
from handan.book.slides_parts import Note, Own, Piece, Said, Section, Slide
from handan.book.slides_shown import shown
from handan.book.slides_tidy import without_empty
from handan.formats import plain

if TYPE_CHECKING:
    from nbformat import NotebookNode

# Solutions and answer keys; a cell that its author keeps from the slides or from the book.
_UNSEEN = {"solution", "key", "skip-slide", "remove-cell", "injected-parameters"}
_MOST_WORDS = 110


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
    reader = _Reader(chapter)
    for cell in notebook.cells:
        tags = set(cell.metadata.get("tags", []))
        if tags & _UNSEEN:
            continue
        if cell.cell_type == "markdown":
            reader.prose(cell.source, tags)
        elif cell.cell_type == "code":
            reader.code(cell, tags)
    return without_empty([lay_out(section, chapter) for section in reader.sections])


class _Reader:
    """Reads the cells of a chapter into its sections."""

    def __init__(self, chapter: str) -> None:
        self.sections = [Section(chapter, 1)]

    @property
    def section(self) -> Section:
        """The section that what comes next belongs to."""
        return self.sections[-1]

    def prose(self, source: str, tags: set[str]) -> None:
        """Take a Markdown cell."""
        source, folded = text.unfold(source)
        found = text.blocks(source)
        if "exercise" in tags:
            self._exercise(found, [])
        elif "notes" in tags:
            self.section.items.append(Note(source))
        elif "slide" in tags:
            self._own(found)
        else:
            for block in found:
                self._block(block)
            self.section.items += [Note(fold) for fold in folded]

    def code(self, cell: NotebookNode, tags: set[str]) -> None:
        """Take a code cell and what it put out."""
        items = self.section.items
        if "slide-code" in tags:
            items.append(Slide("code", self.section.heading, pieces=[Piece("code", cell.source)]))
        for output in [] if "remove-output" in tags else cell.outputs:
            data = output.get("data", {})
            if "text/html" in data:
                self._shown(data["text/html"], tags)
            elif "text/markdown" in data:
                self._said(data["text/markdown"], tags)
            elif "slide" in tags and (printed := output.get("text") or data.get("text/plain")):
                self.section.items.append(Own([Piece("html", f"<pre>{escape(printed)}</pre>")]))

    def _block(self, block: text.Block, computed: bool = False) -> None:
        items = self.section.items
        last = items[-1] if items else None
        if block.kind == "heading" and block.level == 1:
            self.section.heading = block.source
        elif block.kind == "heading":
            self.sections.append(Section(block.source, block.level))
        elif block.kind == "list" and isinstance(last, Said) and last.kind == "list":
            # computed lists come an item at a time
            items[-1] = Said("list", f"{last.source}\n{block.source}", last.computed)
        else:
            items.append(Said(block.kind, block.source, computed))

    def _own(self, found: list[text.Block]) -> None:
        head = found[0] if found[0].kind == "heading" else None
        if head and head.level == 2:
            self._block(head)
        pieces = [Piece("prose", block.source) for block in found[bool(head) :]]
        self.section.items.append(Own(pieces, head.source if head and head.level != 2 else None))

    def _shown(self, html: str, tags: set[str]) -> None:
        found = shown(html)
        if found is None:
            return
        if "notes" in tags:
            self.section.items.append(Note(f"{found.label}: {plain(found.caption)}"))
        elif "slide" in tags:
            kind = type(found).__name__.lower()
            self.section.items.append(Slide(kind, self.section.heading, pieces=[Piece("html", found.html())]))
        else:
            self.section.items.append(found)

    def _said(self, source: str, tags: set[str]) -> None:
        source, folded = text.unfold(source)
        if folded:
            # a question with its worked answer, which only the speaker sees
            self._exercise(text.blocks(source), folded)
        elif "slide" in tags:
            self.section.items.append(Own([Piece("prose", source)], joins=True))
        elif "notes" in tags:
            self.section.items.append(Note(source))
        else:
            for block in text.blocks(source):
                self._block(block, computed=True)

    def _exercise(self, found: list[text.Block], folded: list[str]) -> None:
        slide = Slide("exercise", "Exercise")
        words = 0
        for block in found:
            if block.kind == "heading":
                slide.heading = block.source
                continue
            words += len(block.source.split())
            if words <= _MOST_WORDS or not slide.pieces:
                slide.pieces.append(Piece("prose", block.source))
            else:
                slide.notes.append(block.source)
        if slide.notes:
            slide.pieces.append(Piece("html", '<p class="deck-aside">The rest is in the notebook.</p>'))
        slide.notes += folded
        self.section.items.append(slide)
