"""Exercises of chapters 1 to 6: their keys, their hints, and that each stands on its own."""

import ast
import re
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import pytest

from handan.book import chapter, show
from handan.course import answers

ROOT = Path(__file__).parents[2]
CHAPTERS = ["01_people", "02_traces", "03_costs", "04_alignment", "05_collapse", "06_transfer"]
TITLE = re.compile(r"^### Exercise (?P<number>\d+\.\d+): .+ \((?P<minutes>\d+) minutes\)$", re.MULTILINE)
REGION = re.compile(r"^### BEGIN SOLUTION\n(?P<solution>.*?)^### END SOLUTION$", re.MULTILINE | re.DOTALL)


@dataclass
class Exercise:
    """One exercise as its source has it."""

    number: str
    minutes: int
    text: str
    solution: str
    key: str

    @property
    def answer(self) -> str:
        """Name of the variable that is checked."""
        (call,) = [node for node in ast.walk(ast.parse(self.key)) if _calls(node, "key")]
        return call.args[1].id

    @property
    def unanswered(self) -> str:
        return REGION.sub(f"{self.answer} = ...", self.solution)


@dataclass
class Run:
    """What the cells of a chapter's exercises showed and recorded."""

    answer: dict = field(default_factory=dict)
    asked: dict = field(default_factory=dict)
    record: dict = field(default_factory=dict)
    shown: list = field(default_factory=list)

    def key(self, exercise, right, **how):
        how = {"wrong": {}, "digits": 2, "points": 1} | how
        self.answer[exercise], self.asked[exercise] = right, how
        self.record[exercise] = answers.make_record(exercise, right, **how)


def _calls(node, name):
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == name


@cache
def _cells(name):
    return chapter.read(ROOT / "notebooks" / f"{name}.py").cells


@cache
def _exercises(name):
    return list(_read(name))


def _read(name):
    cells = _cells(name)
    tagged = [(cell.metadata.get("tags", []), cell) for cell in cells]
    places = [place for place, (tags, _) in enumerate(tagged) if "exercise" in tags]
    for place in places:
        head, solution, key = (tagged[place + step] for step in range(3))
        assert [*solution[0], *key[0]] == ["solution", "key"], head[1].source.split("\n")[0]
        title = TITLE.match(head[1].source)
        assert title, f"no number or no minutes in {head[1].source[:60]!r}"
        yield Exercise(
            title["number"], int(title["minutes"]), head[1].source, solution[1].source, key[1].source
        )


def _imports(name):
    """Import what the chapter imports; its parameters and tables stay unknown to the exercises."""
    code = "\n".join(cell.source for cell in _cells(name) if cell.cell_type == "code")
    kept = [node for node in ast.parse(code).body if isinstance(node, ast.Import | ast.ImportFrom)]
    space = {}
    exec(compile(ast.Module(kept, []), name, "exec"), space)
    return space


def _run(code, where, space):
    exec(compile(code, f"exercise {where}", "exec"), space)


@pytest.fixture(scope="module", params=CHAPTERS)
def solved(request):
    """A chapter's exercises, all solved in order."""
    import matplotlib as mpl

    mpl.use("agg")
    run, space = Run(), _imports(request.param)
    figure = show.figure
    show.figure = lambda fig, caption, alt, name=None: (
        run.shown.append((exercise.number, fig, caption + " " + alt)),
        figure(fig, caption, alt, name),
    )
    space["key"] = run.key
    exercises = _exercises(request.param)
    try:
        for exercise in exercises:
            _run(exercise.solution, exercise.number, space)
            _run(exercise.key, exercise.number, space)
    finally:
        show.figure = figure
    return request.param, exercises, run


def test_every_exercise_is_recorded_under_its_number(solved):
    name, exercises, run = solved
    assert list(run.record) == [exercise.number for exercise in exercises]
    assert [number.split(".")[0] for number in run.record] == [str(int(name[:2]))] * len(run.record)
    assert 2 <= len(exercises) <= 3
    assert 20 <= sum(exercise.minutes for exercise in exercises) <= 40
    for exercise in exercises:
        assert f"`{exercise.answer}`" in exercise.text, "the text must say where the answer goes"


def test_right_answers_are_right_and_each_mistake_has_its_own_hint(solved):
    _, _, run = solved
    for number, how in run.asked.items():
        assert answers.judge(number, run.answer[number], run.record).right
        assert len(how["wrong"]) >= 2, f"{number} knows fewer than two mistakes"
        for hint, value in how["wrong"].items():
            reply = answers.judge(number, value, run.record)
            assert reply.right is False
            assert reply.text.endswith(hint), f"{number}: {value!r} should say {hint!r}"


def test_a_mistake_that_nobody_thought_of_gets_the_general_hint(solved):
    _, _, run = solved
    for number, right in run.answer.items():
        strange = {str: "zebra", list: ["zebra"]}.get(type(right), 424_242)
        reply = answers.judge(number, strange, run.record)
        assert reply.right is False
        assert reply.text.endswith(run.asked[number]["hint"])


def test_neither_hints_nor_tasks_nor_pictures_give_the_answer_away(solved):
    _, exercises, run = solved
    for exercise in exercises:
        told = [*run.asked[exercise.number]["wrong"], run.asked[exercise.number]["hint"]]
        told += [text for number, _, text in run.shown if number == exercise.number]
        for text in told:
            assert not _tells(text, run.answer[exercise.number], run.asked[exercise.number]["digits"]), text


def _tells(text, right, digits):
    if isinstance(right, str):
        return right in text
    if isinstance(right, list):
        return all(re.search(rf"\b{re.escape(one)}\b", text) for one in right)
    whole = float(right).is_integer()
    return f"{right:.0f}" in re.findall(r"\d+", text) if whole else f"{right:.{digits}f}" in text


def test_at_least_one_picture_is_drawn_with_units_on_its_axes(solved):
    _, _, run = solved
    assert run.shown
    for number, fig, _ in run.shown:
        labels = [axes.get_xlabel() for axes in fig.axes] + [axes.get_ylabel() for axes in fig.axes]
        assert any(labels), number
        # only what can't have a unit goes without: shares, counts, correlations
        for label in filter(None, labels):
            assert "(" in label or re.search(r"share|draws|difference of r|row|steps", label), label


def test_a_solution_is_one_region_and_what_is_checked_is_made_in_it(solved):
    _, exercises, _ = solved
    for exercise in exercises:
        (region,) = REGION.findall(exercise.solution)
        assert re.search(rf"^{exercise.answer} = ", region, re.MULTILINE)
        given = REGION.sub("", exercise.solution)
        assert not re.search(rf"\b{exercise.answer} = ", given), "the answer is given away above the region"
        assert exercise.solution.rstrip().endswith("### END SOLUTION"), "no line may need the answer"


def test_without_answers_every_cell_runs_and_the_check_says_so(solved):
    name, exercises, run = solved
    space = _imports(name)
    for exercise in exercises:
        _run(exercise.unanswered, exercise.number, space)
        assert answers.judge(exercise.number, space[exercise.answer], run.record).right is None


def test_an_exercise_can_be_done_when_those_before_were_not(solved):
    name, exercises, run = solved
    space = _imports(name)
    for exercise in exercises[:-1]:
        _run(exercise.unanswered, exercise.number, space)
    last = exercises[-1]
    _run(last.solution, last.number, space)
    assert answers.judge(last.number, space[last.answer], run.record).right


def test_answers_are_the_same_whatever_the_parameters_of_the_chapter_were(solved):
    name, exercises, run = solved
    # as a reader leaves them who asked the chapter for another study
    space = _imports(name) | dict(
        profile="quick", study="mip-math", task="syllogisms", seed=7, names=[], rows=None
    )
    for exercise in exercises:
        _run(exercise.solution, exercise.number, space)
        assert answers.judge(exercise.number, space[exercise.answer], run.record).right
