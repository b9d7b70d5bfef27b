"""What a chapter teaches, how long it takes, and its exercises: read off its source."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from handan.course.exercise import HEADING, Exercise, ExerciseError, at, exercise, tagged

if TYPE_CHECKING:
    from nbformat import NotebookNode

    from handan.book.project import Project

_LOOKS_LIKE_ONE = re.compile(r"^#+ *Exercise\b", re.M | re.I)
_TITLE = re.compile(r"^# +(.+?)\s*$", re.M)
_AIMS = re.compile(r"^\*\*After this chapter you can\*\*\s*\n+((?:[-*] .*\n?|[ \t]+\S.*\n?)+)", re.M)
_TIME = re.compile(r"^\*\*Time:\*\*\s*(.+?)(?:\n\s*\n|\Z)", re.M | re.S)
_READ = re.compile(r"([\w-]+) minutes? to read")
_WORDS = {"five": 5, "ten": 10, "fifteen": 15, "twenty": 20, "thirty": 30, "forty": 40, "fifty": 50}


@dataclass(frozen=True)
class Outline:
    """A chapter, as somebody who plans a session wants to know it.

    Attributes
    ----------
    chapter, title : str
        Its file's name, ``04_alignment``, and its heading.
    aims : tuple of str
        What a reader can do afterwards.
    time : str
        How long it takes, as the chapter says it.
    minutes : int or None
        Minutes to read; None where the chapter doesn't say.
    exercises : tuple of Exercise
        In order.
    """

    chapter: str
    title: str
    aims: tuple[str, ...]
    time: str
    minutes: int | None
    exercises: tuple[Exercise, ...]


def read(project: Project, chapter: str) -> Outline:
    """Read a chapter's source; see `outline` for what it raises."""
    from handan.book.chapter import read as read_source

    return outline(read_source(project.source(chapter)), chapter)


def outline(notebook: NotebookNode, chapter: str) -> Outline:
    """Find out what a chapter holds.

    Parameters
    ----------
    notebook : NotebookNode
        Its source, read by `handan.book.chapter.read`.
    chapter : str
        Its name, ``04_alignment``.

    Raises
    ------
    ExerciseError
        When a solution or a key is missing, out of place, or doesn't go with its exercise.
        One line for each, naming chapter and cell.
    """
    problems: list[str] = []
    exercises: list[Exercise] = []
    for block in _blocks(notebook, chapter, problems):
        try:
            exercises.append(exercise(notebook, chapter, block))
        except ExerciseError as error:
            problems.append(str(error))
    ids = [one.id for one in exercises]
    problems += [
        f"{chapter}: there are two exercises {one}" for one in sorted(set(ids)) if ids.count(one) > 1
    ]
    if problems:
        raise ExerciseError("\n".join(problems))
    prose = "\n\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    time = _first(_TIME, prose)
    return Outline(chapter, _first(_TITLE, prose), _aims(prose), time, _minutes(time), tuple(exercises))


def _blocks(notebook: NotebookNode, chapter: str, problems: list[str]) -> Iterator[list[int]]:
    """Yield the places of an exercise's task, solutions and keys; what belongs to none is a problem."""
    block: list[int] = []
    for place, cell in enumerate(notebook.cells):
        is_prose = cell.cell_type == "markdown"
        heading = is_prose and bool(_LOOKS_LIKE_ONE.search(cell.source))
        if heading and tagged(cell, "exercise"):
            if block:
                yield block
            block = [place]
        elif heading:
            problems.append(
                f"{at(chapter, place)} has the heading of an exercise, but not the tag 'exercise'"
            )
        elif tagged(cell, "exercise") and not block:
            problems.append(f"{at(chapter, place)} has the tag 'exercise', but no heading {HEADING!r}")
        elif tagged(cell, "solution", "key"):
            if block:
                block.append(place)
            else:
                problems.append(
                    f"{at(chapter, place)} has a solution or a key, and no exercise stands above it"
                )
    if block:
        yield block


def _first(pattern: re.Pattern[str], prose: str) -> str:
    found = pattern.search(prose)
    return " ".join(found[1].split()) if found else ""


def _aims(prose: str) -> tuple[str, ...]:
    found = _AIMS.search(prose)
    items = re.split(r"^[-*] ", found[1], flags=re.M)[1:] if found else []
    return tuple(" ".join(item.split()).rstrip(";.") for item in items)


def _minutes(time: str) -> int | None:
    found = _READ.search(time)
    if not found:
        return None
    word = found[1].lower()
    return int(word) if word.isdigit() else _WORDS.get(word)
