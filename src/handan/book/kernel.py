"""The kernel that chapters run in: this interpreter, this tree's modules, no progress bars, one thread."""

from __future__ import annotations

import json
import os
import sys

from handan.book.project import Project

NAME = "handan-book"
_QUIET = {
    # a progress bar becomes one line of output per step
    "TQDM_DISABLE": "1",
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    "PYTHONWARNINGS": "ignore:IProgress not found",
    "MPLBACKEND": "module://matplotlib_inline.backend_inline",
    "PYTHONHASHSEED": "0",
    # chapters run side by side: more threads than cores would only get in each other's way
    **dict.fromkeys(
        ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS"), "1"
    ),
}


def environment(project: Project) -> dict[str, str]:
    """Return the environment variables of a worker, which its kernel inherits."""
    paths = [str(project.root / "src"), os.environ.get("PYTHONPATH", "")]
    return {
        **os.environ,
        **_QUIET,
        # the modules that were stamped are the ones that run
        "PYTHONPATH": os.pathsep.join(filter(None, paths)),
        "JUPYTER_PATH": str(project.build / "jupyter"),
        # the reader's own start-up files have no part in the book
        "IPYTHONDIR": str(project.build / "jupyter" / "ipython"),
    }


def write_kernelspec(project: Project) -> None:
    """Describe a kernel of this interpreter, whatever kernels the user has installed."""
    folder = project.build / "jupyter" / "kernels" / NAME
    folder.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}", "--log-level=40"]
    spec = {"argv": command, "display_name": "Python 3", "language": "python"}
    (folder / "kernel.json").write_text(json.dumps(spec), encoding="utf-8")
