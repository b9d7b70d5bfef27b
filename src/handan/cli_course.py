"""The commands `handan course …`: parse, call, print."""

from __future__ import annotations

from pathlib import Path

import typer

from handan.cli_options import How, Root
from handan.output import Format, emit, harmless

app = typer.Typer(no_args_is_help=True, add_completion=False)


@app.command()
def build(root: Root = Path()) -> None:
    """Make the copies for students and instructors, and the recorded answers, from the chapters."""
    from handan.book.project import find_project
    from handan.course.build import build as build_all

    done = build_all(find_project(root))
    for path in done.changed:
        print(f"changed: {harmless(path)}")
    if not done.changed and not done.problems:
        print("everything is up to date")
    _complain(done.problems)


@app.command()
def check(root: Root = Path()) -> None:
    """Say what has drifted apart of exercises, answers and copies; the exit code is 1 then."""
    from handan.book.project import find_project
    from handan.course.drift import drift

    found = drift(find_project(root))
    if not found:
        print("exercises, solutions, recorded answers and copies go together")
    _complain(found)


@app.command()
def outline(root: Root = Path(), how: How = Format.TABLE) -> None:
    """List what each chapter teaches, how long it takes, and its exercises."""
    import pandas as pd

    from handan.book.project import find_project
    from handan.course.outline import read

    project = find_project(root)
    rows = []
    for chapter in project.chapters:
        one = read(project, chapter)
        rows.append(
            {
                "chapter": chapter,
                "title": one.title,
                "minutes": one.minutes,
                "exercises": len(one.exercises),
                "exercise_minutes": sum(task.minutes for task in one.exercises),
                "points": sum(task.points for task in one.exercises),
                "aims": "; ".join(one.aims),
            }
        )
    table = pd.DataFrame(rows).astype({"minutes": "Int64"})
    emit(table, how, title="What the chapters teach (minutes: to read; exercise_minutes: to solve)")


def _complain(sentences: tuple[str, ...] | list[str]) -> None:
    if sentences:
        typer.echo("\n".join(harmless(one) for one in sentences), err=True)
        raise typer.Exit(1)
