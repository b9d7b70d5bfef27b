"""Complete a costs table with what a log knows, and empty what was counted on a text that isn't there."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from handan.costs.account import NUMBERS
from handan.costs.importers.reply import Reply, error_text
from handan.schema import Problem, TableError

_BY_TEXT = [name for name in NUMBERS if name not in ("output_tokens", "correct")]


def completed(costs: pd.DataFrame, replies: Sequence[Reply]) -> pd.DataFrame:
    """Complete the table of `handan.costs.account`, row by row.

    Parameters
    ----------
    costs : DataFrame
        One row per reply, in their order.
    replies : sequence of Reply
        What the table was made of.

    Raises
    ------
    TableError
        When a count of output tokens is no number. Other columns are checked with the table.
    """
    costs = _emptied(costs, replies)
    judged = pd.Series([reply.correct for reply in replies], costs.index, dtype="float64")
    costs["correct"] = judged.fillna(costs["correct"])
    for name in sorted({name for reply in replies for name in reply.given}):
        # As objects: what is no number is named by the check of the table, with its row.
        given = pd.Series([reply.given.get(name) for reply in replies], costs.index, dtype=object, name=name)
        before = costs[name] if name in costs else pd.Series(None, costs.index, dtype=object)
        merged = given.where(given.notna(), before.astype(object))
        costs[name] = _numbers(merged) if name == "output_tokens" else merged
    costs["output_chars"] = pd.Series([_length(reply) for reply in replies], costs.index, dtype="float64")
    costs["finish_reason"] = pd.array([reply.finish_reason for reply in replies], dtype="string")
    errors = [None if reply.error is None else error_text(reply.error) for reply in replies]
    costs["error"] = pd.array(errors, dtype="string")
    return costs


def _numbers(values: pd.Series) -> pd.Series:
    """Make counts of a column that is not among those whose check does so."""
    numbers = pd.to_numeric(values, errors="coerce").astype("float64")
    bad = values.notna() & ~(numbers.between(0, np.inf, inclusive="left"))
    problems = [
        Problem(f"row {row}", str(values.name), f"{value!r} is no number of at least 0")
        for row, value in values[bad].items()
    ]
    if problems:
        raise TableError("costs", problems)
    return numbers


def _length(reply: Reply) -> int | None:
    """Characters of the whole output, its tags included; None where part of it is not there."""
    if reply.hidden or reply.error is not None or (reply.text is None and reply.reasoning is None):
        return None
    return len(reply.text or "") + len(reply.reasoning or "")


def _emptied(costs: pd.DataFrame, replies: Sequence[Reply]) -> pd.DataFrame:
    """Empty the counts of rows whose reasoning can't be seen and was not counted by a server either."""
    unseen = np.array([reply.hidden or (reply.text is None and reply.reasoning is None) for reply in replies])
    reported = np.array([bool(reply.reasoning_tokens) for reply in replies])
    failed = (costs["stop"] == "error").fillna(False).to_numpy(dtype=bool)
    blind = unseen & ~reported & ~failed
    costs.loc[blind, _BY_TEXT] = np.nan
    costs.loc[blind, ["tokenizer", "tags"]] = pd.NA
    costs.loc[blind, "counted"] = "unknown"
    costs.loc[blind, "loop"] = pd.NA
    answerless = np.array([reply.reasoning is not None and reply.text is None for reply in replies])
    costs.loc[answerless & ~reported, "answer_tokens"] = np.nan
    costs.loc[np.array([reply.hidden for reply in replies]) & ~failed, "tags"] = "hidden"
    return costs
