"""One chapter, executed in a process of its own: ``python -m handan.book.worker``.

The job comes as one line of JSON on standard input, which then stays open: when it
closes, the parent is gone, and the worker stops its kernel and itself. The executed
notebook appears under its final name only when it is complete.
"""

from __future__ import annotations

import json
import os
import re
import signal
import sys
import threading
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from handan import installed
from handan.book import chapter, kernel
from handan.book.stamp import KEY

if TYPE_CHECKING:
    from nbformat import NotebookNode

_COLOURS = re.compile(r"\x1b\[[0-9;]*m")
_RECORDED = (
    "handan",
    "numpy",
    "pandas",
    "scipy",
    "pingouin",
    "matplotlib",
    "seaborn",
    "torch",
    "transformers",
)


def main() -> int:
    """Read the job, execute it, write the results; 0 on success."""
    job = json.loads(sys.stdin.readline())
    threading.Thread(target=_stop_with_parent, daemon=True).start()
    target, failed = Path(job["target"]), Path(job["failed"])
    partial = Path(job["partial"])
    started = time.time()
    try:
        notebook = _execute(job, partial)
    except Exception as error:
        _write(failed.with_suffix(".json"), json.dumps(describe(error, job, partial, failed)))
        return 1
    finally:
        partial.unlink(missing_ok=True)
    failed.unlink(missing_ok=True)
    # the record goes first: a chapter counts as done once its notebook is there
    _write(Path(job["record"]), json.dumps(_record(started), indent=1))
    _write(target, _text(clean(notebook, job["stamp"], job["parameters"])))
    return 0


def clean(notebook: NotebookNode, stamp: dict[str, Any], parameters: dict[str, Any]) -> NotebookNode:
    """Remove what differs from run to run and add what the notebook was made from.

    Parameters
    ----------
    notebook : NotebookNode
        As papermill leaves it; changed in place and returned.
    stamp : dict
        ``digest`` and ``parts``.
    parameters : dict
        Those that were injected.
    """
    language = notebook.metadata.get("language_info", {})
    notebook.metadata = {
        "kernelspec": dict(chapter.KERNELSPEC),
        "language_info": language,
        KEY: {**stamp, "parameters": parameters},
    }
    for number, cell in enumerate(notebook.cells, 1):
        cell["id"] = f"cell-{number:03d}"
        for key in ("papermill", "execution"):
            cell.metadata.pop(key, None)
    return notebook


def describe(error: Exception, job: dict[str, Any], partial: Path, failed: Path) -> dict[str, Any]:
    """Say which cell and line failed, and keep what ran before it.

    Returns
    -------
    dict
        ``error`` (one line), ``cell`` (code cell from 1, or None), ``line`` (of the source,
        or None), ``code`` (that line's text) and ``kept`` (path of the partial notebook, or None).
    """
    import nbformat

    out: dict[str, Any] = {"error": _COLOURS.sub("", f"{type(error).__name__}: {error}").strip()}
    out |= {"cell": None, "line": None, "code": None, "kept": None}
    if not partial.exists():
        return out
    notebook = nbformat.read(partial, as_version=4)
    source = Path(job["source"]).read_text(encoding="utf-8")
    cells = chapter.code_cells(notebook)
    at = _failing(cells)
    if at is not None:
        output = next(part for part in cells[at].outputs if part.output_type == "error")
        out["error"] = _COLOURS.sub("", f"{output.ename}: {output.evalue}")
        first = chapter.first_lines(source, cells)[at]
        out["cell"] = at + 1
        out["line"] = None if first is None else first + _line_in_cell(output.traceback, cells[at]) - 1
        out["code"] = None if first is None else source.splitlines()[out["line"] - 1].strip()
    _write(failed, _text(clean(notebook, job["stamp"], job["parameters"])))
    out["kept"] = str(failed)
    return out


def _execute(job: dict[str, Any], partial: Path) -> NotebookNode:
    import papermill

    notebook = chapter.read(Path(job["source"]))
    return papermill.execute_notebook(
        notebook,
        str(partial),
        parameters=job["parameters"],
        kernel_name=kernel.NAME,
        language="python",
        cwd=job["cwd"],
        progress_bar=False,
        start_timeout=120,
    )


def _failing(cells: Sequence[NotebookNode]) -> int | None:
    for number, cell in enumerate(cells):
        allowed = "raises-exception" in cell.metadata.get("tags", [])
        if not allowed and any(output.output_type == "error" for output in cell.outputs):
            return number
    return None


def _line_in_cell(traceback: list[str], cell: NotebookNode) -> int:
    # the outermost frame of this cell: deeper ones are in functions that it called
    text = _COLOURS.sub("", "\n".join(traceback))
    found = re.search(rf"Cell In\[{cell.execution_count}\], line (\d+)", text)
    return int(found.group(1)) if found else 1


def _record(started: float) -> dict[str, Any]:
    import platform

    return {
        "started": datetime.fromtimestamp(started, UTC).isoformat(timespec="seconds"),
        "seconds": round(time.time() - started, 2),
        "python": platform.python_version(),
        "platform": f"{platform.system()} on {platform.machine()}, {os.cpu_count()} cores",
        "packages": installed.versions(_RECORDED),
    }


def _text(notebook: NotebookNode) -> str:
    import nbformat

    return nbformat.writes(notebook, version=4) + "\n"


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    waiting = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    waiting.write_text(text, encoding="utf-8")
    waiting.replace(path)


def _stop_with_parent() -> None:
    sys.stdin.read()
    # nbclient ends its kernel on this signal
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(5)
    os._exit(1)


if __name__ == "__main__":
    sys.exit(main())
