"""Exercises of chapters 7 to 11: solved, unanswered, and with every mistake that they know."""

import ast
import json
import re
from dataclasses import dataclass, field
from pathlib import Path

import jupytext
import pytest

from handan.book import show
from handan.course import check
from handan.course.answers import MIME, judge, key

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
CHAPTERS = ("07_inflation", "08_geometry", "09_organism", "10_multiverse", "11_claims")
HEADING = re.compile(r"### Exercise (?P<id>\d+\.\d+): (?P<title>.+) \((?P<minutes>\d+) minutes\)")
REGION = re.compile(r"### BEGIN SOLUTION\n.*?### END SOLUTION", re.DOTALL)
IMPORT = "from handan.course import check, key  # noqa: F401"


@dataclass
class Exercise:
    """One exercise as written, and what came of it."""

    id: str
    minutes: int
    solution: str = ""
    key: str = ""
    given: str = ""
    record: dict = field(default_factory=dict)
    right: object = None
    wrong: dict = field(default_factory=dict)
    figures: list = field(default_factory=list)
    unanswered: str = ""

    @property
    def answer(self):
        """Name of the variable that the answer goes into."""
        call = next(node for node in ast.walk(ast.parse(self.key)) if is_key(node))
        return call.args[1].id

    @property
    def student(self):
        """The solution cell as a student gets it."""
        return REGION.sub(f"{self.answer} = ...", self.solution)


def is_key(node):
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "key"


def cells_of(chapter):
    return jupytext.read(NOTEBOOKS / f"{chapter}.py").cells


def tags_of(cell):
    return cell.metadata.get("tags", [])


def section_of(chapter):
    """Cells below the import of `check` and `key`."""
    cells = cells_of(chapter)
    return cells[[cell.source for cell in cells].index(IMPORT) + 1 :]


def exercises_of(chapter):
    """What all exercises share, and the exercises."""
    shared, found = "", []
    for cell in section_of(chapter):
        if "exercise" in tags_of(cell):
            heading = HEADING.match(cell.source)
            assert heading, f"no heading of an exercise: {cell.source[:60]!r}"
            found.append(Exercise(heading["id"], int(heading["minutes"])))
        elif not found:
            shared += f"{cell.source}\n"
        elif "solution" in tags_of(cell):
            found[-1].solution = cell.source
        elif "key" in tags_of(cell):
            found[-1].key = cell.source
        else:
            found[-1].given += f"{cell.source}\n"
    return shared, found


def solve(exercise, namespace, shown):
    """Run solution and key, and keep what they give."""

    def keep(number, right, *, wrong, **options):
        exercise.right, exercise.wrong = right, wrong
        key(number, right, wrong=wrong, **options)

    shown.clear()
    exec(exercise.given + exercise.solution, namespace)
    exercise.figures = [one["text/html"] for one in shown if "<img" in one.get("text/html", "")]
    exec(exercise.key, namespace | {"key": keep})
    exercise.record = json.loads(shown[-1][MIME])[exercise.id]


@pytest.fixture(scope="module", params=CHAPTERS)
def chapter(request):
    """All exercises of a chapter, each solved after those before it were left unanswered."""
    import matplotlib

    matplotlib.use("agg")
    shared, exercises = exercises_of(request.param)
    with pytest.MonkeyPatch.context() as patch:
        shown = []
        patch.setattr(show, "put", shown.append)
        left_open = {"check": check}
        exec(shared, left_open)
        for exercise in exercises:
            solve(exercise, dict(left_open), shown)
            exec(exercise.given + exercise.student, left_open)
            exercise.unanswered = left_open[exercise.answer]
    return request.param, exercises


def test_numbers_follow_the_chapter_and_each_other(chapter):
    name, exercises = chapter
    first = int(name[:2])
    assert [one.id for one in exercises] == [f"{first}.{k + 1}" for k in range(len(exercises))]
    assert len(exercises) >= 2


def test_the_section_is_the_last_one_and_imports_what_the_copies_import(chapter):
    name, exercises = chapter
    cells = cells_of(name)
    heads = [cell.source for cell in cells if cell.cell_type == "markdown" and "\n## " in f"\n{cell.source}"]
    assert heads[-1].startswith("## Exercises")
    assert [cell.source for cell in cells].count(IMPORT) == 1
    assert all(one.solution and one.key for one in exercises)


def test_every_key_is_recorded_under_the_number_of_its_heading(chapter):
    for one in chapter[1]:
        assert one.record["points"] >= 1
        assert len(one.record["wrong"]) == len(one.wrong)


def test_the_right_answer_is_accepted(chapter):
    for one in chapter[1]:
        assert judge(one.id, one.right, {one.id: one.record}).right is True


def test_each_mistake_gives_its_own_hint(chapter):
    for one in chapter[1]:
        assert len(one.wrong) >= 2, f"{one.id} recognises fewer than two mistakes"
        for text, value in one.wrong.items():
            reply = judge(one.id, value, {one.id: one.record})
            assert reply.right is False
            assert reply.text.endswith(text), f"{one.id}: {value!r} gives {reply.text!r}"


def test_another_mistake_gives_the_general_hint(chapter):
    for one in chapter[1]:
        stranger = 1234.5 if one.record["kind"] == "number" else ["nobody"]
        assert judge(one.id, stranger, {one.id: one.record}).text.endswith(one.record["hint"])


def test_no_hint_or_caption_holds_the_answer(chapter):
    # the expected figure stands above a student's empty cell
    for one in chapter[1]:
        captions = re.findall('<figcaption>.*?</figcaption>|alt=".*?"', " ".join(one.figures))
        hints = " ".join([one.record["hint"], *one.wrong, *captions])
        if one.record["kind"] == "number":
            assert f"{one.right:.{one.record['digits']}f}" not in hints
        else:
            assert not any(re.search(rf"\b{re.escape(part)}\b", hints) for part in one.right if len(part) > 1)


def test_a_copy_without_answers_runs_and_says_so(chapter):
    for one in chapter[1]:
        assert one.unanswered is ...
        assert judge(one.id, one.unanswered, {one.id: one.record}).right is None


def test_the_solution_is_not_in_the_copy(chapter):
    for one in chapter[1]:
        solved = REGION.search(one.solution)[0].splitlines()[1:-1]
        given = {line.strip() for line in one.student.splitlines()}
        assert not given & {line.strip() for line in solved if len(line.strip()) > 3}
        assert len(solved) <= 15, f"the solution of {one.id} is long"


def test_a_chapter_asks_for_a_figure_and_for_twenty_to_forty_minutes(chapter):
    _, exercises = chapter
    assert any(one.figures for one in exercises)
    assert all('alt="' in html and "figcaption" in html for one in exercises for html in one.figures)
    assert 20 <= sum(one.minutes for one in exercises) <= 40


def test_answers_do_not_hang_on_the_parameters_of_a_chapter():
    """A solution must not read `profile`, `study`, `seed` or anything else that a reader may change."""
    for name in CHAPTERS:
        (parameters,) = (cell.source for cell in cells_of(name) if "parameters" in tags_of(cell))
        names = {target.id for line in ast.parse(parameters).body for target in line.targets}
        for one in exercises_of(name)[1]:
            code = ast.parse("\n".join([one.given, one.solution, one.key]))
            read = {node.id for node in ast.walk(code) if is_read(node)}
            assert not read & names, f"{one.id} reads {read & names}"


def is_read(node):
    return isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)
