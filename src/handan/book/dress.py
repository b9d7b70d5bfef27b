"""What a chapter gets on its way to a page: ways to open it elsewhere, and links to code and glossary."""

from __future__ import annotations

import re
from html import escape
from typing import TYPE_CHECKING

from handan import address
from handan.book import chapter as chapters
from handan.book.glossary import Linker, terms
from handan.book.project import GLOSSARY, SLIDE_PARTS, Project

if TYPE_CHECKING:
    from nbformat import NotebookNode

# Folders of the finished site, beside notebooks/ and book/.
COPIES = "course"
SLIDES = "slides"
# A figure this wide (in pixels) gets a box to scroll in, where the screen is narrow.
_WIDE = 700
_IMAGE = re.compile(r'<img [^>]*?width="(\d+)"[^>]*>')
_SHOWN = re.compile(r'<figure class="handan-(figure|table)"')


def dress(notebook: NotebookNode, project: Project, chapter: str) -> NotebookNode:
    """Make an executed chapter ready to be rendered.

    Parameters
    ----------
    notebook : NotebookNode
        The executed chapter; changed in place and returned.
    project : Project
        Its book.
    chapter : str
        Its name.
    """
    from handan.course.book_copy import for_book

    # Before anything is taken out: lines are found by the cells as the source has them.
    _link_code(notebook, project, chapter)
    notebook = for_book(notebook)
    prose = [cell for cell in notebook.cells if cell.cell_type == "markdown"]
    linker = Linker(_terms(project))
    for cell in prose:
        cell.source = linker.link(cell.source)
    if prose and (row := launch_row(project, chapter)):
        title, _, rest = prose[0].source.partition("\n")
        prose[0].source = f"{title}\n\n{row}\n{rest}"
    return notebook


def launch_row(project: Project, chapter: str) -> str:
    """Write the row of links below a chapter's title; only to what there is.

    Parameters
    ----------
    project : Project
        Its book.
    chapter : str
        Its name.

    Returns
    -------
    str
        HTML in one line; empty where the project has neither notebooks for readers nor slides.
    """
    links = []
    notebook = address.student(chapter)
    if (project.root / notebook).exists():
        links += [
            _link("Open in Colab", address.colab(notebook)),
            _link("Kaggle", address.kaggle(notebook)),
            _link("Binder", address.binder(notebook)),
            _link("Notebook", f"../{COPIES}/student/{chapter}.ipynb", download=True),
        ]
    has_exercises = '"solution"' in project.source(chapter).read_text(encoding="utf-8")
    if has_exercises and (project.root / address.instructor(chapter)).exists():
        links.append(_link("With solutions", f"../{COPIES}/instructor/{chapter}.ipynb", download=True))
    if (project.root / SLIDE_PARTS).exists():
        links.append(_link("Slides", f"../{SLIDES}/{chapter}.html"))
    row = f'<nav class="handan-launch" aria-label="This chapter elsewhere">{"".join(links)}</nav>\n'
    return row if links else ""


def _link(words: str, target: str, *, download: bool = False) -> str:
    return f'<a href="{escape(target)}"{" download" if download else ""}>{words}</a>'


def _terms(project: Project) -> list[str]:
    page = project.root / f"{GLOSSARY}.md"
    return terms(page.read_text(encoding="utf-8")) if page.exists() and GLOSSARY in project.pages else []


def _link_code(notebook: NotebookNode, project: Project, chapter: str) -> None:
    source = project.source(chapter)
    cells = chapters.code_cells(notebook)
    lines = chapters.first_lines(source.read_text(encoding="utf-8"), cells)
    for cell, line in zip(cells, lines, strict=True):
        place = address.source(source.relative_to(project.root).as_posix(), line)
        for output in cell.outputs:
            if html := output.get("data", {}).get("text/html"):
                output.data["text/html"] = _with_code(html, place)


def _with_code(html: str, place: str) -> str:
    """Put a link at the end of the caption of a figure or table of ours; other HTML stays as it is."""
    if not (found := _SHOWN.match(html)):
        return html
    what = f"the code that made this {found[1]}"
    link = f' <a class="handan-code" href="{escape(place)}" title="{what}" aria-label="{what}">code</a>'
    return _IMAGE.sub(_scrolling, html.replace("</figcaption>", f"{link}</figcaption>", 1), count=1)


def _scrolling(image: re.Match[str]) -> str:
    if int(image[1]) <= _WIDE:
        return image[0]
    return f'<div class="handan-wide" role="region" tabindex="0" aria-label="A wide figure">{image[0]}</div>'
