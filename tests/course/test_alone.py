"""Every notebook as a reader has it: the `.ipynb` alone in an empty folder, the package installed from a wheel.

Students' copies run as they are handed out, with no answer given; instructors' copies run with
every check strict, which compares each solution with the answer that the wheel ships.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
import zipfile
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import nbformat
import pytest

from handan.book.project import find_project
from handan.course import copies, needs
from handan.course.outline import read as read_outline

PROJECT = find_project(__file__)
JOBS = [(chapter, kind) for chapter in PROJECT.chapters for kind in ("student", "instructor")]
# The first run of a chapter takes its defaults. The second is about the exercises, which do not
# depend on the chapter's parameters: one study is enough for what comes before them.
LIGHTER = {"study": "mip-gsm8k", "task": "syllogisms"}
ALWAYS = {"02_traces": {"samples": 1}, "03_costs": {}, "09_organism": {"out": "family"}}
SLOWEST = (
    "09_organism",
    "your_models",
    "07_inflation",
    "10_multiverse",
    "11_claims",
    "03_costs",
    "02_traces",
)
LAST_CELL = "import handan\nprint('ALONE ' + handan.__file__)"
# What the set-up cell doesn't ask for can't be found, in the kernel and in what it starts.
WITHOUT = """
import os, sys
from importlib.machinery import PathFinder

class Without(PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        if name.split(".")[0] in os.environ.get("WITHOUT", "").split(","):
            return None
        return PathFinder.find_spec(name, path, target)

sys.meta_path[sys.meta_path.index(PathFinder)] = Without
"""
FOR_MODELS = ("torch", "transformers", "tokenizers", "pyarrow", "filelock", "huggingface_hub")
NEVER = ("trl", "datasets", "ray", "vllm", "openai", "jupytext")


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    """Build the wheel and install it where nothing of the checkout is; returns python and the package's folder."""
    place = tmp_path_factory.mktemp("alone")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(place)]
    subprocess.run(build, cwd=PROJECT.root, check=True, capture_output=True)
    (wheel,) = place.glob("handan-*.whl")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(place / "venv")], check=True)
    python = next(path for path in (place / "venv").rglob("python*") if path.stem == "python")
    ask = "import sysconfig; print(sysconfig.get_path('purelib'))"
    packages = Path(subprocess.check_output([python, "-c", ask], text=True).strip())
    # Third-party packages come from this environment. The file that points to the checkout lies in the same
    # folder, but Python reads such files only in its own.
    (packages / "others.pth").write_text(sysconfig.get_path("purelib") + "\n")
    (packages / "without.py").write_text(WITHOUT)
    (packages / "without.pth").write_text("import without\n")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(packages)
    kernel = place / "jupyter" / "kernels" / "alone"
    kernel.mkdir(parents=True)
    argv = [str(python), "-m", "ipykernel_launcher", "-f", "{connection_file}", "--log-level=40"]
    (kernel / "kernel.json").write_text(
        json.dumps({"argv": argv, "display_name": "alone", "language": "python"})
    )
    return python, packages


@pytest.fixture(scope="session")
def empty(site, tmp_path_factory):
    """Run a notebook in an otherwise empty folder; returns the executed notebook, or what went wrong."""
    python, _ = site
    place = python.parents[2]
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("HANDAN_", "PYTHON"))
    }
    environment |= {
        "JUPYTER_PATH": str(place / "jupyter"), "IPYTHONDIR": str(place / "ipython"), "TQDM_DISABLE": "1",
        "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1", "MPLBACKEND": "agg",
    }  # fmt: skip

    def run(notebook, name, folder=None, strict=False, without=(), **parameters):
        folder = folder or tmp_path_factory.mktemp(name)
        copy = nbformat.from_dict(notebook)
        copy.cells.append(nbformat.v4.new_code_cell(LAST_CELL))
        nbformat.write(copy, folder / f"{name}.ipynb")
        command = [
            python,
            "-m",
            "papermill",
            f"{name}.ipynb",
            f"{name}.out.ipynb",
            "-k",
            "alone",
            "--no-progress-bar",
        ]
        command += [part for key, value in parameters.items() for part in ("-p", key, str(value))]
        extra = {"WITHOUT": ",".join(without)} | ({"HANDAN_STRICT": "1"} if strict else {})
        done = subprocess.run(
            command, cwd=folder, env=environment | extra, capture_output=True, text=True, check=False
        )
        if done.returncode:
            return f"{done.stdout[-500:]}\n{done.stderr[-3000:]}"
        return nbformat.read(folder / f"{name}.out.ipynb", as_version=4)

    return run


def parameters(chapter, kind):
    from handan.book.chapter import read
    from handan.book.parameters import declared

    known = declared(read(PROJECT.source(chapter))) or {}
    given = {"profile": "cpu", **ALWAYS.get(chapter, {}), **(LIGHTER if kind == "instructor" else {})}
    return {name: value for name, value in given.items() if name in known}


def run_both(empty, folder, chapter, kinds):
    """Run a chapter's copies in one folder, the student's first: what it trained need not be trained again."""
    folder = folder / chapter
    folder.mkdir()
    missing = [*NEVER, *([] if needs.modules(PROJECT, chapter) else FOR_MODELS)]
    out = {}
    for kind in kinds:
        notebook = {"student": copies.student, "instructor": copies.instructor}[kind](PROJECT, chapter)
        out[kind] = empty(
            notebook,
            f"{chapter}-{kind}",
            folder,
            strict=kind == "instructor",
            without=missing,
            **parameters(chapter, kind),
        )
    return out


@pytest.fixture(scope="module")
def ran(empty, request, tmp_path_factory):
    """All notebooks that were asked for, two chapters at a time, the slowest first."""
    folder = tmp_path_factory.mktemp("empty")
    asked: dict[str, list[str]] = {}
    for item in request.session.items:
        given = getattr(getattr(item, "callspec", None), "params", {})
        if item.path == request.path and "kind" in given:
            asked.setdefault(given["chapter"], []).append(given["kind"])
    order = sorted(asked, key=lambda name: SLOWEST.index(name) if name in SLOWEST else len(SLOWEST))
    with ThreadPoolExecutor(2) as pool:
        futures: dict[str, Future] = {
            name: pool.submit(run_both, empty, folder, name, sorted(set(asked[name]), reverse=True))
            for name in order
        }
        yield lambda chapter, kind: futures[chapter].result()[kind]


@pytest.mark.parametrize(("chapter", "kind"), JOBS)
def test_a_notebook_runs_alone(ran, site, chapter, kind):
    notebook = ran(chapter, kind)
    assert not isinstance(notebook, str), notebook
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    assert [one for one in outputs if one.output_type == "error"] == []
    said = "\n".join(one.text for one in outputs if one.output_type == "stream" and one.name == "stdout")
    (line,) = [one for one in said.splitlines() if one.startswith("ALONE ")]
    assert Path(line.removeprefix("ALONE ")).parents[1] == site[1]
    for exercise in read_outline(PROJECT, chapter).exercises:
        expected = "no answer yet" if kind == "student" else "right."
        assert f"{exercise.id}: {expected}" in said


def test_checks_answer_in_a_live_kernel(site, empty):
    """A recognised mistake gets its hint, dots are no answer, and the right answer is right."""
    from handan.course.answers import make_record

    mistakes = {"That is the sum.": 8.5}
    record = make_record("4.1", 8.5 / 3, hint="Divide.", wrong=mistakes, digits=2, points=1)
    answers = {"right": 8.5 / 3, "mistake": 8.5, "other": 1.0}
    cells = [
        "import json\nfrom handan.course import answers, check",
        f"answers._packaged = lambda: {{'4.1': json.loads({json.dumps(record)!r})}}",
        *[f"mean = {value!r}\ncheck('4.1', mean)" for value in answers.values()],
        "mean = ...\ncheck('4.1', mean)",
    ]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(text) for text in cells])
    done = empty(notebook, "live")
    assert not isinstance(done, str), done
    assert [cell.outputs[0].text.strip() for cell in done.cells[2:6]] == [
        "4.1: right.", "4.1: not yet. That is the sum.", "4.1: not yet. Divide.",
        "4.1: no answer yet. Put yours in place of the dots.",
    ]  # fmt: skip


def test_a_strict_check_stops_a_notebook(empty):
    exercise = next((one for name in PROJECT.chapters for one in read_outline(PROJECT, name).exercises), None)
    assert exercise is not None
    text = f"from handan.course import check\ncheck({exercise.id!r}, ...)"
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(text)])
    assert f"AssertionError: {exercise.id}: no answer yet" in empty(notebook, "strict", strict=True)
    assert not isinstance(empty(notebook, "mild"), str)
