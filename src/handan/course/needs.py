"""Which packages beyond handan's own a chapter needs, found by reading the code."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from handan.book.imports import imported_files

if TYPE_CHECKING:
    from handan.book.project import Project

# What the extra `traces` brings; its other packages come with these. Engines that are chosen
# by name (vLLM, Ray, endpoints) are not needed.
_FOR_MODELS = ("pyarrow", "torch", "transformers")
_RUNS_MODELS = "handan.traces.jobs"


def modules(project: Project, chapter: str) -> tuple[str, ...]:
    """Find the top-level modules, such as ``torch``, without which a chapter doesn't run.

    Parameters
    ----------
    project : Project
        The book.
    chapter : str
        Its name, ``09_organism``.

    Returns
    -------
    tuple of str
        Sorted; empty for a chapter that runs no model.

    Notes
    -----
    Only a chapter that imports from a part of the package that runs models can need them. Others
    reach those modules through functions that they never call.
    """
    source = project.source(chapter).read_text(encoding="utf-8")
    own = _imported(source)
    parts = {tuple(name.split(".")[:2]) for name in own}
    if any(_runs_models(project, *part) for part in parts if len(part) == 2):
        for path in imported_files(source, project.packages).values():
            own |= _imported(path.read_text(encoding="utf-8"))
    return _FOR_MODELS if any(name.split(".")[0] == "torch" for name in own) else ()


def _runs_models(project: Project, package: str, part: str) -> bool:
    """Whether any module of a part of a package, such as ``handan.explorer``, runs models."""
    if package not in project.packages:
        return False
    if _RUNS_MODELS.startswith(f"{package}.{part}."):
        return True
    folder = project.packages[package]
    files = [folder / f"{part}.py", *(folder / part).rglob("*.py")]
    return any(_RUNS_MODELS in _imported(path.read_text(encoding="utf-8")) for path in files if path.exists())


def _imported(source: str) -> set[str]:
    """Absolute names of modules that the code imports anywhere, unless for a constant alone."""
    out: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            out |= {part.name for part in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names = [part.name for part in node.names if not part.name.isupper()]
            out |= {f"{node.module}.{name}" for name in names}
    return out
