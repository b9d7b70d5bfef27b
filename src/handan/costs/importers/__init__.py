"""Read the logs of other tools as a costs table.

================  ===================================================================
kind              file
================  ===================================================================
``lm-eval``       ``samples_*.jsonl`` of lm-evaluation-harness, or their folder
``inspect``       ``.eval`` or ``.json`` of inspect_ai, or their folder
``openai-batch``  output (and error) files of the OpenAI batch service
``vllm-batch``    output of ``vllm run-batch``
``jsonl``         JSON lines or a JSON array, with a map of columns
``parquet``       Parquet, with a map of columns
``csv``           CSV with a header, with a map of columns
================  ===================================================================

What a log does not say stays empty, and is said in the remarks. Texts are split and
counted by the rules of `handan.costs.account`, as our own traces are.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

from handan.costs.importers import batch, inspect_log, lm_eval, mapped
from handan.costs.importers.assemble import Imported, assemble
from handan.costs.importers.reply import Log, Options
from handan.traces.errors import ImportFormatError

__all__ = ["KINDS", "Imported", "Options", "read"]

KINDS: dict[str, Callable[[Any, Options], Log]] = {
    "lm-eval": lm_eval.read,
    "inspect": inspect_log.read,
    "openai-batch": batch.read,
    "vllm-batch": batch.read,
    "jsonl": mapped.read_json,
    "parquet": mapped.read_parquet,
    "csv": mapped.read_csv,
}
# What each kind has a use for; all take study, model, task, tokenizer and tags.
_OWN = {
    "lm-eval": {"item", "metric"},
    "inspect": {"item", "metric"},
    "openai-batch": {"requests", "pattern"},
    "vllm-batch": {"requests", "pattern"},
    "jsonl": {"columns"},
    "parquet": {"columns"},
    "csv": {"columns"},
}


def read(kind: str, path: str | Path | Sequence[str | Path], **options: Any) -> Imported:
    """Read a log of another tool.

    Parameters
    ----------
    kind : str
        One of `KINDS`.
    path : path, or several
        The log.
    **options
        Fields of `Options`; None counts as not given.

    Returns
    -------
    Imported
        The costs table, and remarks on what could not be known.

    Raises
    ------
    ImportFormatError
        When the kind or an option of it is unknown, or a file is not what it was said to be.
    TableError
        When the rows make no costs table: a missing item, a number that is none, two
        rows for one sample.
    TokenizerError
        When the tokenizer can't be read.
    """
    if kind not in KINDS:
        raise ImportFormatError(f"no log of kind {kind!r} can be read; there are: {', '.join(KINDS)}")
    given = {name: value for name, value in options.items() if value is not None}
    common = {field.name for field in fields(Options)} - set().union(*_OWN.values())
    if strange := sorted(given.keys() - common - _OWN[kind]):
        usable = ", ".join(sorted(common | _OWN[kind]))
        raise ImportFormatError(f"{kind} has no use for {', '.join(strange)}; it takes: {usable}")
    chosen = Options(**given)
    return assemble(_log(kind, path, chosen), chosen)


def _log(kind: str, path: Any, options: Options) -> Log:
    try:
        return KINDS[kind](path, options)
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        # A field of another type than the tool writes, in a log that was edited or is of a new version.
        raise ImportFormatError(
            f"{path} is not built as a log of kind {kind} is ({type(error).__name__}: {error})"
        ) from error
