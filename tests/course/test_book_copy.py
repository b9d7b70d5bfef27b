import subprocess
import sys
from copy import deepcopy

import nbformat
import pytest

from handan.course import cells
from handan.course.book_copy import for_book
from handan.course.exercise import INTRODUCTION, SECTION, tagged


@pytest.fixture(scope="module")
def chapter(ran):
    return nbformat.read(ran.executed("04_toys"), as_version=4)


def test_solutions_are_folded_and_keys_are_gone(chapter):
    before = deepcopy(chapter)
    page = for_book(chapter)
    assert chapter == before
    solutions = [cell for cell in page.cells if tagged(cell, "solution")]
    assert len(solutions) == 3
    for cell in solutions:
        assert "SOLUTION" not in cell.source
        assert cell.metadata["tags"] == ["solution", "hide-cell"]
        assert cell.metadata["mystnb"]["code_prompt_show"] == "Show the solution"
    assert not any(tagged(cell, "key") for cell in page.cells)
    assert solutions[0].outputs == next(cell for cell in before.cells if tagged(cell, "solution")).outputs


def test_exercises_are_introduced_under_their_heading(chapter):
    (place,) = (k for k, cell in enumerate(chapter.cells) if cell.source == SECTION)
    page = for_book(chapter)
    assert page.cells[place].source == f"{SECTION}\n\n{INTRODUCTION}"


def test_nothing_else_changes(chapter, ran):
    others = [
        cell for cell in chapter.cells if cell.source != SECTION and not tagged(cell, "solution", "key")
    ]
    kept = [cell for cell in for_book(chapter).cells if not tagged(cell, "solution")]
    assert [cell for cell in kept if INTRODUCTION not in cell.source] == others
    assert for_book(chapter).metadata == chapter.metadata
    plain = nbformat.read(ran.executed("01_people"), as_version=4)
    assert for_book(plain) == plain
    assert for_book(for_book(chapter)) == for_book(chapter)


def test_the_page_offers_to_show_the_solution(chapter, tmp_path):
    """Really rendered: the toggle has our words, and the solution stands under it with its figure."""
    (tmp_path / "conf.py").write_text(
        "extensions = ['myst_nb']\nnb_execution_mode = 'off'\nsuppress_warnings = ['myst', 'toc']\n"
    )
    nbformat.write(for_book(chapter), tmp_path / "index.ipynb")
    # the links of this chapter lead to pages that are not rendered here
    text = (
        (tmp_path / "index.ipynb")
        .read_text()
        .replace("{cite}`someone`", "")
        .replace("{doc}`/book/story`", "")
    )
    (tmp_path / "index.ipynb").write_text(text)
    done = subprocess.run(
        [sys.executable, "-m", "sphinx", "-q", "-b", "html", str(tmp_path), str(tmp_path / "html")],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    html = (tmp_path / "html" / "index.html").read_text()
    assert html.count("Show the solution") == 3
    folded = html[html.index("Show the solution") :]
    assert "a secret thought" in folded.split("</details>")[0]
    assert "handan-figure" in folded.split("</details>")[0]
    assert cells.BEGIN not in html
    assert "recorded" not in html
