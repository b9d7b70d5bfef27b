"""Which files the course kit consists of, and which of them a chapter is ready for."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from handan import address
from handan.book.errors import BookError
from handan.course import copies, executed
from handan.course.outline import outline

if TYPE_CHECKING:
    from nbformat import NotebookNode

    from handan.book.project import Project

ANSWERS = Path("src/handan/data/answers.json")
_COPIES: tuple[tuple[Callable[[Project, str], NotebookNode], Callable[[str], Any]], ...] = (
    (copies.student, address.student),
    (copies.instructor, address.instructor),
)


def wanted(project: Project, chapter: str) -> Iterator[tuple[Path, NotebookNode]]:
    """Make a chapter's copies; yields where each belongs, relative to the project's folder.

    Raises
    ------
    BookError
        See `copies.student`.
    """
    for make, path in _COPIES:
        yield Path(path(chapter)), make(project, chapter)


def left_over(project: Project) -> list[Path]:
    """Find notebooks among the copies that no chapter has, relative to the project's folder."""
    known = {Path(path(chapter)) for chapter in project.chapters for _, path in _COPIES}
    there = [
        file.relative_to(project.root)
        for folder in (address.STUDENT, address.INSTRUCTOR)
        for file in sorted((project.root / folder).glob("*.ipynb"))
    ]
    return [path for path in there if path not in known]


def packaged(project: Project) -> dict[str, Any]:
    """Read the records of answers that the project's package ships; none where there is no such file.

    Raises
    ------
    BookError
        When the file is no valid JSON.
    """
    path = project.root / ANSWERS
    try:
        return dict(json.loads(path.read_text(encoding="utf-8"))) if path.exists() else {}
    except ValueError as error:
        raise BookError(
            f"{path} is not valid JSON ({error}); remove it and run `handan course build`"
        ) from None


def unfit(project: Project, chapter: str) -> list[str]:
    """Name the exercises of a chapter that it has not been executed with, as they are now.

    Raises
    ------
    BookError
        When the chapter's exercises are not as they should be.
    """
    from handan.book.chapter import read

    source = read(project.source(chapter))
    ran = executed.read(project, chapter)
    return [
        one.id
        for one in outline(source, chapter).exercises
        if one.id not in ran.records
        or not {source.cells[one.solution].source, source.cells[one.key].source} <= set(ran.cells)
    ]
