"""The book's copy of a chapter: solutions are folded, and keys are gone."""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING

from handan.course.cells import unmarked
from handan.course.exercise import introduced, tagged

if TYPE_CHECKING:
    from nbformat import NotebookNode

_FOLD = {"code_prompt_show": "Show the solution", "code_prompt_hide": "Hide the solution"}


def for_book(notebook: NotebookNode) -> NotebookNode:
    """Prepare an executed chapter for its page.

    Solution cells lose their markers and are folded, with their output, under *Show the
    solution*; key cells go; the exercises are introduced. Nothing else changes, and the notebook
    that is given stays as it is.
    """
    copy = deepcopy(notebook)
    copy.cells = [cell for cell in copy.cells if not tagged(cell, "key")]
    for cell in copy.cells:
        if cell.cell_type == "markdown":
            cell.source = introduced(cell.source)
        if tagged(cell, "solution"):
            cell.source = unmarked(cell.source)
            tags = cell.metadata["tags"]
            cell.metadata["tags"] = [*tags, *({"hide-cell"} - set(tags))]
            cell.metadata["mystnb"] = {**cell.metadata.get("mystnb", {}), **_FOLD}
    return copy
