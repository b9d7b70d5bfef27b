"""Pages that the builder writes: when and on what each chapter ran, the data cards, the course."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from handan.book.errors import ProjectError
from handan.book.project import CARDS, STATUS, TEACH, Project
from handan.book.stamp import KEY
from handan.formats import plain

Cards = Sequence[tuple[str, str]]


def generated(project: Project, cards: Cards) -> dict[str, str]:
    """Write those generated pages that the table of contents lists.

    Parameters
    ----------
    project : Project
        Whose chapters have all been executed.
    cards : list of (str, str)
        Title and Markdown of every data card.

    Returns
    -------
    dict of str to str
        Markdown without a title, by page name.

    Raises
    ------
    ProjectError
        When the table of contents has a page of data cards and there are none.
    """
    pages = {}
    if STATUS in project.pages:
        pages[STATUS] = status(project)
    if CARDS in project.pages:
        if not cards:
            raise ProjectError(f"book/_toc.yml lists {CARDS}, but no data cards were given to the builder")
        pages[CARDS] = "\n\n".join(f"## {plain(title)}\n\n{body.strip()}" for title, body in cards) + "\n"
    if TEACH in project.pages:
        pages[TEACH] = teach(project)
    return pages


def teach(project: Project) -> str:
    """Write what a teacher plans with: aims, minutes and exercises, chapter by chapter.

    Chapters that state no aims (pages to look things up) are left out.

    Raises
    ------
    BookError
        When a chapter's exercise and its solution do not go together.
    """
    from handan.course.outline import read

    outlines = [one for one in (read(project, chapter) for chapter in project.chapters) if one.aims]
    rows, parts = [], []
    for one in outlines:
        tasks, link = one.exercises, f"{{doc}}`/notebooks/{one.chapter}`"
        minutes, points = sum(task.minutes for task in tasks), sum(task.points for task in tasks)
        rows.append((link, str(one.minutes or "–"), str(len(tasks)), str(minutes), str(points)))
        aims = [f"- {aim}" for aim in one.aims]  # the chapter's own Markdown
        listed = [f"{task.id} {plain(task.title)} ({task.minutes} min)" for task in tasks]
        exercises = [f"Exercises: {'; '.join(listed)}.", ""] if listed else []
        parts += [f"### {plain(one.title)}", "", "After it students can", "", *aims, "", *exercises]
    head = ("Chapter", "Minutes to read", "Exercises", "Their minutes", "Points")
    return "\n".join([*_table(head, rows, right={1, 2, 3, 4}), "", *parts])


def status(project: Project) -> str:
    """Write the tables of the status page; nothing in them names the machine or its user."""
    records = {chapter: _record(project, chapter) for chapter in project.chapters}
    rows = [
        (
            f"{{doc}}`/notebooks/{chapter}`",
            run["started"].replace("T", " ").replace("+00:00", ""),
            f"{run['seconds']:.1f}",
            run["python"],
            f"`{run['stamp'][:12]}`",
        )
        for chapter, run in records.items()
    ]
    return "\n".join(
        [
            "Every chapter was executed from its source before these pages were made. The stamp is a hash",
            "over the source, the modules that it imports, the packaged data, the parameters and the pinned",
            "versions: as long as none of them changes, neither does the stamp.",
            "",
            *_table(("Chapter", "Executed (UTC)", "Seconds", "Python", "Stamp"), rows, right={2}),
            "",
            "## Packages and platform",
            "",
            *_table(("Package", "Version"), _versions(records.values())),
            "",
            f"Platform: {plain('; '.join(sorted({run['platform'] for run in records.values()})))}.",
            "",
        ]
    )


def _record(project: Project, chapter: str) -> dict[str, Any]:
    record = json.loads(project.run_record(chapter).read_text(encoding="utf-8"))
    notebook = json.loads(project.executed(chapter).read_text(encoding="utf-8"))
    return {**record, "stamp": notebook["metadata"][KEY]["digest"]}


def _versions(runs: Iterable[Mapping[str, Any]]) -> list[tuple[str, str]]:
    found: dict[str, set[str]] = {}
    for run in runs:
        for name, version in run["packages"].items():
            found.setdefault(name, set()).add(version)
    return [(name, ", ".join(sorted(versions))) for name, versions in found.items()]


def _table(head: Sequence[str], rows: Iterable[Sequence[str]], right: set[int] | None = None) -> list[str]:
    rule = ["--:" if i in (right or ()) else ":--" for i in range(len(head))]
    return [f"| {' | '.join(cells)} |" for cells in [head, rule, *rows]]
