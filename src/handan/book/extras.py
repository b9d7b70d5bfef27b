"""What goes beside the rendered pages: notebooks to download, slides, the book as a PDF."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from handan import address
from handan.book.dress import COPIES, SLIDES
from handan.book.project import SLIDE_PARTS, Project


def copies(project: Project) -> list[Path]:
    """List the notebooks for readers that the checkout holds: students' first, in reading order."""
    kinds = (address.student, address.instructor)
    paths = [project.root / kind(chapter) for kind in kinds for chapter in project.chapters]
    return [path for path in paths if path.exists()]


def write(project: Project, say: Callable[[str], None], *, pdf: bool = False) -> None:
    """Write them into the folder of the pages.

    Parameters
    ----------
    project : Project
        Whose pages have just been rendered.
    say : callable
        Receives progress, a line at a time.
    pdf : bool
        Whether to print the book as well; needs Chromium.

    Raises
    ------
    BookError
        When a chapter has not been executed, or there is no Chromium to print with.
    ProjectError
        When the project's copy of reveal.js is not whole.
    CheckError
        When a page can't be printed as it is.
    """
    for path in copies(project):
        folder = project.html / COPIES / path.parent.name
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, folder)
    if (project.root / SLIDE_PARTS).exists():
        from handan.book import slides

        decks = slides.write(project, project.html / SLIDES)
        say(f"slides: {len(decks)} decks")
    if pdf:
        from handan.book.pdf import write as print_book

        print_book(project, say=say)
