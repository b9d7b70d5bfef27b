"""Can a notebook's set-up cell install beside Colab's own packages, by the versions that Colab published?"""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from handan.course.setup_cell import KEPT, source

HERE = Path(__file__).parent
UV = Path(sys.executable).with_name("uv")
PINS = sorted(HERE.glob("python*.txt"))
# What uv says when there is no way to the registry.
UNREACHABLE = (
    "Failed to fetch",
    "dns error",
    "error sending request",
    "Could not connect",
    "Network is unreachable",
)


def pinned(path):
    """Version by package of a file of pins."""
    lines = (line.partition("#")[0].strip() for line in path.read_text().splitlines())
    return {name: version for name, _, version in (line.partition("==") for line in lines if line)}


def resolve(root, *arguments):
    """What uv would install, by package; a test is skipped where the registry can't be reached."""
    if not UV.exists():
        pytest.skip("uv is not installed beside this Python")
    hidden = ("UV_FIND_LINKS", "PIP_FIND_LINKS", "UV_TORCH_BACKEND")
    env = {name: value for name, value in os.environ.items() if name not in hidden}
    command = [
        str(UV),
        "pip",
        "compile",
        "--quiet",
        "--no-header",
        "--no-annotate",
        "--python-platform",
        "linux",
    ]
    done = subprocess.run(
        [*command, *arguments], cwd=root, env=env, capture_output=True, text=True, check=False
    )
    if done.returncode and any(mark in done.stderr for mark in UNREACHABLE):
        pytest.skip(f"the package registry can't be reached: {done.stderr.strip().splitlines()[-1]}")
    assert done.returncode == 0, done.stderr
    found = [Requirement(line) for line in done.stdout.splitlines() if "==" in line]
    return {one.name: str(one.specifier).removeprefix("==") for one in found}


def version_of(path):
    return path.stem.removeprefix("python")


def test_there_are_pins_for_both_pythons():
    assert [version_of(path) for path in PINS] == ["3.12", "3.13"]
    for path in PINS:
        assert {"torch", "numpy"} <= set(pinned(path))


@pytest.mark.parametrize("pins", PINS, ids=version_of)
def test_a_notebook_installs_beside_colabs_packages(root, pins):
    # All of Colab's packages are asked for as well: they are there, and have to fit together with ours.
    extras = [part for part in ("traces",) if f"[{part}]" in source("02_traces", ["torch"])]
    assert extras, "the set-up cell asks for other extras than this test resolves"
    options = [option for extra in extras for option in ("--extra", extra)]
    found = resolve(root, "pyproject.toml", str(pins), *options, "--python-version", version_of(pins))
    assert {name: found.get(name) for name in pinned(pins)} == pinned(pins)
    assert "pingouin" in found


def test_a_package_that_would_replace_one_of_colabs_is_noticed(root, tmp_path):
    (tmp_path / "pins.txt").write_text("numpy==1.26.4\n")
    with pytest.raises(AssertionError, match="numpy"):
        resolve(root, "pyproject.toml", str(tmp_path / "pins.txt"), "--python-version", "3.12")


def test_the_pins_name_what_the_set_up_cell_keeps():
    latest = pinned(PINS[-1])
    # Colab's version of pyarrow is not among the published ones.
    assert set(KEPT) - {"pyarrow"} <= set(latest)
