"""The first code cell of a notebook for readers: install what is missing, then say what this machine is."""

from __future__ import annotations

from collections.abc import Sequence

from handan.address import book, install

# Which extra of the package brings a module; all others that chapters import come with `traces`.
_EXTRAS = {"httpx2": "api", "trl": "train", "datasets": "train", "ray": "scale"}
# Loaded by the notebook already, or built for the platform's GPU: another version would need a restart.
KEPT = ("torch", "numpy", "pandas", "scipy", "matplotlib", "pyarrow", "transformers")
TROUBLE = "book/troubleshooting"
# The one notebook that asks the models of the machine's profile. Others need torch for tiny models at most.
ASKS_MODELS = "your_models"
_KAGGLE = "On Kaggle, switch on Internet in the notebook's settings first."

# A folder that happens to be called as a module has a spec too, but no origin.
_CELL = """\
# Set-up: adds what is missing, replaces nothing that is here, and says what this machine is.
import importlib, os, subprocess, sys
from importlib import metadata, util
missing = [name for name in {modules} if not getattr(util.find_spec(name), "origin", None)]
if missing:
    wheel = os.environ.get("HANDAN_INSTALL")  # a file, for classes without internet
    package = f"{{wheel}}{extra}" if wheel else "{source}"
    if "handan" not in missing:  # the one that is here stays, and gets what it lacks
        package = "handan{extra}==" + metadata.version("handan")
    pins = [f"{{name}}=={{metadata.version(name)}}" for name in {kept} if util.find_spec(name)]
    if subprocess.run([sys.executable, "-m", "pip", "install", "-q", package, *pins]).returncode:
        raise RuntimeError(f"pip could not add {{missing}} beside {{pins}}. {kaggle} What to do: {help}")
    importlib.invalidate_caches()
from handan import machine
machine.welcome("{chapter}"{models})
"""


def source(chapter: str, modules: Sequence[str]) -> str:
    """Write the set-up cell of a notebook.

    It runs pip only where the package or a module is missing. The package comes from the
    repository, or from what the environment variable ``HANDAN_INSTALL`` names: the path of a
    wheel, for classes without internet; where it is installed already, only what its extra brings
    is added. pip is told the installed versions of handan and of `KEPT`, so that it stops rather
    than replace one of them.

    Parameters
    ----------
    chapter : str
        The notebook, ``04_alignment``.
    modules : sequence of str
        Top-level modules of other packages that the chapter imports, such as ``torch``.

    Returns
    -------
    str
        At most 15 lines of Python.
    """
    extras = ",".join(sorted({_EXTRAS.get(name, "traces") for name in modules}))
    return _CELL.format(
        modules=["handan", *modules],
        kept=list(KEPT),
        source=install(extras),
        extra=f"[{extras}]" if extras else "",
        kaggle=_KAGGLE,
        help=book(TROUBLE),
        chapter=chapter,
        models="" if chapter == ASKS_MODELS else ", models=False",
    )
