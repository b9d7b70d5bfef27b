"""The whole way from sources to checked pages."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from handan.book import chapter, check, extras, pages, parameters
from handan.book.errors import BookError, ChapterError, ProjectError
from handan.book.execute import Job, execute
from handan.book.project import Project, find_project
from handan.book.render import keep, render
from handan.book.stamp import Stamp, stamp, why_stale
from handan.course.drift import drift


@dataclass(frozen=True)
class Plan:
    """What would happen to one chapter.

    Attributes
    ----------
    chapter : str
        Its name.
    reasons : list of str
        Why it has to run: ``never executed``, ``changed: module handan.stats``, ...;
        empty where it is up to date.
    parameters : dict
        Those that will be injected.
    stamp : Stamp
        Of what it depends on now.
    """

    chapter: str
    reasons: list[str]
    parameters: Mapping[str, Any]
    stamp: Stamp


@dataclass(frozen=True)
class Report:
    """What a build did.

    Attributes
    ----------
    executed, fresh : list of str
        Chapters that ran, and those that were up to date.
    rendered : bool
        Whether pages were made anew.
    pages : int
        Number of pages checked; 0 where some chapter has never been executed.
    seconds : float
        Wall time.
    index : Path
        The page to open.
    """

    executed: list[str]
    fresh: list[str]
    rendered: bool
    pages: int
    seconds: float
    index: Path


def plan(
    root: str | Path = ".",
    *,
    only: Sequence[str] = (),
    parameters: Mapping[str, Any] | None = None,
    force: bool = False,
) -> list[Plan]:
    """Say what has to run and why; nothing is changed.

    Parameters
    ----------
    root, only, parameters, force
        As in `build`.

    Raises
    ------
    BookError
        As `build` before it executes anything.
    """
    project = find_project(root)
    project.check()
    return _plan(project, only, parameters or {}, force)


def build(
    root: str | Path = ".",
    *,
    jobs: int | None = None,
    only: Sequence[str] = (),
    parameters: Mapping[str, Any] | None = None,
    force: bool = False,
    cards: pages.Cards = (),
    pdf: bool = False,
    say: Callable[[str], None] = print,
) -> Report:
    """Execute the chapters that are out of date, render the pages and check them.

    Parameters
    ----------
    root : path
        The project's folder or one below it.
    jobs : int, optional
        Chapters to run at a time; two where there are two cores.
    only : list of str
        Chapters to look at (``04_alignment``, or its beginning); all where empty.
    parameters : dict, optional
        Given to each of these chapters that declares them.
    force : bool
        Run chapters that are up to date, too.
    cards : list of (str, str)
        Title and Markdown of every data card.
    pdf : bool
        Print the book to a PDF as well, and offer it on the pages; needs Chromium.
    say : callable
        Receives progress, a line at a time.

    Raises
    ------
    ProjectError
        When table of contents and files disagree, or `only` names no chapter.
    ParameterError
        When a parameter is unknown or of the wrong type.
    ChapterError
        When a chapter fails; chapters that succeeded are kept.
    CheckError
        When a page is not fit to be read.
    """
    began = time.monotonic()
    project = find_project(root)
    project.check()
    with _lock(project):
        planned = _plan(project, only, parameters or {}, force)
        stale = _execute(project, planned, jobs or min(2, os.cpu_count() or 1), say)
        rendered, number = _pages(project, cards, say, pdf)
    return Report(
        executed=stale,
        fresh=[one.chapter for one in planned if one.chapter not in stale],
        rendered=rendered,
        pages=number,
        seconds=time.monotonic() - began,
        index=project.html / "index.html",
    )


def _plan(project: Project, only: Sequence[str], given: Mapping[str, Any], force: bool) -> list[Plan]:
    chosen = _chosen(project, only)
    known = {}
    for name in chosen:
        try:
            known[name] = parameters.declared(chapter.read(project.source(name)))
        except SyntaxError:
            known[name] = {}  # stamp() below says which line
    assigned = parameters.assign(given, known) if given else {name: {} for name in chosen}
    out = []
    for name in chosen:
        now = stamp(project, name, assigned[name])
        reasons = why_stale(project, name, now) or (["asked to"] if force else [])
        out.append(Plan(name, reasons, assigned[name], now))
    return out


def _chosen(project: Project, only: Sequence[str]) -> list[str]:
    chosen = []
    for word in only:
        name = Path(word).stem
        found = [one for one in project.chapters if one == name] or [
            one for one in project.chapters if one.startswith(name)
        ]
        if len(found) != 1:
            raise ProjectError(f"{word!r} is {len(found) or 'no'} chapter of {', '.join(project.chapters)}")
        chosen += found
    return [one for one in project.chapters if one in chosen or not only]


def _execute(project: Project, planned: Sequence[Plan], jobs: int, say: Callable[[str], None]) -> list[str]:
    stale = [one for one in planned if one.reasons]
    if not stale:
        say(f"chapters: all {len(planned)} are up to date")
        return []
    say(f"chapters: {len(stale)} of {len(planned)} to run, {min(jobs, len(stale))} at a time")
    for one in stale:
        say(f"  {one.chapter}: {summary(one.reasons)}")
    execute(project, [Job(one.chapter, one.parameters, one.stamp) for one in stale], jobs, say)
    return [one.chapter for one in stale]


def _pages(project: Project, cards: pages.Cards, say: Callable[[str], None], pdf: bool) -> tuple[bool, int]:
    if missing := [name for name in project.chapters if not project.executed(name).exists()]:
        say(f"pages: not rendered, because these chapters have never run: {', '.join(missing)}")
        return False, 0
    check.check_notebooks(project)
    began = time.monotonic()
    if drifted := drift(project):
        more = f" (and {len(drifted) - 1} more: handan course check)" if len(drifted) > 1 else ""
        say(f"course: {drifted[0]}{more}")
    rendered = render(project, pages.generated(project, cards), pdf=pdf)
    if not rendered:
        say(f"pages: all {len(project.pages)} are up to date")
        return False, len(project.pages)
    extras.write(project, say, pdf=pdf)
    number = check.check_pages(project)
    keep(project)
    say(f"pages: {number} rendered and checked in {time.monotonic() - began:.1f} s")
    return True, number


def summary(reasons: Sequence[str], most: int = 4) -> str:
    """Join reasons to one line that names the first few."""
    rest = len(reasons) - most
    return "; ".join(reasons[:most]) + (f"; and {rest} more" if rest > 0 else "")


@contextmanager
def _lock(project: Project) -> Iterator[None]:
    try:
        import fcntl
    except ImportError:  # Windows has no such lock; two builds at a time are then the user's affair
        yield
        return
    project.build.mkdir(exist_ok=True)
    with (project.build / ".lock").open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BookError(f"another build is at work in {project.build}; wait for it to end") from None
        yield


__all__ = ["BookError", "ChapterError", "Plan", "Report", "build", "plan", "summary"]
