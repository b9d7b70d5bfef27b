"""What an executed chapter was made from, so that only what is out of date runs again."""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from handan.book.errors import ChapterError
from handan.book.imports import CHAPTER, imported_files
from handan.book.project import Project

KEY = "handan"
# Hashes of the answers to exercises are made from the chapters; no chapter's result depends on them.
_MADE_FROM_CHAPTERS = {"answers.json"}
# raise this when the way notebooks are executed changes, so that all are executed anew
_METHOD = "1"


@dataclass(frozen=True)
class Stamp:
    """Short hashes of everything that a chapter's results can depend on.

    Parameters
    ----------
    parts : dict of str to str
        Hash by what was hashed: ``source``, ``module handan.stats``, ``data norms/bank.csv``,
        ``parameter study``, ``pins``, ``python``, ``builder``.
    """

    parts: Mapping[str, str]

    @property
    def digest(self) -> str:
        """One sha256 over all parts."""
        return hashlib.sha256(json.dumps(dict(self.parts), sort_keys=True).encode()).hexdigest()

    def differs(self, old: Mapping[str, str]) -> list[str]:
        """Name the parts that are new, gone or not what they were, in alphabetical order."""
        names = sorted({*self.parts, *old})
        return [name for name in names if self.parts.get(name) != old.get(name)]


def stamp(project: Project, chapter: str, parameters: Mapping[str, Any]) -> Stamp:
    """Hash what a chapter depends on as it is now.

    Parameters
    ----------
    project : Project
        Where to look.
    chapter : str
        Name of the chapter.
    parameters : dict
        Those that will be injected; values that JSON can hold.

    Raises
    ------
    ChapterError
        When the chapter, or a module it imports, is not valid Python.
    """
    source = project.source(chapter)
    packages = project.packages
    try:
        modules = imported_files(source.read_text(encoding="utf-8"), packages)
    except SyntaxError as error:
        where = source if error.filename == CHAPTER else error.filename
        raise ChapterError(
            f"{chapter}: {where} line {error.lineno}: {error.msg} (found before anything ran)",
            chapter,
            line=error.lineno,
        ) from None
    parts = {
        "source": _hash_file(source),
        "builder": _METHOD,
        "python": f"{sys.version_info.major}.{sys.version_info.minor}",
    }
    parts |= {f"module {name}": _hash_file(path) for name, path in modules.items()}
    parts |= {f"data {name}": _hash_file(path) for name, path in _data(packages, modules)}
    parts |= {f"parameter {name}": _hash(json.dumps(value)) for name, value in parameters.items()}
    parts["pins"] = _hash_file(project.pins) if project.pins.exists() else "none"
    return Stamp(dict(sorted(parts.items())))


def why_stale(project: Project, chapter: str, now: Stamp) -> list[str]:
    """Say why a chapter has to run; an empty list means that it is up to date.

    An executed notebook that cannot be read is a reason, not an error.
    """
    path = project.executed(chapter)
    if not path.exists() or not project.run_record(chapter).exists():
        return ["never executed"]
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))["metadata"][KEY]
        changed = now.differs(kept["parts"])
    except (ValueError, KeyError, TypeError):
        return ["the executed notebook cannot be read"]
    return [f"changed: {name}" for name in changed]


def _data(packages: Mapping[str, Path], modules: Mapping[str, Path]) -> list[tuple[str, Path]]:
    used = {name.split(".")[0] for name in modules}
    folders = [packages[name] / "data" for name in sorted(used)]
    files = [(folder, path) for folder in folders for path in sorted(folder.rglob("*")) if path.is_file()]
    return [
        (path.relative_to(folder).as_posix(), path)
        for folder, path in files
        if path.suffix != ".pyc" and path.name not in _MADE_FROM_CHAPTERS
    ]


def _hash(text: str | bytes) -> str:
    return hashlib.sha256(text.encode() if isinstance(text, str) else text).hexdigest()[:16]


def _hash_file(path: Path) -> str:
    return _hash(path.read_bytes())
