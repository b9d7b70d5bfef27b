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
_RUN_MODELS = "handan.traces"


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
    Only a chapter that itself imports from `handan.traces` can need them: others reach those
    modules through functions that they never call.
    """
    source = project.source(chapter).read_text(encoding="utf-8")
    if not any(name.startswith(_RUN_MODELS) for name in _imported(source)):
        return ()
    files = imported_files(source, project.packages).values()
    found = {name.split(".")[0] for path in files for name in _imported(path.read_text(encoding="utf-8"))}
    return _FOR_MODELS if "torch" in found else ()


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
