import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handan import address
from handan.course.setup_cell import KEPT, source

MODULES = ("accelerate", "pyarrow", "torch", "transformers")
# Stands for pip: notes what it was asked for, then does what the test wants.
PIP = """
import json, os, sys
with open(os.environ["NOTE"], "w") as note:
    json.dump(sys.argv[1:], note)
sys.exit(int(os.environ.get("FAILS", "0")))
"""


def run(folder, text, *, without=(), **env):
    """Run a cell in a process where some packages seem to be missing, and pip is a stand-in."""
    (folder / "pip").mkdir(exist_ok=True)
    (folder / "pip/__init__.py").write_text("")
    (folder / "pip/__main__.py").write_text(PIP)
    hide = f"""
import importlib.util
found = importlib.util.find_spec
importlib.util.find_spec = lambda name, *more: None if name in {tuple(without)!r} else found(name, *more)
"""
    (folder / "cell.py").write_text(hide + text)
    note = folder / "asked.json"
    environment = {**os.environ, "PYTHONPATH": str(folder), "NOTE": str(note), **env}
    done = subprocess.run(
        [sys.executable, "cell.py"], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    return done, note.read_text() if note.exists() else None


@given(
    st.sampled_from(["02_traces", "your_models"]),
    st.lists(st.sampled_from([*MODULES, "ray", "trl", "httpx2"]), unique=True),
)
def test_the_cell_is_short_and_valid(chapter, modules):
    text = source(chapter, modules)
    assert len(text.splitlines()) <= 15
    compile(text, "cell", "exec")
    assert text.rstrip().splitlines()[-1].startswith(f'machine.welcome("{chapter}"')


def test_nothing_is_installed_where_nothing_is_missing(tmp_path):
    done, asked = run(tmp_path, source("04_alignment", []))
    assert done.returncode == 0, done.stderr
    assert asked is None
    assert "04_alignment on" in done.stdout
    assert "this notebook needs no GPU" in done.stdout


def test_the_package_comes_from_the_repository_and_installed_versions_are_kept(tmp_path):
    done, asked = run(tmp_path, source("02_traces", MODULES), without=["handan"], HANDAN_INSTALL="")
    assert done.returncode == 0, done.stderr
    assert address.install("traces") in asked
    for name in KEPT:
        assert f"{name}=={version(name)}" in asked


def test_a_wheel_can_stand_in_for_the_repository(tmp_path):
    done, asked = run(
        tmp_path, source("02_traces", MODULES), without=["handan"], HANDAN_INSTALL="/class/handan.whl"
    )
    assert done.returncode == 0, done.stderr
    assert '"/class/handan.whl[traces]"' in asked
    assert "github" not in asked


def test_where_only_a_module_is_missing_the_package_stays(tmp_path):
    done, asked = run(
        tmp_path, source("02_traces", MODULES), without=["accelerate"], HANDAN_INSTALL="/class/handan.whl"
    )
    assert done.returncode == 0, done.stderr
    assert f'"handan[traces]=={version("handan")}"' in asked
    assert "git+" not in asked
    assert "/class" not in asked


def test_a_folder_of_the_same_name_is_not_taken_for_the_package(tmp_path):
    text = source("04_alignment", [])
    probe = text.split("if missing:")[0].replace("'handan'", "'clone'") + "print(missing)\n"
    (tmp_path / "clone/src").mkdir(parents=True)
    done, _ = run(tmp_path, probe)
    assert done.stdout.strip() == "['clone']"


def test_when_pip_refuses_it_is_said_what_to_do(tmp_path):
    done, _ = run(tmp_path, source("02_traces", MODULES), without=["handan"], FAILS="1")
    assert done.returncode == 1
    last = done.stderr.strip().splitlines()[-1]
    assert "pip could not add ['handan'] beside ['torch==" in last
    assert address.book("book/troubleshooting") in last
    assert "On Kaggle, switch on Internet" in last


@pytest.mark.parametrize(
    "chapter", sorted(path.stem for path in (Path(__file__).parents[2] / "notebooks").glob("*.py"))
)
def test_every_chapter_has_one(root, chapter):
    from handan.book.project import Project
    from handan.course.needs import modules

    needed = modules(Project(root), chapter)
    text = source(chapter, needed)
    compile(text, "cell", "exec")
    assert ("models=False" in text) is (chapter != "your_models")


def test_a_notebook_that_needs_torch_for_tiny_models_alone_hears_of_no_other(tmp_path):
    watch = "\nimport sys\nprint('torch was imported:', 'torch' in sys.modules)\n"
    done, _ = run(tmp_path, source("02_traces", MODULES) + watch)
    assert done.returncode == 0, done.stderr
    assert "Profile: cpu" in done.stdout
    assert "Number format: float32" in done.stdout
    assert "torch was imported: False" in done.stdout
    for word in ("download", "teacher", "Traces would be kept", "No model"):
        assert word not in done.stdout
