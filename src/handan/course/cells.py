"""The text of a solution cell: what is given, what is to be found, and what the student starts from.

A solution stands between ``### BEGIN SOLUTION`` and ``### END SOLUTION``, the markers of
nbgrader. What lies outside of them is given to the student.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator

BEGIN = "### BEGIN SOLUTION"
END = "### END SOLUTION"
HERE = "# your code here"


def regions(source: str) -> list[tuple[int, int]]:
    """Find the solutions in a cell.

    Returns
    -------
    list of (int, int)
        Line numbers, from 1, of each pair of markers.

    Raises
    ------
    ValueError
        When there is none, when markers don't come in pairs, or nothing stands between them.
    """
    found: list[tuple[int, int]] = []
    begun: int | None = None
    for number, line in enumerate(source.splitlines(), 1):
        if line.strip() == BEGIN:
            if begun is not None:
                raise ValueError(f"line {number} has {BEGIN!r} before the solution of line {begun} has ended")
            begun = number
        elif line.strip() == END:
            if begun is None:
                raise ValueError(f"line {number} has {END!r} without {BEGIN!r} above it")
            found.append((begun, number))
            begun = None
    if begun is not None:
        raise ValueError(f"line {begun} has {BEGIN!r}, but there is no {END!r} below it")
    if not found:
        raise ValueError(f"the solution stands between no markers: write {BEGIN!r} and {END!r}")
    return found


def unmarked(source: str) -> str:
    """Take the markers out of a solution, and nothing else."""
    return "\n".join(line for line in source.split("\n") if line.strip() not in (BEGIN, END))


def assigned(source: str) -> set[str]:
    """Names that a piece of code gives a value to, anywhere in it.

    Raises
    ------
    SyntaxError
        When it is no valid Python.
    """
    return {name for name, _ in _stores(ast.parse(source))}


def blank(source: str, wanted: Collection[str]) -> str:
    """Write what a student starts from: each solution becomes its names, with dots for their values.

    Parameters
    ----------
    source : str
        A solution cell.
    wanted : collection of str
        Names that are needed after the cell, by the check of the answer.

    Returns
    -------
    str
        Valid Python, without the markers. A solution that returns from a function becomes
        ``return ...``.

    Raises
    ------
    ValueError
        When the markers are not as `regions` wants them.
    SyntaxError
        When the cell is no valid Python.
    """
    tree, lines, spans = ast.parse(source), source.split("\n"), regions(source)
    out: list[str] = []
    at = 0
    for begin, end in spans:
        out += lines[at : begin - 1]
        out += _placeholder(tree, lines[begin - 1], (begin, end), {*wanted, *_used_after(tree, end, spans)})
        at = end
    text = "\n".join([*out, *lines[at:]])
    ast.parse(text)
    return text


def _placeholder(tree: ast.Module, marker: str, span: tuple[int, int], wanted: set[str]) -> list[str]:
    indent = marker[: len(marker) - len(marker.lstrip())]
    inside = [(name, line) for name, line in _stores(tree) if span[0] < line < span[1]]
    names = dict.fromkeys(name for name, _ in sorted(inside, key=lambda one: one[1]) if name in wanted)
    code = [f"{name} = ..." for name in names]
    if any(span[0] < line < span[1] for line in _returns(tree)):
        code.append("return ...")
    if indent and not code:
        code.append("...")
    return [f"{indent}{line}" for line in (HERE, *code)]


def _stores(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """Yield names that get a value, with their lines; those inside a comprehension are its own."""
    own = {
        id(node)
        for part in ast.walk(tree)
        if isinstance(part, ast.comprehension)
        for node in ast.walk(part.target)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) and id(node) not in own:
            yield node.id, node.lineno
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield node.name, node.lineno
        elif isinstance(node, ast.Import | ast.ImportFrom):
            yield from ((part.asname or part.name.split(".")[0], node.lineno) for part in node.names)


def _used_after(tree: ast.Module, end: int, spans: list[tuple[int, int]]) -> set[str]:
    return {
        node.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Name)
        and isinstance(node.ctx, ast.Load)
        and node.lineno > end
        and not any(first < node.lineno < last for first, last in spans)
    }


def _returns(tree: ast.Module) -> Iterator[int]:
    yield from (node.lineno for node in ast.walk(tree) if isinstance(node, ast.Return))
