"""Complete a costs table with what a log knows, and empty what was counted on a text that isn't there."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from handan.costs.account import NUMBERS
from handan.costs.importers.reply import Reply, error_text

_BY_TEXT = [name for name in NUMBERS if name not in ("output_tokens", "correct")]


def completed(costs: pd.DataFrame, replies: Sequence[Reply]) -> pd.DataFrame:
    """Complete the table of `handan.costs.account`, row by row.

    Parameters
    ----------
    costs : DataFrame
        One row per reply, in their order.
    replies : sequence of Reply
        What the table was made of.
    """
    costs = _emptied(costs, replies)
    judged = pd.Series([reply.correct for reply in replies], costs.index, dtype="float64")
    costs["correct"] = judged.fillna(costs["correct"])
    for name in sorted({name for reply in replies for name in reply.given}):
        # As objects: what is no number is named by the check of the table, with its row.
        given = pd.Series([reply.given.get(name) for reply in replies], costs.index, dtype=object)
        before = costs[name] if name in costs else pd.Series(None, costs.index, dtype=object)
        costs[name] = given.where(given.notna(), before.astype(object))
    costs["finish_reason"] = pd.array([reply.finish_reason for reply in replies], dtype="string")
    errors = [None if reply.error is None else error_text(reply.error) for reply in replies]
    costs["error"] = pd.array(errors, dtype="string")
    return costs


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
