"""A small book with exercises; its chapter is really executed."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from handan.book.project import Project

HEADER = """# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     name: python3
# ---

"""

CHAPTER = (
    HEADER
    + r"""# %% [markdown]
# # Toys: what they cost
#
# **After this chapter you can**
#
# - count toys, and
#   weigh them;
# - say *why*.
#
# **Time:** twenty minutes to read,
# a second to run.
#
# See [people](01_people), [a card](../book/story.md#top), [here](#below), [out](https://example.org/a_(b)),
# {doc}`/book/story`, {term}`Noise Ceiling`, {cite}`someone`, and `[no link](05_none)`.

# %% tags=["parameters"]
profile = "default"  # how much

# %% tags=["hide-input"]
import matplotlib.pyplot as plt

from handan.book import show

# %% [markdown]
# ## Exercises

# %% tags=["hide-input"]
from handan.course import check, key  # noqa: F401

# %% [markdown] tags=["exercise"]
# ### Exercise 4.1: Weigh them (5 minutes)
#
# Put the mean weight into `mean`.

# %% tags=["solution"]
weights = [1.25, 2.5, 4.75]
### BEGIN SOLUTION
total_of_all = sum(weights)  # a secret thought
mean = total_of_all / len(weights)
fig, axes = plt.subplots(figsize=(9, 4))
axes.plot(weights)
show.figure(fig, "Weights rise [with] age.", 'A line that "rises".')
### END SOLUTION

# %% tags=["key"]
key("4.1", mean, hint="Divide.", wrong={"That is the sum.": sum(weights)}, digits=2, points=2)

# %% [markdown] tags=["exercise"]
# ### Exercise 4.2: Find the odd ones (1 minute)

# %% tags=["solution"]
def is_odd(number):
    ### BEGIN SOLUTION
    remainder = number % 2
    return remainder == 1
    ### END SOLUTION


odd = [str(n) for n in range(5) if is_odd(n) is True] or ...

# %% tags=["key"]
key("4.2", odd, hint="Two numbers.", wrong={"Those are even.": ["0", "2", "4"]})

# %% [markdown] tags=["exercise"]
# ### Exercise 4.3: Draw it (3 minutes)

# %% tags=["solution"]
### BEGIN SOLUTION
slope = 0.731
fig, axes = plt.subplots(figsize=(3, 2))
axes.plot([0, 1], [0, slope])
show.figure(fig, f"The slope is {slope:.2f}.", "A line.")
### END SOLUTION

# %% tags=["key"]
key("4.3", slope, hint="Rise over run.")
"""
)

FILES = {
    "_config.yml": "title: Toys\n",
    "book/_toc.yml": (
        "format: jb-book\nroot: book/story\nparts:\n  - caption: All\n    chapters:\n"
        "      - file: notebooks/01_people\n      - file: notebooks/04_toys\n      - file: book/glossary\n"
    ),
    "book/story.md": "# The story\n\nOnce.\n",
    "book/glossary.md": "# Glossary\n\n```{glossary}\nnoise ceiling\n  The highest.\n```\n",
    "book/references.bib": "@article{someone, author={van One, Some and Two, A and Three, B}, title={T}, journal={J}, year={2020}}\n",
    "notebooks/01_people.py": HEADER + '# %% [markdown]\n# # People\n\n# %%\nprint("no exercise")\n',
    "notebooks/04_toys.py": CHAPTER,
}


def execute(project: Project, chapter: str) -> None:
    """Run a chapter as the book does, into the place where the course looks for it."""
    import nbformat
    from nbclient import NotebookClient

    from handan.book.chapter import read

    notebook = read(project.source(chapter))
    NotebookClient(notebook, timeout=120, kernel_name="python3").execute()
    project.executed(chapter).parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, project.executed(chapter))


@pytest.fixture(scope="session")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The small book, executed once; copy it to change it."""
    root = tmp_path_factory.mktemp("toys") / "book"
    for name, text in FILES.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    project = Project(root)
    for chapter in project.chapters:
        execute(project, chapter)
    return project


@pytest.fixture
def toys(ran: Project, tmp_path: Path) -> Project:
    """A small book with executed chapters, to be changed."""
    return Project(shutil.copytree(ran.root, tmp_path / "toys"))


@pytest.fixture
def built(toys: Project) -> Project:
    """The small book with its copies and answers."""
    from handan.course.build import build

    assert build(toys).problems == ()
    return toys


@pytest.fixture
def edit():
    """Change a text of a project's file, which must be there."""

    def change(project: Project, name: str, old: str, new: str) -> None:
        path = project.root / name
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new, 1), encoding="utf-8")

    return change


@pytest.fixture
def loaded():
    """Read a JSON file of a project."""
    return lambda project, name: json.loads((project.root / name).read_text(encoding="utf-8"))
