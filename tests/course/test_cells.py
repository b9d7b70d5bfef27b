import ast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.course.solved import solution_lines

from handan.course import cells

SOLVED = "a = 1\n### BEGIN SOLUTION\nb = a + 1\nc = b\n### END SOLUTION\nd = c\n"


def test_a_solution_becomes_the_names_that_are_needed_later():
    blank = cells.blank(SOLVED, ())
    assert blank == "a = 1\n# your code here\nc = ...\nd = c\n"
    assert cells.blank(SOLVED, ("b",)) == "a = 1\n# your code here\nb = ...\nc = ...\nd = c\n"


def test_dots_stand_at_the_solutions_own_indentation():
    source = (
        "def f(x):\n    ### BEGIN SOLUTION\n    y = x\n    return y\n    ### END SOLUTION\n\n\n"
        "for i in range(2):\n    ### BEGIN SOLUTION\n    print(i)\n    ### END SOLUTION\n"
        "with open('x') as file:\n    ### BEGIN SOLUTION\n    z = file\n    ### END SOLUTION\nz\n"
    )
    blank = cells.blank(source, ())
    assert "def f(x):\n    # your code here\n    return ...\n" in blank
    assert "for i in range(2):\n    # your code here\n    ...\n" in blank
    assert "with open('x') as file:\n    # your code here\n    z = ...\nz\n" in blank


def test_names_of_a_comprehension_are_its_own():
    source = "### BEGIN SOLUTION\nr = [x for x in 'ab']\n### END SOLUTION\n[x for x in 'cd']\n"
    assert "x = ..." not in cells.blank(source, ("r",))


@pytest.mark.parametrize(
    ("statement", "name"),
    [
        ("import numpy as np", "np"),
        ("from os import path", "path"),
        ("def f():\n    return 1", "f"),
        ("(r := 1)", "r"),
        ("r, (s, *t) = 1, (2, 3)", "t"),
        ("for r in 'ab':\n    pass", "r"),
        ("with open('x') as r:\n    pass", "r"),
        ("r: int = 1", "r"),
        ("r = 1\nr += 1", "r"),
    ],
)
def test_every_way_to_give_a_name_a_value_is_known(statement, name):
    source = f"{cells.BEGIN}\n{statement}\n{cells.END}\n"
    assert f"{name} = ..." in cells.blank(source, (name,)).splitlines()
    assert name in cells.assigned(source)


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("r = 1", "no markers"),
        ("### BEGIN SOLUTION\nr = 1", "line 1 has '### BEGIN SOLUTION', but there is no"),
        ("r = 1\n### END SOLUTION", "line 2 has '### END SOLUTION' without"),
        (
            "### BEGIN SOLUTION\n### BEGIN SOLUTION\n### END SOLUTION",
            "line 2 has '### BEGIN SOLUTION' before",
        ),
    ],
)
def test_markers_that_do_not_pair_are_named(source, told):
    with pytest.raises(ValueError, match=told):
        cells.regions(source)


LINES = st.lists(st.sampled_from(["a = 1", "b = 2", "print('x')", "c = [i for i in 'ab']", ""]), max_size=4)


@given(st.lists(st.tuples(LINES, LINES), min_size=1, max_size=3), st.sets(st.sampled_from("abc")))
def test_a_student_gets_all_that_is_given_and_nothing_of_a_solution(parts, wanted):
    """Given lines are all kept in order; solved ones are gone, and the needed names have dots."""
    given_lines, text, solved = [], [], []
    for number, (free, secret) in enumerate(parts):
        own = [f"{line}  # secret {number}" for line in secret if line]
        text += [*free, cells.BEGIN, *own, cells.END]
        given_lines += free
        solved += own
    blank = cells.blank("\n".join(text), wanted)
    ast.parse(blank)
    kept = [line for line in blank.split("\n") if line != cells.HERE and not line.endswith("= ...")]
    assert kept == given_lines
    assert "secret" not in blank
    assert solution_lines("\n".join(text)) == solved
    named = {line.split()[0] for line in solved if "=" in line.split("#")[0] and line[0] in "abc"}
    assert {name for name in named & wanted if f"{name} = ..." not in blank} == set()


@given(st.lists(st.sampled_from(["a = 1", "", "    ", "print(1)"])))
def test_taking_markers_out_changes_nothing_else(lines):
    text = "\n".join(lines)
    marked = "\n".join([cells.BEGIN, *lines, f"    {cells.END}"])
    assert cells.unmarked(marked) == text
