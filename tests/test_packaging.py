import re
import subprocess
import sys
import tomllib

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

CONDA_NAMES = {"pytorch": "torch"}


@pytest.fixture(scope="module")
def project(root):
    return tomllib.loads((root / "pyproject.toml").read_text())["project"]


def bounds(lines):
    return {one.name: one.specifier for one in map(Requirement, lines) if one.name != "handan"}


def test_environment_and_pyproject_have_the_same_bounds(root, project):
    extras = project["optional-dependencies"]
    wanted = bounds([*project["dependencies"], *extras["book"], *extras["traces"]])
    wanted["python"] = SpecifierSet(project["requires-python"])
    listed = yaml.safe_load((root / "environment.yml").read_text())["dependencies"]
    have = bounds(line for line in listed if isinstance(line, str))
    have = {CONDA_NAMES.get(name, name): spec for name, spec in have.items()}
    for helper in ("pip", "make"):
        assert have.pop(helper) == SpecifierSet()
    assert have == wanted


def test_the_extras_that_users_are_told_about_exist(project):
    assert set(project["optional-dependencies"]) == {
        *("book", "traces", "api", "train", "scale", "pdf", "vllm", "dev")
    }
    assert project["scripts"] == {"handan": "handan.cli:main"}


def test_every_requirement_is_bounded_on_both_sides(project):
    lines = project["dependencies"] + sum(project["optional-dependencies"].values(), [])
    for name, spec in bounds(lines).items():
        operators = {one.operator for one in spec}
        assert {">=", "<"} <= operators, name


def test_the_pins_satisfy_the_bounds_and_hold_no_address(root, project):
    text = (root / "constraints.txt").read_text()
    assert "://" not in text
    pins = {}
    for line in text.splitlines():
        one = Requirement(line)
        assert re.fullmatch(r"==[\w.+]+", str(one.specifier)), line
        pins.setdefault(one.name.lower().replace("_", "-"), []).append(str(one.specifier)[2:])
    extras = dict(project["optional-dependencies"])
    assert bounds(
        extras.pop("vllm")
    )  # brings its own torch and transformers, so it can't be pinned beside ours
    lines = project["dependencies"] + sum(extras.values(), [])
    for name, spec in bounds(lines).items():
        assert pins[name], name
        assert all(spec.contains(version, prereleases=True) for version in pins[name]), name


def test_importing_handan_loads_nothing_heavy():
    code = "import sys, handan; print([m for m in ('numpy', 'pandas', 'scipy', 'torch', 'matplotlib') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_no_command_or_chapter_module_loads_torch():
    code = (
        "import sys, handan.cli, handan.cards, handan.figures, handan.findings.transfer, handan.book.build;"
        "print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_a_wheel_carries_the_tables(root, tmp_path):
    from hatchling.builders.wheel import WheelBuilder

    names = {entry.distribution_path for entry in WheelBuilder(str(root)).recurse_included_files()}
    data = {str(path.relative_to(root / "src")) for path in (root / "src/handan/data").rglob("*.*")}
    assert data
    assert data <= names
    assert "handan/py.typed" in names
