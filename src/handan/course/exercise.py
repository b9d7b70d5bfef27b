"""One exercise: its task, its solution and its key, which have to go together."""

from __future__ import annotations

import ast
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from handan.book.errors import BookError
from handan.course import cells

if TYPE_CHECKING:
    from nbformat import NotebookNode

# A chapter's source has only this heading above its exercises; its page and its copies say more.
SECTION = "## Exercises"
INTRODUCTION = """\
In the notebook, put your answer in place of the dots and run the cell with `check` below it. It says
whether the answer is right, and after a usual mistake what went wrong; an exercise without an
answer stops nothing, so you can do them in any order."""
HEADING = "### Exercise 4.1: What to do (5 minutes)"
_HEADING = re.compile(r"^### Exercise (\d+)\.(\d+): (.+?) \((\d+) minutes?\)\s*$", re.M)


class ExerciseError(BookError):
    """An exercise and its solution or its key do not go together; the message says where."""


@dataclass(frozen=True)
class Exercise:
    """An exercise of a chapter.

    Attributes
    ----------
    id, title : str
        Its number, ``"4.1"``, and what it is called.
    minutes, points : int
        How long it takes, and what it is worth where it is graded.
    names : tuple of str
        Names of the answer in the student's code.
    answer : str
        What the check gets, as code: a name, or a list of names.
    task, solution, key : int
        Places of its cells in the notebook, from 0.
    """

    id: str
    title: str
    minutes: int
    points: int
    names: tuple[str, ...]
    answer: str
    task: int
    solution: int
    key: int

    @property
    def dashed(self) -> str:
        """Its number as ids of cells can have it, ``4-1``."""
        return self.id.replace(".", "-")


def introduced(source: str) -> str:
    """Put the introduction under the heading of the exercises; any other cell stays as it is."""
    return f"{SECTION}\n\n{INTRODUCTION}" if source.strip() == SECTION else source


def exercise(notebook: NotebookNode, chapter: str, block: Sequence[int]) -> Exercise:
    """Read an exercise off its cells.

    Parameters
    ----------
    notebook : NotebookNode
        The chapter's source.
    chapter : str
        Its name.
    block : sequence of int
        Places of the task, and of every solution and key between it and the next exercise.

    Raises
    ------
    ExerciseError
        Naming chapter, cell and exercise.
    """
    task, *rest = block
    identity, title, minutes = _heading(notebook.cells[task].source, chapter, at(chapter, task))
    where = f"{at(chapter, task)}, exercise {identity}"
    solution, key = (_only(notebook, rest, tag, chapter, where) for tag in ("solution", "key"))
    if key < solution:
        raise ExerciseError(f"{where}: the key must stand below the solution")
    wrote = _solution(notebook.cells[solution].source, f"{at(chapter, solution)}, exercise {identity}")
    answer, names, points = _key(
        notebook.cells[key].source, identity, f"{at(chapter, key)}, exercise {identity}"
    )
    if missing := [name for name in names if name not in wrote]:
        raise ExerciseError(
            f"{at(chapter, key)}, exercise {identity}: the key takes {', '.join(missing)}, "
            "which the solution never assigns"
        )
    return Exercise(identity, title, minutes, points, names, answer, task, solution, key)


def _heading(text: str, chapter: str, where: str) -> tuple[str, str, int]:
    found = _HEADING.search(text)
    if not found:
        raise ExerciseError(f"{where}: the heading must read {HEADING!r}")
    part, number, title, minutes = found.groups()
    own = chapter.split("_")[0]
    if not own.isdigit() or int(part) != int(own):
        raise ExerciseError(f"{where}: exercise {part}.{number} cannot be one of chapter {chapter}")
    return f"{part}.{number}", title, int(minutes)


def _only(notebook: NotebookNode, places: Sequence[int], tag: str, chapter: str, where: str) -> int:
    found = [place for place in places if tagged(notebook.cells[place], tag)]
    if not found:
        raise ExerciseError(f"{where} has no {tag}: add a code cell with the tag {tag!r} below it")
    if len(found) > 1:
        listed = " and ".join(at(chapter, place) for place in found)
        raise ExerciseError(f"{where} has more than one {tag}: {listed}")
    return found[0]


def _solution(source: str, where: str) -> set[str]:
    try:
        cells.regions(source)
        return cells.assigned(source)
    except SyntaxError as error:
        raise ExerciseError(f"{where}: the solution is no valid Python: {error}") from None
    except ValueError as error:
        raise ExerciseError(f"{where}: {error}") from None


def _key(source: str, identity: str, where: str) -> tuple[str, tuple[str, ...], int]:
    try:
        nodes = ast.walk(ast.parse(source))
    except SyntaxError as error:
        raise ExerciseError(f"{where}: the key is no valid Python: {error}") from None
    calls = [node for node in nodes if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "key"]
    if len(calls) != 1 or len(calls[0].args) != 2:
        raise ExerciseError(f"{where}: the cell must call key({identity!r}, ANSWER, hint=...) once")
    given, answer = calls[0].args
    if not isinstance(given, ast.Constant) or given.value != identity:
        raise ExerciseError(f"{where}: the key is that of {ast.unparse(given)}, and not of {identity!r}")
    parts = answer.elts if isinstance(answer, ast.List | ast.Tuple) else [answer]
    names = tuple(part.id for part in parts if isinstance(part, ast.Name))
    if len(names) != len(parts) or not names:
        raise ExerciseError(
            f"{where}: the answer {ast.unparse(answer)} is no name; give it one in the solution, "
            "so that the student's code can be checked with dots in its place"
        )
    points = next((word.value for word in calls[0].keywords if word.arg == "points"), ast.Constant(1))
    if not isinstance(points, ast.Constant) or not isinstance(points.value, int) or points.value < 0:
        raise ExerciseError(f"{where}: points must be a whole number, 0 or more")
    return ast.unparse(answer), names, points.value


def digest(notebook: NotebookNode, one: Exercise) -> str:
    """Hash the code of an exercise's solution and key: another one may have another answer.

    Parameters
    ----------
    notebook : NotebookNode
        The chapter's source.
    one : Exercise
        An exercise of it.
    """
    code = "\n".join(notebook.cells[place].source for place in (one.solution, one.key))
    return hashlib.sha256(code.encode()).hexdigest()[:16]


def tagged(cell: NotebookNode, *tags: str) -> bool:
    """Whether a cell has one of the tags."""
    return bool(set(tags) & set(cell.metadata.get("tags", [])))


def at(chapter: str, place: int) -> str:
    """Say where a cell is, given its place from 0: ``04_alignment, cell 12``."""
    return f"{chapter}, cell {place + 1}"
