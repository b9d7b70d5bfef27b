"""Install beside Colab's packages, really, and see that none of them is replaced and chapters run.

    python scripts/colab_install.py 3.13

Makes an environment in a temporary folder with that Python, installs what Colab's runtime has
(``tests/colab/pythonVERSION.txt``), builds the wheel, runs a notebook's set-up cell with the
environment's own pip, compares the versions before and after, and runs the notebooks for teachers,
whose answers must pass their checks. Needs uv and
the package registry; ``UV_TORCH_BACKEND=cpu`` gets a small torch where PyTorch's index can be
reached. Exit code 1: something was replaced, or a chapter failed.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
MODULES = ("torch", "transformers", "pyarrow")
_LIST = """
import importlib.metadata, json
print(json.dumps({one.name.lower(): one.version for one in importlib.metadata.distributions()}))
"""


def main() -> int:
    """Do it for the Python named on the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("python", choices=[path.stem.removeprefix("python") for path in pinned()])
    parser.add_argument("--chapter", action="append", help="A chapter to run; default all.")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="colab-") as folder:
        return check(given.python, given.chapter or notebooks(), Path(folder))


def notebooks() -> list[str]:
    """Names of all notebooks for readers."""
    return sorted(path.stem for path in (ROOT / "notebooks/instructor").glob("*.ipynb"))


def pinned() -> list[Path]:
    """List the files with Colab's versions."""
    return sorted((ROOT / "tests/colab").glob("python*.txt"))


def check(version: str, chapters: list[str], folder: Path) -> int:
    """Install and run in a folder; return the exit code."""
    python = environment(version, folder / "env")
    wheel = build(folder / "wheel")
    before = versions(python)
    done = set_up(python, wheel, folder)
    if done.returncode:
        print("the set-up cell failed", file=sys.stderr)
        return 1
    after = versions(python)
    changed = {name: (old, after.get(name)) for name, old in before.items() if after.get(name) != old}
    print(f"{len(before)} packages were there, {len(after.keys() - before.keys())} were added")
    for name, (old, new) in changed.items():
        print(f"replaced: {name} {old} by {new}", file=sys.stderr)
    failed = [chapter for chapter in chapters if run(python, chapter, folder).returncode]
    for chapter in chapters:
        print(f"{chapter}: {'failed' if chapter in failed else 'ran'}")
    return int(bool(changed or failed))


def environment(version: str, folder: Path) -> Path:
    """Make an environment as Colab's, with pip, and return its interpreter."""
    uv("venv", "--quiet", "--seed", "--python", version, str(folder))
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    pins = ROOT / f"tests/colab/python{version}.txt"
    uv("pip", "install", "--quiet", "--python", str(python), "-r", str(pins))
    return python


def build(folder: Path) -> Path:
    """Build the wheel of this checkout."""
    uv("build", "--quiet", "--wheel", "--out-dir", str(folder), str(ROOT))
    return next(folder.glob("*.whl"))


def versions(python: Path) -> dict[str, str]:
    """Version of every package that an interpreter has, by name."""
    done = subprocess.run([str(python), "-c", _LIST], check=True, capture_output=True, text=True)
    return dict(json.loads(done.stdout))


def set_up(python: Path, wheel: Path, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run the set-up cell as a notebook on Colab would, with the wheel in place of the repository."""
    sys.path.insert(0, str(ROOT / "src"))
    from handan.course.setup_cell import source

    return program(python, source("02_traces", MODULES), folder, HANDAN_INSTALL=str(wheel))


def run(python: Path, chapter: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run the code of a notebook for teachers as a program, with the sizes of the profile `quick`."""
    notebook = json.loads((ROOT / f"notebooks/instructor/{chapter}.ipynb").read_text(encoding="utf-8"))
    cells = ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code"]
    # the first is the set-up, which has been run
    text = "\n\n".join(cells[1:]).replace('profile = "auto"', 'profile = "quick"')
    return program(python, text, folder, MPLBACKEND="agg", HANDAN_STRICT="1")


def program(python: Path, text: str, folder: Path, **env: str) -> subprocess.CompletedProcess[str]:
    """Run a text as a program in an empty folder."""
    here = Path(tempfile.mkdtemp(dir=folder))
    (here / "program.py").write_text(text, encoding="utf-8")
    clean = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}
    return subprocess.run([str(python), "program.py"], cwd=here, env={**clean, **env}, check=False, text=True)


def uv(*arguments: str) -> None:
    """Run uv, the one beside this interpreter if there is one, without local stores of packages."""
    beside = Path(sys.executable).with_name("uv")
    command = str(beside) if beside.exists() else shutil.which("uv")
    if command is None:
        raise SystemExit("uv is not installed: python -m pip install uv")
    hidden = ("UV_FIND_LINKS", "PIP_FIND_LINKS", "VIRTUAL_ENV")
    env = {name: value for name, value in os.environ.items() if name not in hidden}
    subprocess.run([command, *arguments], check=True, env=env)


if __name__ == "__main__":
    sys.exit(main())
