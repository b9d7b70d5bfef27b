import ast
import json
import re

import nbformat
import pytest
from tests.course.solved import solution_lines

from handan import address
from handan.book.errors import ProjectError
from handan.book.project import find_project
from handan.course import cells, copies, needs, setup_cell
from handan.course.exercise import INTRODUCTION, SECTION, ExerciseError, tagged
from handan.course.outline import outline

CHAPTERS = find_project(__file__).chapters
MAKERS = pytest.mark.parametrize("make", [copies.student, copies.instructor])


def by_id(notebook):
    return {cell["id"]: cell for cell in notebook.cells}


def text_of(notebook):
    return "\n".join(cell.source for cell in notebook.cells)


def test_a_student_finds_dots_where_the_solution_was(toys):
    made = by_id(copies.student(toys, "04_toys"))
    assert made["solution-4-1"].source == "weights = [1.25, 2.5, 4.75]\n# your code here\nmean = ..."
    assert made["check-4-1"].source == 'check("4.1", mean)'
    assert "    # your code here\n    return ...\n" in made["solution-4-2"].source
    assert made["solution-4-3"].source == "# your code here\nslope = ..."
    assert "key" not in text_of(copies.student(toys, "04_toys")).replace("keyboard", "")


def test_an_instructor_finds_the_solution_between_nbgraders_markers(toys):
    made = by_id(copies.instructor(toys, "04_toys"))
    source = made["solution-4-1"].source
    assert (
        source.index(cells.BEGIN)
        < source.index("mean = total_of_all / len(weights)")
        < source.index(cells.END)
    )
    assert made["check-4-1"].source == 'check("4.1", mean)'


@MAKERS
def test_exercises_are_introduced_under_their_heading(toys, make):
    assert f"{SECTION}\n\n{INTRODUCTION}" in [cell.source for cell in make(toys, "04_toys").cells]


@MAKERS
def test_nbgrader_knows_solutions_and_checks_and_no_other_cell(toys, make):
    made = by_id(make(toys, "04_toys"))
    assert made["solution-4-1"].metadata["nbgrader"] == {
        "grade_id": "solution-4-1", "schema_version": 3, "solution": True, "grade": False, "locked": False, "task": False,
    }  # fmt: skip
    assert made["check-4-1"].metadata["nbgrader"] == {
        "grade_id": "check-4-1", "schema_version": 3, "solution": False, "grade": True, "locked": True, "task": False,
        "points": 2,
    }  # fmt: skip
    graded = {name for name, cell in made.items() if "nbgrader" in cell.metadata}
    assert graded == {f"{kind}-4-{number}" for kind in ("solution", "check") for number in (1, 2, 3)}


@MAKERS
def test_a_copy_links_to_itself_and_never_to_the_other(toys, make):
    head = make(toys, "04_toys").cells[0].source
    own, other = address.student("04_toys"), address.instructor("04_toys")
    if make is copies.instructor:
        own, other = other, own
    assert str(other) not in head.replace("%2F", "/")
    for opener in (address.colab, address.kaggle, address.binder):
        assert f"({opener(own)})" in head
    assert f"({address.book('notebooks/04_toys')})" in head


@MAKERS
def test_the_set_up_comes_first_and_the_profile_fits_the_machine(toys, make):
    made = make(toys, "04_toys")
    assert made.cells[1].source == setup_cell.source("04_toys", needs.modules(toys, "04_toys"))
    (parameters,) = [cell for cell in made.cells if tagged(cell, "parameters")]
    assert parameters.source == 'profile = "auto"  # how much'


def test_hidden_cells_are_hidden_in_colab_and_in_jupyterlab(toys):
    hidden = [cell for cell in copies.student(toys, "04_toys").cells if tagged(cell, "hide-input")]
    assert len(hidden) == 2
    for cell in hidden:
        assert (cell.metadata["cellView"], cell.metadata["jupyter"]) == ("form", {"source_hidden": True})


def test_the_expected_figure_stands_above_the_answer(toys):
    made = copies.student(toys, "04_toys")
    ids = [cell["id"] for cell in made.cells]
    assert ids.index("expected-4-1") + 1 == ids.index("solution-4-1")
    text = by_id(made)["expected-4-1"].source
    assert text.startswith("#### What your figure should look like\n")
    assert '![A line that "rises".](data:image/png;base64,' in text
    assert text.endswith("\n\nWeights rise \\[with\\] age.")
    assert "expected-4-2" not in ids


def test_a_caption_that_tells_the_answer_is_left_out(toys):
    text = by_id(copies.student(toys, "04_toys"))["expected-4-3"].source
    assert "A line." in text
    assert "0.73" not in text


def test_a_copy_of_a_chapter_that_never_ran_lacks_only_the_figure(toys):
    with_figure = [cell["id"] for cell in copies.student(toys, "04_toys").cells]
    toys.executed("04_toys").unlink()
    without = [cell["id"] for cell in copies.student(toys, "04_toys").cells]
    assert without == [name for name in with_figure if not name.startswith("expected")]


@MAKERS
def test_the_same_source_gives_the_same_file(toys, make):
    first, second = (nbformat.writes(make(toys, "04_toys"), indent=1) for _ in range(2))
    assert first == second
    nbformat.validate(nbformat.reads(first, as_version=4))
    for cell in json.loads(first)["cells"]:
        if cell["cell_type"] == "code":
            assert (cell["outputs"], cell["execution_count"]) == ([], None)


def test_a_link_to_nowhere_is_named(toys, edit):
    edit(toys, "notebooks/04_toys.py", "[people](01_people)", "[people](02_none)")
    with pytest.raises(ProjectError, match="04_toys links to '02_none', which is no page"):
        copies.student(toys, "04_toys")


def test_a_solution_that_leaves_no_valid_cell_is_named(toys, edit):
    # without the marked line, the string is never closed
    edit(toys, "notebooks/04_toys.py", "slope = 0.731\n", 'slope = 0.731\ntext = """\n### END SOLUTION\n"""\n### BEGIN SOLUTION\n')  # fmt: skip
    with pytest.raises(ExerciseError, match=r"cell 13, exercise 4\.3: no copy for students can be made"):
        copies.student(toys, "04_toys")


@pytest.fixture(scope="module", params=CHAPTERS)
def real(request):
    """A real chapter: its source, its outline, and both copies."""
    from handan.book.chapter import read

    project = find_project(__file__)
    source = read(project.source(request.param))
    return source, outline(source, request.param), copies.student(project, request.param), copies.instructor(project, request.param)  # fmt: skip


def secrets(source, exercises):
    """Lines of the solutions that stand nowhere else in the chapter."""
    solutions = {one.solution for one in exercises}
    keys = {one.key for one in exercises}
    told = set()
    for place, cell in enumerate(source.cells):
        if place in solutions:
            told |= set(cells.blank(cell.source, ()).split("\n"))
        elif place not in keys:
            told |= set(cell.source.split("\n"))
    told = {line.strip() for line in told}
    lines = {line for place in solutions for line in solution_lines(source.cells[place].source)}
    # a bracket alone says nothing
    return {line for line in lines - told if len(re.sub(r"\W", "", line)) > 1}


def test_no_student_copy_holds_a_line_of_a_solution_or_a_key(real):
    source, about, student, instructor = real
    hidden = secrets(source, about.exercises)
    assert bool(hidden) == bool(about.exercises)
    stripped = {line.strip() for cell in student.cells for line in cell.source.split("\n")}
    assert hidden & stripped == set()
    assert hidden <= {line.strip() for cell in instructor.cells for line in cell.source.split("\n")}
    assert not re.search(r"\bkey\(", text_of(student))
    for one in about.exercises:
        assert f'check("{one.id}", ' in text_of(student)


def test_no_file_for_students_holds_a_solution(root, real):
    """As above, of what is in the repository and is opened by Colab, pictures' captions included."""
    source, about, _, _ = real
    text = (root / address.student(about.chapter)).read_text(encoding="utf-8")
    lines = {
        line.strip() for cell in json.loads(text)["cells"] for line in "".join(cell["source"]).split("\n")
    }
    assert secrets(source, about.exercises) & lines == set()
    assert "BEGIN SOLUTION" not in text
    assert not re.search(r"\bkey\(", text)


def test_every_cell_of_a_real_copy_is_valid_python(real):
    _, _, student, instructor = real
    for notebook in (student, instructor):
        nbformat.validate(notebook)
        for cell in notebook.cells:
            if cell.cell_type == "code":
                ast.parse(re.sub(r"^[%!].*$", "", cell.source, flags=re.M))


def test_no_real_copy_has_a_link_that_leads_nowhere_outside_the_book(real):
    for notebook in real[2:]:
        prose = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
        prose = re.sub(r"```.*?```|`[^`\n]*`", "", prose, flags=re.S)
        targets = re.findall(r"\]\(([^\s)]+)", prose) + re.findall(r'\bhref="([^"]+)"', prose)
        assert [one for one in targets if not re.match(r"https?://|mailto:|data:image/png", one)] == []
        assert re.findall(r"\{[\w:-]+\}`", prose) == []
