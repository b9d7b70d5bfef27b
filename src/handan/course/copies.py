"""A chapter's copies for students and instructors, made from its source.

In the student's copy dots stand where a solution is to be found. In the instructor's the
solution stands between nbgrader's markers. Each answer is followed by its check.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from copy import deepcopy
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from handan import address
from handan.book.chapter import KERNELSPEC
from handan.book.parameters import TAG as PARAMETERS
from handan.book.parameters import declared
from handan.course import cells, executed, expected, needs
from handan.course.exercise import Exercise, ExerciseError, at, introduced, tagged
from handan.course.outline import Outline, outline
from handan.course.prose import Prose

if TYPE_CHECKING:
    from nbformat import NotebookNode

    from handan.book.project import Project

EXPECTED = "expected-figure"
_PROFILE = re.compile(r'^(profile\s*=\s*)"default"', re.M)
_COURSE = re.compile(r"^from handan\.course import .*$", re.M)
_HIDDEN = ("hide-input", "hide-cell")


def student(project: Project, chapter: str) -> NotebookNode:
    """Make the copy of a chapter that students work in: without solutions, keys and outputs.

    Parameters
    ----------
    project : Project
        The book. Figures to arrive at come from the executed chapter; where the chapter
        has not been executed since its exercise changed, there is none.
    chapter : str
        Its name, ``04_alignment``.

    Returns
    -------
    NotebookNode
        Runs from top to bottom with no answer given.

    Raises
    ------
    ExerciseError
        When an exercise is not as it should be; names chapter and cell.
    ProjectError
        When the chapter links to a page that the book doesn't have.
    """
    return _copy(project, chapter, address.student(chapter), _student_cell)


def instructor(project: Project, chapter: str) -> NotebookNode:
    """Make the copy of a chapter with its solutions, ready for nbgrader; otherwise as `student`."""
    return _copy(project, chapter, address.instructor(chapter), _instructor_cell)


def _copy(
    project: Project,
    chapter: str,
    path: PurePosixPath,
    solution: Callable[[str, Exercise], str],
) -> NotebookNode:
    from nbformat import v4

    from handan.book.chapter import read
    from handan.course import setup_cell

    source = read(project.source(chapter))
    about = outline(source, chapter)
    set_up = setup_cell.source(chapter, needs.modules(project, chapter))
    made = [
        _named(v4.new_markdown_cell(_head(about, path)), "links"),
        _named(v4.new_code_cell(set_up), "set-up"),
    ]
    by_place = {place: one for one in about.exercises for place in (one.task, one.solution, one.key)}
    prose = Prose(project, f"notebooks/{chapter}")
    ran = executed.read(project, chapter)
    for place, cell in enumerate(source.cells):
        exercise = by_place.get(place)
        if exercise and place == exercise.solution:
            made += _figure(ran, cell, exercise)
            made.append(_solution(cell, exercise, solution, at(chapter, place)))
        elif exercise and place == exercise.key:
            made.append(_check(exercise))
        else:
            made.append(_ordinary(cell, prose, f"exercise-{exercise.dashed}" if exercise else cell["id"]))
    return v4.new_notebook(cells=made, metadata=_metadata(source))


def _head(about: Outline, path: PurePosixPath) -> str:
    whose = "with solutions, for instructors" if path.parent == address.INSTRUCTOR else "for students"
    page = address.book(f"notebooks/{about.chapter}")
    lines = [
        f"**{about.title}**, a notebook {whose}.",
        f"Open this notebook in [Colab]({address.colab(path)}), on [Kaggle]({address.kaggle(path)}) "
        f"or on [Binder]({address.binder(path)}). Read [the chapter in the book]({page}).",
        "Run the next cell first. It installs what is missing, and says what your machine can do.",
    ]
    if about.exercises and path.parent == address.INSTRUCTOR:
        source = address.source(f"notebooks/{about.chapter}.py")
        lines.append(
            f"This file is made from [the chapter's source]({source}) "
            "by `handan course build`: change exercises there. It is ready for nbgrader."
        )
    elif about.exercises:
        lines.append(
            "Exercises are at the end. Put your answer in place of the dots, then run the check below."
        )
    return "\n\n".join(lines)


def _ordinary(cell: NotebookNode, prose: Prose, name: str) -> NotebookNode:
    from nbformat import v4

    if cell.cell_type == "markdown":
        text = prose.plain(introduced(cell.source))
        return _named(v4.new_markdown_cell(text, metadata=deepcopy(cell.metadata)), name)
    if cell.cell_type == "raw":
        return _named(v4.new_raw_cell(cell.source, metadata=deepcopy(cell.metadata)), name)
    text = _COURSE.sub("from handan.course import check", cell.source)
    if tagged(cell, PARAMETERS):
        text = _PROFILE.sub(r'\1"auto"', text)
    made = v4.new_code_cell(text, metadata=deepcopy(cell.metadata))
    if tagged(cell, *_HIDDEN):
        made.metadata["cellView"] = "form"
        made.metadata["jupyter"] = {"source_hidden": True}
        if tagged(cell, "hide-cell"):
            made.metadata["jupyter"]["outputs_hidden"] = True
    return _named(made, name)


def _student_cell(source: str, exercise: Exercise) -> str:
    return cells.blank(source, exercise.names)


def _instructor_cell(source: str, exercise: Exercise) -> str:
    return source


def _solution(
    cell: NotebookNode, exercise: Exercise, write: Callable[[str, Exercise], str], where: str
) -> NotebookNode:
    from nbformat import v4

    try:
        made = v4.new_code_cell(write(cell.source, exercise))
    except (SyntaxError, ValueError) as error:
        raise ExerciseError(
            f"{where}, exercise {exercise.id}: no copy for students can be made: {error}"
        ) from None
    made.metadata["nbgrader"] = _nbgrader(f"solution-{exercise.dashed}", solution=True)
    return _named(made, f"solution-{exercise.dashed}")


def _check(exercise: Exercise) -> NotebookNode:
    from nbformat import v4

    made = v4.new_code_cell(f'check("{exercise.id}", {exercise.answer})')
    made.metadata["nbgrader"] = {
        **_nbgrader(f"check-{exercise.dashed}", grade=True, locked=True),
        "points": exercise.points,
    }
    return _named(made, f"check-{exercise.dashed}")


def _figure(ran: executed.Executed, cell: NotebookNode, exercise: Exercise) -> list[NotebookNode]:
    from nbformat import v4

    shown = ran.picture(cell.source)
    if shown is None:
        return []
    text = expected.markdown(shown, exercise.id, ran.records.get(exercise.id))
    return [_named(v4.new_markdown_cell(text, metadata={"tags": [EXPECTED]}), f"expected-{exercise.dashed}")]


def _nbgrader(
    name: str, *, solution: bool = False, grade: bool = False, locked: bool = False
) -> dict[str, object]:
    kind = {"solution": solution, "grade": grade, "locked": locked, "task": False}
    return {"grade_id": name, "schema_version": 3, **kind}


def _metadata(source: NotebookNode) -> dict[str, object]:
    colab = {"provenance": [], "toc_visible": True}
    # Colab starts the machine that a notebook asks for: a GPU where the reader chooses the models
    machine = {"accelerator": "GPU"} if {"model", "models"} & set(declared(source) or {}) else {}
    return {"kernelspec": dict(KERNELSPEC), "language_info": {"name": "python"}, "colab": colab, **machine}


def _named(cell: NotebookNode, name: str) -> NotebookNode:
    cell["id"] = name
    return cell
