"""What an executed chapter says about its exercises: the records of their answers, and their figures."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from handan.course import expected
from handan.course.answers import MIME
from handan.course.exercise import tagged

if TYPE_CHECKING:
    from nbformat import NotebookNode

    from handan.book.project import Project
    from handan.course.expected import Picture


@dataclass(frozen=True)
class Executed:
    """Solutions and keys of an executed chapter; empty where it has never run.

    Attributes
    ----------
    cells : dict of str to NotebookNode
        Executed solution and key cells by their code.
    records : dict of str to dict
        Record of the answer by exercise.
    """

    cells: Mapping[str, NotebookNode]
    records: Mapping[str, Any]

    def picture(self, solution: str) -> Picture | None:
        """Return the figure that a solution drew; None where it drew none, or ran in another version only."""
        return expected.picture(self.cells[solution]) if solution in self.cells else None


def read(project: Project, chapter: str) -> Executed:
    """Read an executed chapter; one that was never executed, or can't be read, has nothing to say."""
    import nbformat

    try:
        notebook = nbformat.read(project.executed(chapter), as_version=4)
    except (OSError, ValueError):
        return Executed({}, {})
    cells = [cell for cell in notebook.cells if tagged(cell, "solution", "key")]
    records: dict[str, Any] = {}
    for cell in cells:
        for output in cell.get("outputs", []):
            told = output.get("data", {}).get(MIME)
            records |= json.loads(told) if isinstance(told, str) else told or {}
    return Executed({cell.source: cell for cell in cells}, records)
