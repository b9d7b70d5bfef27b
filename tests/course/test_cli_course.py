import json

import pytest
from typer.testing import CliRunner

from handan.cli_course import app


@pytest.fixture
def course():
    def run(*arguments):
        return CliRunner().invoke(app, [str(one) for one in arguments])

    return run


def test_build_says_what_changed_and_check_is_content(toys, course):
    done = course("build", "--root", toys.root)
    assert (done.exit_code, done.stdout.splitlines()[-1]) == (0, "changed: src/handan/data/answers.json")
    assert course("build", "--root", toys.root).stdout == "everything is up to date\n"
    checked = course("check", "--root", toys.root)
    assert (checked.exit_code, checked.stderr) == (0, "")
    assert "go together" in checked.stdout


def test_check_prints_drift_and_fails(built, course):
    (built.root / "notebooks/student/04_toys.ipynb").unlink()
    checked = course("check", "--root", built.root)
    assert checked.exit_code == 1
    assert "notebooks/student/04_toys.ipynb is missing" in checked.stderr
    assert checked.stdout == ""


def test_build_fails_where_something_cannot_be_made(built, course, edit):
    edit(built, "notebooks/04_toys.py", "slope = 0.731", "slope = 0.735")
    done = course("build", "--root", built.root)
    assert done.exit_code == 1
    assert "04_toys has not been executed since exercise 4.3 changed" in done.stderr


def test_outline_lists_chapters_for_people_and_programs(toys, course):
    rows = json.loads(course("outline", "--root", toys.root, "--format", "json").stdout)
    assert rows[1] == {
        "chapter": "04_toys", "title": "Toys: what they cost", "aims": "count toys, and weigh them; say *why*",
        "minutes": 20, "exercises": 3, "exercise_minutes": 9, "points": 4,
    }  # fmt: skip
    assert rows[0]["minutes"] is None
    head, first, *_ = course("outline", "--root", toys.root, "--format", "csv").stdout.splitlines()
    assert head == "chapter,title,minutes,exercises,exercise_minutes,points,aims"
    assert first == "01_people,People,,0,0,0,"
    assert "What the chapters teach" in course("outline", "--root", toys.root).stdout
