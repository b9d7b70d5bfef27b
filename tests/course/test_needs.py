import pytest

from handan.book.project import Project, find_project
from handan.course.needs import modules

PACKAGE = {
    "__init__.py": "",
    "traces/__init__.py": "",
    "traces/jobs.py": "def run():\n    import torch\n",
    "traces/plan.py": "COST = 1\ndef later():\n    import pyarrow\n",
    "show/__init__.py": "from handan.show.live import run\n",
    "show/live.py": "def run():\n    from handan.traces import jobs\n    jobs.run()\n",
    "inputs.py": "def yours():\n    from handan.show import run\n    run()\n",
}


@pytest.fixture
def small(tmp_path):
    """A book whose package is called as ours."""
    for name, text in PACKAGE.items():
        path = tmp_path / "src" / "handan" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (tmp_path / "notebooks").mkdir()

    def needs(source):
        (tmp_path / "notebooks" / "01_x.py").write_text(source)
        return modules(Project(tmp_path), "01_x")

    return needs


@pytest.mark.parametrize(
    ("source", "torch"),
    [
        ("from handan.traces import jobs", True),
        ("from handan.traces import plan", False),
        ("def f():\n    from handan.traces import jobs", True),
        ("import handan.show", True),
        ("from handan.show import COST", False),
        ("from handan import inputs", False),
        ("import pandas, torch", True),
        ("import pandas", False),
    ],
)
def test_models_are_needed_by_what_runs_them(small, source, torch):
    assert small(source) == (("pyarrow", "torch", "transformers") if torch else ())


def test_real_chapters_that_run_models_say_so(root):
    project = find_project(root)
    assert {name for name in project.chapters if modules(project, name)} >= {
        "02_traces",
        "03_costs",
        "09_organism",
    }
    assert modules(project, "04_alignment") == ()
