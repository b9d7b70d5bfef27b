"""Where everything of a book lives, and which pages it has."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from handan.book.errors import ProjectError

CARDS = "book/data_cards"
STATUS = "book/status"
TEACH = "book/teach"
GLOSSARY = "book/glossary"
# Where a project has this folder, its chapters become slides as well.
SLIDE_PARTS = "book/static/slides"
GENERATED = {CARDS: "Data cards", STATUS: "Status", TEACH: "Teach with this book"}
_MARKS = ("_config.yml", "book/_toc.yml", "notebooks")


@dataclass(frozen=True)
class Project:
    """A checkout with a book in it.

    Parameters
    ----------
    root : Path
        The folder with ``_config.yml``, ``book/_toc.yml`` and ``notebooks/``.
    """

    root: Path

    @property
    def config(self) -> Path:
        """Settings of jupyter-book."""
        return self.root / "_config.yml"

    @property
    def toc(self) -> Path:
        """Table of contents."""
        return self.root / "book" / "_toc.yml"

    @property
    def pins(self) -> Path:
        """Exact versions of the packages."""
        return self.root / "constraints.txt"

    @property
    def build(self) -> Path:
        """Everything that is made goes here."""
        return self.root / "_build"

    @property
    def html(self) -> Path:
        """The rendered pages."""
        return self.build / "html"

    @cached_property
    def pages(self) -> tuple[str, ...]:
        """Names of the pages in reading order, relative to the root and without suffix.

        Raises
        ------
        ProjectError
            When the table of contents cannot be read or names a page twice.
        """
        pages = tuple(_entries(_read_yaml(self.toc)))
        if twice := sorted({page for page in pages if pages.count(page) > 1}):
            raise ProjectError(f"{self.toc} names a page more than once: {', '.join(twice)}")
        return pages

    @property
    def chapters(self) -> tuple[str, ...]:
        """Names of the chapters, ``04_alignment``, in reading order."""
        return tuple(page.removeprefix("notebooks/") for page in self.pages if page.startswith("notebooks/"))

    @property
    def packages(self) -> dict[str, Path]:
        """Folders of the packages under ``src/``, by import name."""
        folders = sorted((self.root / "src").glob("*/__init__.py"))
        return {path.parent.name: path.parent for path in folders}

    def source(self, chapter: str) -> Path:
        """Return the only source of a chapter, ``notebooks/04_alignment.py``."""
        return self.root / "notebooks" / f"{chapter}.py"

    def executed(self, chapter: str) -> Path:
        """Return the path of the executed notebook of a chapter."""
        return self.build / "executed" / "notebooks" / f"{chapter}.ipynb"

    def run_record(self, chapter: str) -> Path:
        """Return the path of the JSON that says when, how long and on what a chapter ran."""
        return self.executed(chapter).with_suffix(".run.json")

    def check(self) -> None:
        """Compare the table of contents with the files.

        Raises
        ------
        ProjectError
            Naming every entry without a file and every file without an entry.
        """
        problems = []
        for page in self.pages:
            path = self._source_of(page)
            if page not in GENERATED and not path.exists():
                problems.append(f"{page} is listed, but there is no {path.relative_to(self.root)}")
        for page in sorted(self._found() - set(self.pages)):
            name = self._source_of(page).relative_to(self.root)
            problems.append(f"{name} is no page of the book: add {page!r} to the list or remove the file")
        if problems:
            listed = "\n".join(f"  {problem}" for problem in problems)
            raise ProjectError(f"book/_toc.yml and the files disagree:\n{listed}")

    def _source_of(self, page: str) -> Path:
        suffix = ".py" if page.startswith("notebooks/") else ".md"
        return self.root / f"{page}{suffix}"

    def _found(self) -> set[str]:
        files = [*self.root.glob("notebooks/*.py"), *self.root.glob("book/*.md")]
        return {path.relative_to(self.root).with_suffix("").as_posix() for path in files}


def find_project(start: str | Path = ".") -> Project:
    """Find the project that a folder belongs to.

    Parameters
    ----------
    start : path
        A folder of the project, or one below it.

    Raises
    ------
    ProjectError
        When neither it nor any folder above holds a book.
    """
    here = Path(start).resolve()
    for folder in (here, *here.parents):
        if all((folder / mark).exists() for mark in _MARKS):
            return Project(folder)
    raise ProjectError(
        f"no book in {here} or above it: a book has {', '.join(_MARKS)}. "
        "Run this in a checkout of the repository; an installed package has no chapters"
    )


def _read_yaml(path: Path) -> Any:
    import yaml

    try:
        return yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise ProjectError(f"{path} is not valid YAML: {error}") from None


def _entries(node: Any) -> Iterator[str]:
    # jupyter-book nests pages under parts, chapters, sections, entries and subtrees
    if isinstance(node, list):
        for part in node:
            yield from _entries(part)
    elif isinstance(node, dict):
        if name := node.get("root") or node.get("file"):
            yield str(name)
        for value in node.values():
            if isinstance(value, list):
                yield from _entries(value)
