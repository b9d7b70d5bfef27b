"""Exercises, solutions, recorded answers and copies: do they still go together."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from handan.book.errors import BookError
from handan.course import copies, executed
from handan.course.exercise import Exercise, digest
from handan.course.files import ANSWERS, left_over, packaged, wanted
from handan.course.outline import outline

if TYPE_CHECKING:
    from handan.book.project import Project

_PICTURE = re.compile(r"data:image/png;base64,[A-Za-z0-9+/=]+")
_BUILD = "run `handan course build`"


def records(project: Project) -> dict[str, Any]:
    """Collect the records of all answers from the executed chapters, by exercise, in reading order."""
    out: dict[str, Any] = {}
    for chapter in project.chapters:
        out |= executed.read(project, chapter).records
    return out


def drift(project: Project) -> list[str]:
    """Say what has drifted apart, in a sentence each that also says what to do.

    Compared are the exercises in the sources, the answers that the executed chapters record,
    those that the package ships, and the copies on disk (the bytes of their pictures apart:
    another version of matplotlib draws them a little differently).

    Raises
    ------
    BookError
        When the file of recorded answers cannot be read.
    """
    found: list[str] = []
    known, named = packaged(project), set[str]()
    for chapter in project.chapters:
        try:
            exercises = _exercises(project, chapter)
        except BookError as error:
            found += str(error).splitlines()
            continue
        named |= {one.id for one, _, _ in exercises}
        found += _answers(project, chapter, {one: made for one, _, made in exercises}, known)
        found += _copies(project, chapter, [one for one, solution, _ in exercises if _draws(solution)])
    orphans = [one for one in known if one not in named]
    found += [f"{ANSWERS} answers {one}, but no chapter has such an exercise: {_BUILD}" for one in orphans]
    return found + [f"{path} is left over: no chapter has this name; {_BUILD}" for path in left_over(project)]


def _exercises(project: Project, chapter: str) -> list[tuple[Exercise, str, str]]:
    """Exercises of a chapter, each with the code of its solution and the hash of that and of its key."""
    from handan.book.chapter import read

    source = read(project.source(chapter))
    return [
        (one, source.cells[one.solution].source, digest(source, one))
        for one in outline(source, chapter).exercises
    ]


def _answers(
    project: Project, chapter: str, exercises: dict[Exercise, str], known: dict[str, Any]
) -> Iterator[str]:
    ran = executed.read(project, chapter).records
    for one, made in exercises.items():
        where = f"exercise {one.id} of notebooks/{chapter}.py"
        if one.id not in known:
            yield f"{where} has no answer in {ANSWERS}: {_after_a_run(chapter)}"
        elif known[one.id].get("points") != one.points:
            yield f"{where} is worth {one.points} there, and not so in {ANSWERS}: {_after_a_run(chapter)}"
        elif one.id in ran and ran[one.id] | {"source": made} != known[one.id] | {"source": made}:
            yield f"{where} gave another answer when it was executed than {ANSWERS} has: {_BUILD}"
        elif known[one.id].get("source") != made:
            yield f"{where} has changed since its answer was recorded in {ANSWERS}: {_after_a_run(chapter)}"


def _copies(project: Project, chapter: str, drawing: list[Exercise]) -> Iterator[str]:
    from nbformat import writes

    try:
        made = list(wanted(project, chapter))
    except BookError as error:
        yield from str(error).splitlines()
        return
    for path, notebook in made:
        file = project.root / path
        there = _loaded(file.read_text(encoding="utf-8")) if file.exists() else None
        if there is None:
            yield f"{path} is missing, or no notebook: {_BUILD}"
        elif not _same(there, json.loads(writes(notebook))):
            yield f"{path} differs from what notebooks/{chapter}.py gives: {_BUILD}"
        else:
            ids = {cell.get("id") for cell in there["cells"]}
            lacking = [one.id for one in drawing if f"expected-{one.dashed}" not in ids]
            if lacking:
                yield f"{path} doesn't show the figure of {', '.join(lacking)}: {_after_a_run(chapter)}"


def _loaded(text: str) -> dict[str, Any] | None:
    try:
        found = json.loads(text)
    except ValueError:
        return None
    return found if isinstance(found, dict) and isinstance(found.get("cells"), list) else None


def _same(there: dict[str, Any], made: dict[str, Any]) -> bool:
    """Whether a copy on disk is the one that would be made, whatever the bytes of its pictures.

    Where the chapter has not been executed there is no picture to make; those on disk must
    then look like one.
    """
    pictures = {cell.get("id"): cell for cell in made["cells"] if _is_picture(cell)}
    for cell in filter(_is_picture, there["cells"]):
        text, twin = _text(cell), pictures.get(cell.get("id"))
        if cell.get("cell_type") != "markdown" or len(_PICTURE.findall(text)) != 1:
            return False
        if twin is not None and _PICTURE.sub("", text) != _PICTURE.sub("", _text(twin)):
            return False
    return _bare(there) == _bare(made)


def _bare(notebook: dict[str, Any]) -> dict[str, Any]:
    return {**notebook, "cells": [cell for cell in notebook["cells"] if not _is_picture(cell)]}


def _is_picture(cell: dict[str, Any]) -> bool:
    return copies.EXPECTED in cell.get("metadata", {}).get("tags", [])


def _text(cell: dict[str, Any]) -> str:
    return "".join(cell["source"])


def _draws(source: str) -> bool:
    calls = [node.func for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    return any(ast.unparse(one) == "show.figure" for one in calls)


def _after_a_run(chapter: str) -> str:
    return f"run `handan book --only {chapter}`, then `handan course build`"
