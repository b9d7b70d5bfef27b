import pytest

from handan.book.project import find_project
from handan.course.exercise import ExerciseError
from handan.course.outline import read

SOURCE = "notebooks/04_toys.py"


def test_an_outline_says_what_a_chapter_teaches_and_asks(toys):
    one = read(toys, "04_toys")
    assert (one.title, one.minutes) == ("Toys: what they cost", 20)
    assert one.aims == ("count toys, and weigh them", "say *why*")
    assert one.time == "twenty minutes to read, a second to run."
    assert [(task.id, task.title, task.minutes, task.points, task.names) for task in one.exercises] == [
        ("4.1", "Weigh them", 5, 2, ("mean",)),
        ("4.2", "Find the odd ones", 1, 1, ("odd",)),
        ("4.3", "Draw it", 3, 1, ("slope",)),
    ]
    assert read(toys, "01_people").exercises == ()


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('# %% tags=["solution"]\nweights', "# %%\nweights", "exercise 4.1 has no solution"),
        ('# %% tags=["key"]\nkey("4.1"', '# %%\nkey("4.1"', "exercise 4.1 has no key"),
        ('# %% tags=["key"]\nkey("4.1"', '# %% tags=["solution"]\nkey("4.1"', "more than one solution: 04_toys, cell 7"),
        ('key("4.2", odd', 'key("4.1", odd', "cell 11, exercise 4.2: the key is that of '4.1'"),
        ("Exercise 4.2:", "Exercise 4.1:", "cell 11, exercise 4.1: the key is that of '4.2'"),
        ("Exercise 4.1:", "Exercise 5.1:", "cell 6: exercise 5.1 cannot be one of chapter 04_toys"),
        ("Weigh them (5 minutes)", "Weigh them", "cell 6: the heading must read"),
        ("### BEGIN SOLUTION\ntotal", "total", "cell 7, exercise 4.1: line 7 has '### END SOLUTION'"),
        ("weights = [1.25", "weights = = [1.25", "cell 7, exercise 4.1: the solution is no valid Python"),
        ("mean = total_of_all", "means = total_of_all", "cell 8, exercise 4.1: the key takes mean, which the solution"),
        ('key("4.1", mean,', 'key("4.1", mean + 0,', "the answer mean \\+ 0 is no name"),
        ("points=2", "points=2.5", "cell 8, exercise 4.1: points must be"),
        ('key("4.1", mean,', 'keys("4.1", mean,', "must call key"),
        ('# %% [markdown] tags=["exercise"]\n# ### Exercise 4.3', "# %% [markdown]\n# ### Exercise 4.3", "cell 12 has the heading"),
        ("# ### Exercise 4.1", "# ### 4.1", "cell 6 has the tag 'exercise', but no heading"),
    ],
)  # fmt: skip
def test_what_does_not_go_together_is_named(toys, edit, old, new, told):
    edit(toys, SOURCE, old, new)
    with pytest.raises(ExerciseError, match=told) as caught:
        read(toys, "04_toys")
    assert all(line.startswith("04_toys") for line in str(caught.value).splitlines())


def test_two_exercises_of_one_number_are_named(toys, edit):
    edit(toys, SOURCE, "Exercise 4.2:", "Exercise 4.1:")
    edit(toys, SOURCE, 'key("4.2"', 'key("4.1"')
    with pytest.raises(ExerciseError, match=r"there are two exercises 4\.1"):
        read(toys, "04_toys")


def test_a_key_above_its_solution_is_refused(toys, edit):
    key = '# %% tags=["key"]\nkey("4.3", slope, hint="Rise over run.")\n'
    edit(toys, SOURCE, key, "")
    edit(toys, SOURCE, '# %% tags=["solution"]\n### BEGIN SOLUTION\nslope', key + '\n# %% tags=["solution"]\n### BEGIN SOLUTION\nslope')  # fmt: skip
    with pytest.raises(ExerciseError, match="the key must stand below the solution"):
        read(toys, "04_toys")


def test_all_mistakes_are_told_at_once(toys, edit):
    edit(toys, SOURCE, "Weigh them (5 minutes)", "Weigh them")
    edit(toys, SOURCE, 'key("4.3", slope', 'key("4.4", slope')
    with pytest.raises(ExerciseError) as caught:
        read(toys, "04_toys")
    assert len(str(caught.value).splitlines()) == 2


def test_real_chapters_say_what_they_teach_and_how_long_it_takes(root):
    project = find_project(root)
    outlines = [read(project, name) for name in project.chapters if name[:2].isdigit()]
    assert outlines
    assert [one.chapter for one in outlines if not (one.aims and one.minutes and one.title)] == []
