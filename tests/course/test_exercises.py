"""The exercises of all chapters: solved, unanswered, and with every mistake that they know.

The cells of an exercise run once, after those before it were left unanswered, and with nothing of
their chapter but its imports: an exercise that reads a variable of the chapter fails here.
"""

import ast
import json
import re
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from handan.book import chapter, show
from handan.course import check
from handan.course.answers import MIME, judge, key
from handan.course.exercise import SECTION

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
NUMBERED = sorted(path.stem for path in NOTEBOOKS.glob("[0-9][0-9]_*.py"))
CHAPTERS = [name for name in NUMBERED if 'tags=["exercise"]' in (NOTEBOOKS / f"{name}.py").read_text("utf-8")]
HEADING = re.compile(r"### Exercise (?P<id>\d+\.\d+): (?P<title>.+) \((?P<minutes>\d+) minutes\)\n")
REGION = re.compile(r"^### BEGIN SOLUTION\n(?P<code>.*?)^### END SOLUTION$", re.MULTILINE | re.DOTALL)
IMPORT = "from handan.course import check, key  # noqa: F401"
# only what can't have a unit goes without: shares, ratios, counts, correlations
UNITLESS = re.compile(r"share|ratio|draws|choices|difference of r|mean r|^r with|row|steps")


@dataclass
class Exercise:
    """One exercise as written, and what came of it."""

    id: str
    minutes: int
    text: str
    solution: str = ""
    key: str = ""
    given: str = ""
    right: object = None
    wrong: dict = field(default_factory=dict)
    digits: int = 2
    record: dict = field(default_factory=dict)
    figures: list = field(default_factory=list)
    unanswered: object = None

    @property
    def answer(self):
        """Name of the variable that is checked."""
        (call,) = [node for node in ast.walk(ast.parse(self.key)) if _is_call(node, "key")]
        return call.args[1].id

    @property
    def student(self):
        """The solution cell as a student gets it."""
        return REGION.sub(f"{self.answer} = ...", self.solution)

    @property
    def hints(self):
        """All that a check can say about an answer that isn't right."""
        return [self.record["hint"], *self.wrong]

    @property
    def captions(self):
        """Caption and alternative text of each figure; they stand above a student's empty cell."""
        return [f"{caption} {alt}" for _, caption, alt, _ in self.figures]

    def judge(self, answer):
        return judge(self.id, answer, {self.id: self.record})


def _is_call(node, name):
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == name


@cache
def cells_of(name):
    return chapter.read(NOTEBOOKS / f"{name}.py").cells


def tags_of(cell):
    return cell.metadata.get("tags", [])


def head_of(name):
    """Import what the chapter imports above its first exercise."""
    tagged = ["exercise" in tags_of(cell) for cell in cells_of(name)]
    above = cells_of(name)[: tagged.index(True)]
    code = "\n".join(cell.source for cell in above if cell.cell_type == "code")
    kept = [node for node in ast.parse(code).body if isinstance(node, ast.Import | ast.ImportFrom)]
    space = {"__name__": name}
    exec(compile(ast.Module(kept, []), name, "exec"), space)
    return space


def exercises_of(name):
    found = []
    for cell in cells_of(name):
        if "exercise" in tags_of(cell):
            heading = HEADING.match(cell.source)
            assert heading, f"no heading of an exercise: {cell.source[:60]!r}"
            found.append(Exercise(heading["id"], int(heading["minutes"]), cell.source))
        elif found:
            (part,) = {"solution", "key"} & set(tags_of(cell)) or {"given"}
            setattr(found[-1], part, f"{getattr(found[-1], part)}{cell.source}\n")
    return found


def run(code, one, space):
    exec(compile(code, f"exercise {one.id}", "exec"), space)


def solve(one, space, figures, shown):
    """Run solution and key, and keep what they give."""

    def keep(number, right, **options):
        one.right, one.wrong, one.digits = right, options["wrong"], options.get("digits", 2)
        key(number, right, **options)

    figures.clear()
    run(one.given + one.solution, one, space)
    one.figures = list(figures)
    run(one.key, one, space | {"key": keep})
    ((number, one.record),) = json.loads(shown[-1][MIME]).items()
    assert number == one.id, "a key is recorded under the number of its heading"


@pytest.fixture(scope="module", params=CHAPTERS)
def solved(request):
    """A chapter's name and its exercises, each solved after those before it were left unanswered."""
    import matplotlib as mpl

    mpl.use("agg")
    draw, figures, shown = show.figure, [], []

    def figure(fig, caption, alt, name=None):
        draw(fig, caption, alt, name)
        figures.append((fig, caption, alt, shown[-1]["text/html"]))

    exercises, space = exercises_of(request.param), {"check": check} | head_of(request.param)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(show, "put", shown.append)
        patch.setattr(show, "figure", figure)
        for one in exercises:
            solve(one, dict(space), figures, shown)
            run(one.given + one.student, one, space)
            one.unanswered = space[one.answer]
    return request.param, exercises


def test_every_chapter_has_exercises():
    assert CHAPTERS == NUMBERED
    assert CHAPTERS


def test_numbers_follow_the_chapter_and_each_other(solved):
    name, exercises = solved
    assert [one.id for one in exercises] == [f"{int(name[:2])}.{k + 1}" for k in range(len(exercises))]
    assert 2 <= len(exercises) <= 3
    assert 20 <= sum(one.minutes for one in exercises) <= 40
    for one in exercises:
        assert f"`{one.answer}`" in one.text, "the text must say where the answer goes"


def test_the_section_is_the_last_one_and_imports_what_the_copies_import(solved):
    cells = cells_of(solved[0])
    heads = [cell.source for cell in cells if cell.cell_type == "markdown" and "\n## " in f"\n{cell.source}"]
    assert heads[-1] == SECTION, "what stands under it is written once, in handan.course.exercise"
    assert [cell.source for cell in cells].count(IMPORT) == 1


def test_an_exercise_is_a_task_a_solution_and_a_key(solved):
    cells = cells_of(solved[0])
    order = [tag for cell in cells for tag in tags_of(cell) if tag in ("exercise", "solution", "key")]
    assert order == ["exercise", "solution", "key"] * len(solved[1])


def test_the_right_answer_is_accepted_and_worth_something(solved):
    for one in solved[1]:
        assert one.judge(one.right).right is True
        assert one.record["points"] >= 1


def test_each_mistake_gives_its_own_hint(solved):
    for one in solved[1]:
        assert len(one.wrong) >= 2, f"{one.id} recognises fewer than two mistakes"
        assert len(one.record["wrong"]) == len(one.wrong)
        for text, value in one.wrong.items():
            reply = one.judge(value)
            assert reply.right is False
            assert reply.text.endswith(text), f"{one.id}: {value!r} gives {reply.text!r}"


def test_a_mistake_that_nobody_thought_of_gets_the_general_hint(solved):
    strange = {"text": "zebra", "list of text": ["zebra"], "number": 424_242.5, "whole number": 424_242}
    for one in solved[1]:
        reply = one.judge(strange[one.record["kind"]])
        assert reply.right is False
        assert reply.text.endswith(one.record["hint"])


def test_neither_task_nor_hint_nor_caption_gives_the_answer_away(solved):
    for one in solved[1]:
        for text in [one.text, *one.hints, *one.captions]:
            assert not _tells(text, one), f"{one.id}: {text}"
        if one.record["kind"] == "list of text":
            named = [part for part in one.right if len(part) > 1]
            said = " ".join(one.hints + one.captions)
            assert not any(re.search(rf"\b{re.escape(part)}\b", said) for part in named), one.id


def _tells(text, one):
    if isinstance(one.right, str):
        return one.right in text
    if isinstance(one.right, list):
        return all(re.search(rf"\b{re.escape(part)}\b", text) for part in one.right)
    if float(one.right).is_integer():
        return f"{one.right:.0f}" in re.findall(r"\d+", text)
    return f"{one.right:.{one.digits}f}" in text


def test_what_a_figure_shows_is_asked_for_more_exactly_than_it_can_be_read(solved):
    for one in (one for one in solved[1] if one.figures and one.record["kind"] == "number"):
        drawn = np.concatenate([_drawn(fig) for fig, *_ in one.figures])
        if np.isclose(drawn, one.right, rtol=1e-6, atol=0).any():
            for read in (f"{one.right:.1g}", f"{one.right:.2g}"):
                assert not one.judge(float(read)).right, f"{one.id}: {read} can be read off the figure"


def _drawn(fig):
    """All coordinates of the lines and points of a figure."""
    lines = [line.get_xydata() for axes in fig.axes for line in axes.lines]
    many = [group for axes in fig.axes for group in axes.collections]
    points = [np.ma.filled(group.get_offsets(), np.nan) for group in many]
    edges = [path.vertices for group in many for path in group.get_paths()]
    return np.concatenate([np.ravel(part) for part in [[0.0], *lines, *points, *edges]]).astype(float)


def test_a_chapter_asks_for_a_figure_with_units_on_its_axes(solved):
    figures = [figure for one in solved[1] for figure in one.figures]
    assert figures
    for fig, caption, _, html in figures:
        assert "<img" in html
        assert 'alt="' in html
        assert "figcaption" in html
        labels = [text for axes in fig.axes for text in (axes.get_xlabel(), axes.get_ylabel()) if text]
        assert labels, caption
        for label in labels:
            assert "(" in label or UNITLESS.search(label), label


def test_a_solution_is_one_short_region_and_what_is_checked_is_made_in_it(solved):
    for one in solved[1]:
        (region,) = REGION.findall(one.solution)
        assert re.search(rf"^{one.answer} = ", region, re.MULTILINE)
        assert len(region.splitlines()) <= 15, f"the solution of {one.id} is long"
        given = one.given + REGION.sub("", one.solution)
        assert not re.search(rf"\b{one.answer} = ", given), "the answer is given away above the region"
        assert one.solution.rstrip().endswith("### END SOLUTION"), "no line may need the answer"


def test_a_copy_without_answers_runs_and_says_so(solved):
    for one in solved[1]:
        assert one.unanswered is ...
        assert one.judge(one.unanswered).right is None


def test_answers_do_not_hang_on_the_parameters_of_a_chapter(solved):
    """Not even where they have a value: a solution must not read what a reader may change."""
    name, exercises = solved
    (parameters,) = (cell.source for cell in cells_of(name) if "parameters" in tags_of(cell))
    names = {target.id for line in ast.parse(parameters).body for target in line.targets}
    for one in exercises:
        code = ast.parse("\n".join([one.given, one.solution, one.key]))
        read = {node.id for node in ast.walk(code) if isinstance(node, ast.Name)} & names
        assert not read, f"{one.id} uses {read}"
