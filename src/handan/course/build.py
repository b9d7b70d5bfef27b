"""Write the copies of all chapters, and the recorded answers, from sources and executed chapters."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from handan.book.errors import BookError
from handan.course import copies, executed, expected, files
from handan.course.exercise import digest, tagged
from handan.course.outline import outline

if TYPE_CHECKING:
    from nbformat import NotebookNode

    from handan.book.project import Project


@dataclass(frozen=True)
class Built:
    """What `build` did.

    Attributes
    ----------
    changed : tuple of Path
        Files that were written or removed, relative to the project's folder.
    problems : tuple of str
        What could not be made, and what to do; such files stay as they were.
    """

    changed: tuple[Path, ...]
    problems: tuple[str, ...]


def build(project: Project) -> Built:
    """Write ``notebooks/student``, ``notebooks/instructor`` and ``src/handan/data/answers.json``.

    A file is written only where its content changes. A chapter that has not been executed
    since one of its exercises changed is left as it is, because its answers and figures are not known.

    Raises
    ------
    BookError
        When the file of recorded answers cannot be read.
    """
    from handan.book.chapter import read as read_source

    changed: list[Path] = []
    problems: list[str] = []
    known, kept = files.packaged(project), dict[str, Any]()
    for chapter in project.chapters:
        try:
            source = read_source(project.source(chapter))
            hashes = {one.id: digest(source, one) for one in outline(source, chapter).exercises}
            if stale := files.unfit(project, chapter):
                kept |= {one: known[one] for one in hashes if one in known}
                problems.append(_not_run(chapter, stale))
                continue
            ran = executed.read(project, chapter).records
            kept |= {one: ran[one] | {"source": made} for one, made in hashes.items()}
            changed += _write_copies(project, chapter)
        except BookError as error:
            kept |= {one: told for one, told in known.items() if one.split(".")[0] == _number(chapter)}
            problems += str(error).splitlines()
    changed += _remove(project, files.left_over(project))
    changed += _write(project, files.ANSWERS, json.dumps(kept, indent=1, ensure_ascii=False) + "\n")
    return Built(tuple(changed), tuple(problems))


def _not_run(chapter: str, exercises: list[str]) -> str:
    which = f"exercise{'s' * (len(exercises) > 1)} {', '.join(exercises)}"
    return (
        f"{chapter} has not been executed since {which} changed: "
        f"run `handan book --only {chapter}`, then `handan course build`"
    )


def _write_copies(project: Project, chapter: str) -> list[Path]:
    from nbformat import writes

    changed: list[Path] = []
    for path, notebook in files.wanted(project, chapter):
        _keep_pictures(notebook, project.root / path)
        changed += _write(project, path, writes(notebook, indent=1) + "\n")
    return changed


def _keep_pictures(notebook: NotebookNode, file: Path) -> None:
    import nbformat

    try:
        there = {cell.get("id"): cell.source for cell in nbformat.read(file, as_version=4).cells}
    except (OSError, ValueError):
        return
    for cell in notebook.cells:
        if tagged(cell, copies.EXPECTED) and cell["id"] in there:
            cell.source = expected.steady(cell.source, there[cell["id"]])


def _write(project: Project, path: Path, text: str) -> list[Path]:
    file = project.root / path
    if file.exists() and file.read_text(encoding="utf-8") == text:
        return []
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8", newline="\n")
    return [path]


def _remove(project: Project, paths: list[Path]) -> list[Path]:
    for path in paths:
        (project.root / path).unlink()
    return paths


def _number(chapter: str) -> str:
    part = chapter.split("_")[0]
    return str(int(part)) if part.isdigit() else part
