"""Where the project lives on the web; the address itself stands in ``pyproject.toml`` alone.

An installed package reads it from its metadata. Every other address (the published book,
a file's source, Colab, Binder) is derived from it.
"""

from __future__ import annotations

from functools import cache
from importlib.metadata import metadata
from pathlib import PurePosixPath
from urllib.parse import quote, urlsplit

BRANCH = "main"
STUDENT = PurePosixPath("notebooks/student")
INSTRUCTOR = PurePosixPath("notebooks/instructor")


@cache
def repository() -> str:
    """Address of the repository, ``https://github.com/OWNER/NAME``.

    Raises
    ------
    LookupError
        When the package's metadata has no such address.
    """
    for line in metadata("handan").get_all("Project-URL") or []:
        label, _, address = line.partition(",")
        if label.strip().lower() == "repository":
            return address.strip().rstrip("/")
    raise LookupError("pyproject.toml names no Repository under [project.urls]; install the package again")


def slug() -> str:
    """``OWNER/NAME``."""
    return urlsplit(repository()).path.strip("/")


def book(page: str = "") -> str:
    """Address of the published book, or of one of its pages such as ``notebooks/04_alignment``."""
    owner, name = slug().split("/")
    return f"https://{owner.lower()}.github.io/{name}/" + (f"{quote(page)}.html" if page else "")


def source(path: str | PurePosixPath, line: int | None = None) -> str:
    """Address at which a file of the repository can be read, at a line (from 1) if one is given."""
    anchor = f"#L{line}" if line else ""
    return f"{repository()}/blob/{BRANCH}/{quote(str(path))}{anchor}"


def student(chapter: str) -> PurePosixPath:
    """Path in the repository of a chapter's notebook for students, which Colab opens."""
    return STUDENT / f"{chapter}.ipynb"


def instructor(chapter: str) -> PurePosixPath:
    """Path in the repository of a chapter's notebook with solutions."""
    return INSTRUCTOR / f"{chapter}.ipynb"


def colab(path: str | PurePosixPath) -> str:
    """Address that opens a notebook of the repository in Google Colab."""
    return f"https://colab.research.google.com/github/{slug()}/blob/{BRANCH}/{quote(str(path))}"


def kaggle(path: str | PurePosixPath) -> str:
    """Address that opens a notebook of the repository on Kaggle."""
    return f"https://kaggle.com/kernels/welcome?src={source(path)}"


def binder(path: str | PurePosixPath) -> str:
    """Address that opens a notebook of the repository in JupyterLab on Binder."""
    return f"https://mybinder.org/v2/gh/{slug()}/{BRANCH}?urlpath={quote(f'lab/tree/{path}', safe='')}"


def install(extra: str = "") -> str:
    """Return what pip installs from the repository, with an extra if one is given."""
    wanted = f"handan[{extra}]" if extra else "handan"
    return f"{wanted} @ git+{repository()}@{BRANCH}"
