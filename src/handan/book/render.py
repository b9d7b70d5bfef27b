"""Executed notebooks and prose pages in, HTML out, by jupyter-book with warnings as errors."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path

from handan.book.dress import dress
from handan.book.errors import BookError
from handan.book.extras import copies
from handan.book.project import GENERATED, Project
from handan.book.sphinx_ext import PDF

_CLI = "from jupyter_book.cli.main import main; main()"
_RECORD = "html.sha256"
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")
_TELLING = re.compile(r"WARNING|ERROR|CRITICAL|Error:|Exception")


def render(project: Project, generated: Mapping[str, str], *, pdf: bool = False) -> bool:
    """Render the pages, unless those that are there were made from the same.

    Parameters
    ----------
    project : Project
        Whose chapters have all been executed.
    generated : dict of str to str
        Markdown of pages that have no source, by page name. Where ``book/`` has a file
        of that name, its text comes first.
    pdf : bool
        Whether the pages offer the book as a PDF; the caller makes it.

    Returns
    -------
    bool
        Whether anything was rendered. Call `keep` once the pages have passed their checks.

    Raises
    ------
    BookError
        When jupyter-book fails or warns; the message has its warnings.
    """
    site = _stage(project, generated)
    (site / "pdf").write_text(str(pdf))
    record = project.build / _RECORD
    now = _hash(site, project)
    pages = [project.html / f"{page}.html" for page in project.pages]
    if record.exists() and record.read_text() == now and all(page.exists() for page in pages):
        return False
    record.unlink(missing_ok=True)
    for old in (project.html, project.build / ".doctrees", project.build / ".jupyter_cache"):
        shutil.rmtree(old, ignore_errors=True)
    _jupyter_book(project, site, pdf)
    return True


def keep(project: Project) -> None:
    """Note what the pages were made from; without this note they are rendered anew."""
    (project.build / _RECORD).write_text(_hash(project.build / "site", project))


def _stage(project: Project, generated: Mapping[str, str]) -> Path:
    site = project.build / "site"
    shutil.rmtree(site, ignore_errors=True)
    (site / "notebooks").mkdir(parents=True)
    (site / "book").mkdir()
    if (project.root / "book" / "static").exists():
        shutil.copytree(project.root / "book" / "static", site / "book" / "static")
    for path in project.root.glob("book/*.bib"):
        shutil.copy(path, site / "book" / path.name)
    for chapter in project.chapters:
        _stage_chapter(project, chapter, site / "notebooks" / f"{chapter}.ipynb")
    for page in project.pages:
        if not page.startswith("notebooks/"):
            (site / f"{page}.md").write_text(_prose(project, page, generated), encoding="utf-8")
    return site


def _stage_chapter(project: Project, chapter: str, target: Path) -> None:
    import nbformat

    notebook = nbformat.read(project.executed(chapter), as_version=4)
    nbformat.write(dress(notebook, project, chapter), target)


def _prose(project: Project, page: str, generated: Mapping[str, str]) -> str:
    source = project.root / f"{page}.md"
    if page not in generated:
        return source.read_text(encoding="utf-8")
    head = source.read_text(encoding="utf-8") if source.exists() else f"# {GENERATED[page]}\n"
    return f"{head.rstrip()}\n\n{generated[page]}"


def _hash(site: Path, project: Project) -> str:
    total = hashlib.sha256()
    for name in ("jupyter-book", "sphinx", "myst-nb", "sphinx-book-theme", "nbconvert"):
        total.update(f"{name} {version(name)}\n".encode())
    # what dresses a chapter, and what is written beside the pages
    package = Path(__file__).parents[1]
    code = [*package.glob("book/*.py"), *package.glob("course/*.py"), package / "address.py"]
    for path in [project.config, project.toc, *sorted(code), *copies(project), *sorted(site.rglob("*"))]:
        if path.is_file():
            total.update(f"{path.relative_to(site) if site in path.parents else path.name}\n".encode())
            total.update(hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()


def _jupyter_book(project: Project, site: Path, pdf: bool) -> None:
    command = [sys.executable, "-c", _CLI, "build", str(site)]
    command += ["--config", str(project.config), "--toc", str(project.toc)]
    command += ["--path-output", str(project.root), "-W", "--keep-going", "-q"]
    log = project.build / "logs" / "jupyter-book.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    # without hash randomisation the same input gives the same pages
    environment = {**os.environ, "PYTHONHASHSEED": "0", PDF: "1" if pdf else ""}
    done = subprocess.run(
        command, capture_output=True, text=True, env=environment, cwd=project.root, check=False
    )
    output = _COLOURS.sub("", done.stdout + done.stderr)
    log.write_text(output, encoding="utf-8")
    if done.returncode:
        telling = [line.strip() for line in output.splitlines() if _TELLING.search(line)]
        listed = "\n".join(f"  {line.replace(f'{site}{os.sep}', '')}" for line in dict.fromkeys(telling))
        raise BookError(f"jupyter-book failed or warned; all it said is in {log}\n{listed}")
