"""The grading path, with nbgrader itself where it is installed: what is handed out, and what is graded."""

import json
import os
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from handan.course import cells, copies
from handan.course.drift import records

nbgrader = pytest.importorskip("nbgrader", reason="nbgrader is not installed")

RIGHT = {
    "solution-4-1": "mean = 8.5 / 3",
    "solution-4-2": 'odd = ["1", "3"]',
    "solution-4-3": "slope = 0.731",
}


@pytest.fixture
def desk(toys, tmp_path, monkeypatch):
    """A course whose assignment is the small book's chapter; its checks know the answers of that book."""
    # nbgrader calls alembic by its name, as in an activated environment
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    source = tmp_path / "source" / "ps1"
    source.mkdir(parents=True)
    notebook = copies.instructor(toys, "04_toys")
    known = json.dumps(records(toys))
    patch = (
        f"import json\nfrom handan.course import answers\nanswers._packaged = lambda: json.loads({known!r})"
    )
    notebook.cells.insert(2, nbformat.v4.new_code_cell(patch, id="answers"))
    nbformat.write(notebook, source / "04_toys.ipynb")
    (tmp_path / "nbgrader_config.py").write_text('c = get_config()\nc.CourseDirectory.course_id = "toys"\n')

    def run(*arguments):
        done = subprocess.run(
            [sys.executable, "-m", "nbgrader", *arguments],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done

    run("generate_assignment", "ps1")
    return tmp_path, run


def hand_in(desk, student, answers):
    released = nbformat.read(desk / "release" / "ps1" / "04_toys.ipynb", as_version=4)
    for cell in released.cells:
        if cell.metadata.get("nbgrader", {}).get("grade_id") in answers:
            cell.source = answers[cell.metadata["nbgrader"]["grade_id"]]
    folder = desk / "submitted" / student / "ps1"
    folder.mkdir(parents=True)
    nbformat.write(released, folder / "04_toys.ipynb")


def test_what_is_handed_out_holds_no_solution(desk):
    text = (desk[0] / "release" / "ps1" / "04_toys.ipynb").read_text()
    assert "# YOUR CODE HERE" in text
    assert "secret thought" not in text
    assert cells.BEGIN not in text
    assert "weights = [1.25, 2.5, 4.75]" in text


def test_right_and_wrong_answers_get_their_points(desk):
    from nbgrader.api import Gradebook

    folder, run = desk
    hand_in(folder, "right", RIGHT)
    hand_in(folder, "half", {**RIGHT, "solution-4-1": "mean = 8.5", "solution-4-3": "slope = ..."})
    run("autograde", "ps1")
    with Gradebook(f"sqlite:///{folder / 'gradebook.db'}") as book:
        assert book.find_assignment("ps1").max_score == 4
        scores = {name: book.find_submission("ps1", name).score for name in ("right", "half")}
    assert scores == {"right": 4, "half": 1}
