"""Which item of which task a problem of another tool is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from handan.costs.importers.reply import Options
from handan.traces.errors import ImportFormatError


def name_items(
    problems: Sequence[tuple[Any, Any]], options: Options, task: str, number: str
) -> tuple[list[str], list[str], list[str]]:
    """Name the items of a log.

    Parameters
    ----------
    problems : sequence of (id, fields)
        The tool's own number or id of each problem, and its fields.
    options : Options
        `item` names the field to use, `task` overrides the log.
    task : str
        Name of the task, where the problems don't say.
    number : str
        What the tool calls its own number or id.

    Returns
    -------
    items, tasks : list of str
        One per problem. A problem's field ``task`` counts where its ``item`` does.
    remarks : list of str
        Which field was used.

    Raises
    ------
    ImportFormatError
        When a problem has no field of the name asked for.
    """
    fields = [content if isinstance(content, dict) else {} for _, content in problems]
    wanted = options.item or "item"
    lacking = [place for place, content in enumerate(fields) if content.get(wanted) is None]
    if lacking and options.item:
        have = ", ".join(map(str, fields[lacking[0]])) or "none"
        raise ImportFormatError(f"problem {problems[lacking[0]][0]} has no field {wanted!r}; it has: {have}")
    if lacking:
        note = f"items are called by their {number}; name a field of the problems with item= to change that"
        return [str(name) for name, _ in problems], [task] * len(problems), [note]
    own = options.task is None and options.item is None
    tasks = [str(content.get("task") or task) if own else task for content in fields]
    return [str(content[wanted]) for content in fields], tasks, []
