"""From errors to exit codes: 2 for what a user can mend, 1 for what failed, 130 for Ctrl-C."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable
from typing import Any, NoReturn

from handan.output import harmless

# The core is light: what a command needs beyond it is an extra.
_EXTRAS = {
    **dict.fromkeys(("torch", "transformers", "tokenizers", "safetensors", "accelerate"), "traces"),
    **dict.fromkeys(("pyarrow", "filelock", "fsspec", "huggingface_hub"), "traces"),
    **{
        "httpx2": "api",
        "ray": "scale",
        "vllm": "vllm",
        "trl": "train",
        "datasets": "train",
        "papermill": "book",
        "jupytext": "book",
    },
}


def guarded(command: Callable[[], Any]) -> None:
    """Run a command; its warnings become notes, and its errors one message each.

    Parameters
    ----------
    command : callable
        Takes its arguments from the command line.

    Raises
    ------
    SystemExit
        With the exit code.
    """
    from concurrent.futures.process import BrokenProcessPool

    from handan.book.errors import BookError, ParameterError, ProjectError
    from handan.costs.decoder import TokenizerError
    from handan.findings.join import NoOverlap
    from handan.organism.checkpoint import CheckpointError
    from handan.organism.lessons import LessonError
    from handan.tables import TableError
    from handan.traces.errors import ImportFormatError, ModelError, RequestError, TracesError

    mended = (ImportFormatError, ModelError, RequestError, TokenizerError)
    warnings.showwarning = _note
    try:
        command()
    except (*mended, TableError, NoOverlap, LookupError, ParameterError, ProjectError) as error:
        _fail(error, 2)
    except (BookError, TracesError, CheckpointError, LessonError) as error:
        _fail(error, 1)
    except ModuleNotFoundError as error:
        if (error.name or "").split(".")[0] not in _EXTRAS:
            raise
        extra = _EXTRAS[(error.name or "").split(".")[0]]
        _fail(ModuleNotFoundError(f"this needs {error.name}: pip install 'handan[{extra}]'"), 2)
    except BrokenProcessPool:
        _fail(RuntimeError("a process was killed, perhaps for want of memory; the same command goes on"), 1)
    except OSError as error:
        _fail(error, 1)
    except KeyboardInterrupt:
        print("interrupted; what was finished is kept", file=sys.stderr)
        raise SystemExit(130) from None


def _note(message: Warning | str, *place: Any, **more: Any) -> None:
    print(f"note: {harmless(message)}", file=sys.stderr)


def _fail(error: Exception, code: int) -> NoReturn:
    text = str(error.args[0]) if isinstance(error, KeyError) and error.args else str(error)
    print("\n".join(harmless(line) for line in f"error: {text}".splitlines()), file=sys.stderr)
    raise SystemExit(code)
