"""Traces of the packaged tiny models, made on the spot: teacher, student and base on the same items."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

MODELS = ("teacher-carry-s0", "student-matched-carry-s0", "base-carry-s0")
TASKS = ("binary-addition", "binary-subtraction")
_LIMIT = 200  # tokens, as in the recorded study
_BATCH = 256


@dataclass(frozen=True)
class Samples:
    """Traces to show beside an item.

    Attributes
    ----------
    models : tuple of str
        In the order in which they stand side by side.
    rows : DataFrame
        ``model, task, item, text, tokens, cut, correct``, one row per model and item; `correct`
        is 1, 0 or missing.
    """

    models: tuple[str, ...]
    rows: pd.DataFrame


def tiny_traces(
    models: Sequence[str] = MODELS, tasks: Sequence[str] = TASKS, *, limit: int | None = None
) -> Samples:
    """Let packaged tiny models do the items that the recorded study asked.

    Seed and settings are those of the recorded study, whose first sample this repeats.

    Parameters
    ----------
    models : sequence of str
        Names of packaged models.
    tasks : sequence of str
        Tasks of the tiny models' grammar.
    limit : int, optional
        Items per task; all by default.

    Raises
    ------
    TracesError
        When a model or a task is not known.
    """
    from handan.organism.corpus import held_out_items
    from handan.traces import Decoding, jobs
    from handan.traces.choose import Options

    items = [one for task in tasks for one in held_out_items((task,))[:limit]]
    decoding = Decoding(_LIMIT, 1.0, top_p=1.0, seed=0)
    with TemporaryDirectory(prefix="explorer-") as folder:
        for model in models:
            job = jobs.prepare(model, list(tasks), decoding, Options(batch_size=_BATCH), items=items)
            jobs.execute(job, Path(folder))
        return Samples(tuple(models), _read(Path(folder)))


def _read(folder: Path) -> pd.DataFrame:
    from handan.traces.counting import counted

    table, _ = counted([folder], keep_text=True)
    thought = table["reasoning_text"].fillna("").str.strip()
    answer = table["answer_text"].fillna("").str.strip()
    rows = table[["model", "task", "item", "correct"]].copy()
    rows["text"] = (thought + "\n" + answer).str.strip()
    rows["tokens"] = table["output_tokens"]
    rows["cut"] = table["stop"].eq("length").fillna(False).astype(bool)
    return rows
