"""Slides of the chapters: one reveal.js deck each, made from the executed notebook by nbconvert.

A deck asks no other machine for anything and opens from a folder as well as from a server.
"""

from __future__ import annotations

import shutil
from functools import partial
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from handan import address
from handan.book.errors import BookError, ProjectError
from handan.book.project import SLIDE_PARTS, Project
from handan.book.slides_parts import Piece, Slide
from handan.book.slides_plan import plan
from handan.book.slides_text import to_html

if TYPE_CHECKING:
    from nbconvert.exporters import SlidesExporter
    from nbformat import NotebookNode

_REVEAL = "reveal"
# Relative to a deck; the book's own copy.
_MATHJAX = "../mathjax/tex-mml-chtml.js"


def write(project: Project, target: Path) -> list[Path]:
    """Write a deck for every chapter.

    Parameters
    ----------
    project : Project
        Whose chapters have all been executed.
    target : Path
        Folder of the decks, ``slides`` beside the pages of the book; made where missing.

    Returns
    -------
    list of Path
        The decks in reading order.

    Raises
    ------
    ProjectError
        When the project has no copy of reveal.js.
    BookError
        When a chapter has not been executed.
    """
    parts = project.root / SLIDE_PARTS
    if not (parts / "reveal.js").exists():
        raise ProjectError(
            f"there is no {SLIDE_PARTS}/reveal.js in {project.root}: check the folder out again"
        )
    shutil.copytree(parts, target / _REVEAL, dirs_exist_ok=True)
    decks = []
    for chapter in project.chapters:
        decks.append(target / f"{chapter}.html")
        student = (project.root / address.student(chapter)).exists()
        html = deck(_read(project, chapter), chapter, student=student)
        decks[-1].write_text(html, encoding="utf-8")
    return decks


def deck(notebook: NotebookNode, chapter: str, *, student: bool = True) -> str:
    """Make one deck.

    Parameters
    ----------
    notebook : NotebookNode
        An executed chapter; not changed.
    chapter : str
        Its name, ``04_alignment``.
    student : bool
        Whether there is a notebook for students, to which the last slide leads.

    Returns
    -------
    str
        The HTML page; it needs the folder ``reveal`` beside it.
    """
    slides = [*plan(notebook, chapter), _end(chapter, student)]
    html, _ = _exporter(chapter).from_notebook_node(_notebook(slides, chapter))
    return str(html)


def _read(project: Project, chapter: str) -> NotebookNode:
    import nbformat

    path = project.executed(chapter)
    if not path.exists():
        raise BookError(
            f"{chapter} was not executed, so it has no slides; run `handan book --only {chapter}`"
        )
    return nbformat.read(path, as_version=4)


def _exporter(chapter: str) -> SlidesExporter:
    from nbconvert.exporters import SlidesExporter

    return SlidesExporter(
        extra_template_basedirs=[str(Path(__file__).parent)],
        template_name="slides_template",
        filters={"markdown2html": partial(to_html, chapter=chapter)},
        reveal_url_prefix=_REVEAL,
        mathjax_url=_MATHJAX,
        language_code="en",
    )


def _notebook(slides: list[Slide], chapter: str) -> NotebookNode:
    """Write slides as the cells that nbconvert turns into slides."""
    from nbformat import v4

    cells = [cell for slide in slides for cell in _cells(slide)]
    for number, cell in enumerate(cells, 1):
        cell["id"] = f"cell-{number:03d}"
    title = to_html(slides[0].heading, chapter)
    maths = any('class="math' in to_html(cell.source, chapter) for cell in cells if _is_seen(cell))
    about = {"title": _plain(title), "maths": maths}
    return v4.new_notebook(cells=cells, metadata={"deck": about, "language_info": {"name": "python"}})


def _cells(slide: Slide) -> list[NotebookNode]:
    from nbformat import v4

    start = {"slideshow": {"slide_type": "subslide" if slide.stacked else "slide"}, "kind": slide.kind}
    mark = "#" if slide.kind == "title" else "##"
    cells = [v4.new_markdown_cell(f"{mark} {slide.heading}", metadata=start)]
    cells += [_cell(piece) for piece in slide.pieces]
    if slide.notes:
        spoken = {"slideshow": {"slide_type": "notes"}}
        cells.append(v4.new_markdown_cell("\n\n".join(slide.notes), metadata=spoken))
    return cells


def _cell(piece: Piece) -> NotebookNode:
    from nbformat import v4

    if piece.kind == "code":
        return v4.new_code_cell(piece.content)
    if piece.kind in ("html", "aside"):
        output: Any = v4.new_output("display_data", {"text/html": piece.content})
        return v4.new_code_cell("", outputs=[output])
    return v4.new_markdown_cell(piece.content, metadata={"part": piece.kind})


def _is_seen(cell: NotebookNode) -> bool:
    return cell.cell_type == "markdown" and cell.metadata.get("slideshow", {}).get("slide_type") != "notes"


def _plain(html: str) -> str:
    from bs4 import BeautifulSoup

    return BeautifulSoup(html, "html.parser").get_text().strip()


def _end(chapter: str, student: bool) -> Slide:
    """Say where to go on; the addresses are written out for those who see them on a wall."""
    places = {"The chapter in the book": address.book(f"notebooks/{chapter}")}
    if student:
        places["The notebook, in Colab"] = address.colab(address.student(chapter))
    lines = [
        f'<dt>{words}</dt><dd><a href="{escape(place)}">{escape(place)}</a></dd>'
        for words, place in places.items()
    ]
    return Slide("end", "Go on", stacked=False, pieces=[Piece("html", f"<dl>{''.join(lines)}</dl>")])
