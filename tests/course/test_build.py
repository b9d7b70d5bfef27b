import json
import re

import pytest

from handan.book.errors import BookError
from handan.course.build import build
from handan.course.drift import drift, records

STUDENT, INSTRUCTOR = "notebooks/student/04_toys.ipynb", "notebooks/instructor/04_toys.ipynb"
ANSWERS = "src/handan/data/answers.json"
SOURCE = "notebooks/04_toys.py"


def test_a_build_writes_copies_and_answers_once(toys, loaded):
    first = build(toys)
    assert [str(path) for path in first.changed] == [
        "notebooks/student/01_people.ipynb", "notebooks/instructor/01_people.ipynb", STUDENT, INSTRUCTOR, ANSWERS,
    ]  # fmt: skip
    assert first.problems == ()
    answers = loaded(toys, ANSWERS)
    sources = {one: record.pop("source") for one, record in answers.items()}
    assert answers == records(toys)
    assert len(set(sources.values())) == 3
    assert list(records(toys)) == ["4.1", "4.2", "4.3"]
    assert build(toys).changed == ()
    assert drift(toys) == []


def test_recorded_answers_are_not_readable(built):
    text = (built.root / ANSWERS).read_text()
    assert "2.83" not in text
    assert "0.73" not in text
    assert re.findall(r'"right": "(\w+)"', text)


def test_a_chapter_that_did_not_run_with_its_exercises_is_left_as_it_is(built, edit, loaded):
    before = loaded(built, STUDENT), loaded(built, ANSWERS)
    edit(built, SOURCE, "slope = 0.731", "slope = 0.735")
    done = build(built)
    assert done.changed == ()
    assert done.problems == (
        "04_toys has not been executed since exercise 4.3 changed: run `handan book --only 04_toys`, "
        "then `handan course build`",
    )
    assert (loaded(built, STUDENT), loaded(built, ANSWERS)) == before


def test_a_mistake_in_a_source_is_told_and_keeps_its_files(built, edit, loaded):
    before = loaded(built, ANSWERS)
    edit(built, SOURCE, 'key("4.3"', 'key("4.9"')
    done = build(built)
    assert done.changed == ()
    assert "exercise 4.3: the key is that of '4.9'" in done.problems[0]
    assert loaded(built, ANSWERS) == before


def test_what_no_chapter_has_is_removed(built, loaded):
    extra = built.root / "notebooks/student/99_gone.ipynb"
    extra.write_text("{}")
    answers = loaded(built, ANSWERS)
    (built.root / ANSWERS).write_text(json.dumps({**answers, "9.9": {}}))
    assert {str(path) for path in build(built).changed} == {"notebooks/student/99_gone.ipynb", ANSWERS}
    assert not extra.exists()
    assert loaded(built, ANSWERS) == answers


def redraw(project, quality):
    """Store the figures of the executed chapter in another way, as another version of matplotlib would."""
    import base64
    from io import BytesIO

    from PIL import Image

    path = project.executed("04_toys")

    def other(found):
        out = BytesIO()
        image = Image.open(BytesIO(base64.b64decode(found[1]))).convert("RGB")
        image.point(lambda value: max(0, value - quality)).save(out, format="PNG")
        return "data:image/png;base64," + base64.b64encode(out.getvalue()).decode()

    text = re.sub(r"data:image/png;base64,([A-Za-z0-9+/=]+)", other, path.read_text())
    path.write_text(text)


def test_pictures_change_only_when_they_look_different(built):
    redraw(built, 1)
    assert build(built).changed == ()
    redraw(built, 90)
    assert {str(path) for path in build(built).changed} == {STUDENT, INSTRUCTOR}


def test_answers_that_cannot_be_read_are_an_error(built):
    (built.root / ANSWERS).write_text("{")
    for function in (build, drift):
        with pytest.raises(BookError, match=r"answers\.json is not valid JSON"):
            function(built)


def change_answers(project, change):
    path = project.root / ANSWERS
    answers = json.loads(path.read_text())
    change(answers)
    path.write_text(json.dumps(answers))


def change_copy(project, change):
    path = project.root / STUDENT
    notebook = json.loads(path.read_text())
    change(notebook)
    path.write_text(json.dumps(notebook))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda a: a["4.1"].update(right="0" * 32), "exercise 4.1 of notebooks/04_toys.py gave another answer"),
        (lambda a: a.pop("4.2"), "exercise 4.2 of notebooks/04_toys.py has no answer in src/handan/data/answers.json"),
        (lambda a: a.update({"4.7": {}}), "answers 4.7, but no chapter has such an exercise"),
        (lambda a: a["4.1"].update(points=7), "exercise 4.1 of notebooks/04_toys.py is worth 2 there"),
    ],
)  # fmt: skip
def test_answers_that_drift_are_told(built, change, told):
    change_answers(built, change)
    (sentence,) = drift(built)
    assert told in sentence
    assert "run `handan" in sentence


def without_figure(notebook):
    notebook["cells"] = [cell for cell in notebook["cells"] if cell["id"] != "expected-4-1"]


def picture(notebook):
    (cell,) = [cell for cell in notebook["cells"] if cell["id"] == "expected-4-1"]
    return cell


def other_pixels(notebook):
    text = "".join(picture(notebook)["source"])
    picture(notebook)["source"] = re.sub(r"(?<=base64,)[\w+/=]{40}", "A" * 40, text)


def words_for_a_picture(notebook):
    picture(notebook)["source"] = ["slope = 0.731"]


def a_caption_that_tells(notebook):
    picture(notebook)["source"] = ["".join(picture(notebook)["source"]), "\nThe slope is 0.731."]


def code_for_a_picture(notebook):
    picture(notebook).update(cell_type="code", outputs=[], execution_count=None)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda n: n["cells"][-2].update(source=["slope = 0.731"]), f"{STUDENT} differs from what notebooks/04_toys.py"),
        (lambda n: n["metadata"].pop("kernelspec"), f"{STUDENT} differs from"),
        (without_figure, f"{STUDENT} doesn't show the figure of 4.1"),
        (lambda n: n.pop("cells"), f"{STUDENT} is missing, or no notebook"),
        (words_for_a_picture, f"{STUDENT} differs from"),
        (a_caption_that_tells, f"{STUDENT} differs from"),
        (code_for_a_picture, f"{STUDENT} differs from"),
    ],
)  # fmt: skip
def test_copies_that_drift_are_told(built, change, told):
    change_copy(built, change)
    assert [sentence[: len(told)] for sentence in drift(built)] == [told]


def test_a_picture_with_other_bytes_is_no_drift(built):
    change_copy(built, other_pixels)
    assert drift(built) == []


@pytest.mark.parametrize("executed", [True, False])
@pytest.mark.parametrize(
    ("before", "after"),
    [("hint=", "digits=1, hint="), ("### BEGIN SOLUTION\n", "### BEGIN SOLUTION\n# another way\n")],
)
def test_a_key_or_a_solution_that_changed_is_told_even_where_nothing_ran(built, executed, before, after):
    path = built.root / SOURCE
    text = path.read_text()
    assert before in text
    path.write_text(text.replace(before, after, 1))
    if not executed:
        built.executed("04_toys").unlink()
    changed = "exercise 4.1 of notebooks/04_toys.py has changed since its answer was recorded"
    assert any(sentence.startswith(changed) for sentence in drift(built))


def test_missing_and_left_over_copies_are_told(built):
    (built.root / STUDENT).rename(built.root / "notebooks/student/99_gone.ipynb")
    assert drift(built) == [
        f"{STUDENT} is missing, or no notebook: run `handan course build`",
        "notebooks/student/99_gone.ipynb is left over: no chapter has this name; run `handan course build`",
    ]


def test_a_source_that_changed_is_told(built, edit):
    edit(built, SOURCE, "Put the mean weight", "Put the median weight")
    assert drift(built) == [
        f"{path} differs from what notebooks/04_toys.py gives: run `handan course build`"
        for path in (STUDENT, INSTRUCTOR)
    ]
    edit(built, SOURCE, "Exercise 4.3", "Exercise 3.3")
    assert any("exercise 3.3 cannot be one of chapter 04_toys" in sentence for sentence in drift(built))


def test_what_was_never_executed_is_no_drift(built):
    built.executed("04_toys").unlink()
    assert drift(built) == []
