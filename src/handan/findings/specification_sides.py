"""Both models of every pair correlated with people, under one set of choices of analysis.

A pair's two correlations are its sides. Many pairs share a side: the same model on the same
items. Each side is computed once, with all of its items and without each of them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from handan.findings.specification_data import BoolArray, FloatArray, Task
from handan.stats.leave_one_out import LeftOut, leave_one_out

STRATA = 3

# Two sides that are not computed: where a pair has no second model, r itself is the difference.
NO_MODEL, NOT_MEASURED = 0, 1


@dataclass(frozen=True)
class Choice:
    """How costs are correlated with people; each field is a level of the choice of that name.

    Attributes
    ----------
    cost : str
        The cost column.
    scale : {"log", "raw"}
        Log of the cost, or the cost.
    human : {"log", "as is"}
        Log of a time, or the human measure as it is.
    correlation : {"pearson", "spearman"}
        Which r.
    prompt : {"ignored", "partialled out", "matched"}
        What is done about the length of the prompt; ``matched`` averages r over its thirds.
    answers : {"all", "right only", "both right"}
        Which answers count: ``right only`` compares each model on the items that it got
        right, ``both right`` both models on the items that both got right.
    truncated : {"kept", "dropped", "items dropped"}
        Traces that were cut at the limit, or the items of a pair with such a trace.
    loops : {"kept", "dropped"}
        Traces that end in a loop.
    """

    cost: str = "reasoning_tokens"
    scale: str = "log"
    human: str = "as is"
    correlation: str = "pearson"
    prompt: str = "ignored"
    answers: str = "all"
    truncated: str = "kept"
    loops: str = "kept"

    def but(self, **levels: str) -> Choice:
        """Give the same choices but for these."""
        return replace(self, **levels)


class Sides(NamedTuple):
    """The sides of all pairs in one task of n items.

    Attributes
    ----------
    r : ndarray of shape (k,)
        Correlations with people; NaN where undefined. Side `NO_MODEL` is 0, `NOT_MEASURED` NaN.
    without : ndarray of shape (n, k)
        The same without each item.
    used : ndarray of bool of shape (n, k)
        The items behind each.
    place : ndarray of int of shape (2, pairs)
        Where the sides a and b of each pair are among the k.
    """

    r: FloatArray
    without: FloatArray
    used: BoolArray
    place: NDArray[np.intp]


def models_of(pairs: pd.DataFrame) -> list[str]:
    """Names of all models of the pairs, each once.

    Parameters
    ----------
    pairs : DataFrame
        ``a, b``; `b` may be missing.
    """
    return [str(name) for name in dict.fromkeys([*pairs["a"], *pairs["b"]]) if not pd.isna(name)]


def unsupported(tasks: list[Task], models: list[str], choice: Choice) -> str:
    """Say why a study can't support a choice; empty where it can.

    Parameters
    ----------
    tasks : list of Task
        Of one study.
    models : list of str
        The models that are compared.
    choice : Choice
        What is asked for.
    """
    if not models:
        return "no such pair of models"
    if all(np.isnan(task.costs[choice.cost]).all() for task in tasks):
        return f"no {choice.cost} recorded"
    if not all(choice.human in task.human for task in tasks):
        return "the norms are not times"
    if choice.answers != "all" and not any(task.known(models, task.right) for task in tasks):
        return "no record of right and wrong answers"
    if choice.truncated != "kept":
        if not any(task.known(models, task.cut) for task in tasks):
            return "no record of how traces ended"
        if not any(task.any(models, task.cut) for task in tasks):
            return "no trace was cut"
    if choice.loops != "kept":
        if not any(task.known(models, task.loop) for task in tasks):
            return "no record of loops"
        if not any(task.any(models, task.loop) for task in tasks):
            return "no trace ends in a loop"
    if choice.prompt != "ignored" and all(np.isnan(task.log_prompt).all() for task in tasks):
        return "no record of prompt lengths"
    return ""


def sides(task: Task, pairs: pd.DataFrame, choice: Choice) -> Sides:
    """Correlate both models of every pair with people, on the items that the choice leaves.

    Parameters
    ----------
    task : Task
        The traces.
    pairs : DataFrame
        ``a, b``; where `b` is missing the difference is the r of `a`.
    choice : Choice
        What is correlated, over which traces. The models of a pair are compared on their
        common items, but with ``right only`` each on its own.
    """
    cost = task.matrix(choice.cost, choice.scale, choice.answers, choice.truncated, choice.loops)
    usable = ~np.isnan(cost)
    if choice.prompt != "ignored":
        usable &= ~np.isnan(task.log_prompt)
    column = {name: k for k, name in enumerate(task.models)}
    place = np.full((2, len(pairs)), NOT_MEASURED, dtype=np.intp)
    wanted: dict[tuple[int, bytes], int] = {}
    for k, (a, b) in enumerate(zip(pairs["a"], pairs["b"], strict=True)):
        if pd.isna(b):
            place[1, k] = NO_MODEL
        models = [name for name in (a, b) if not pd.isna(name)]
        if not set(models) <= set(column):
            continue
        masks = [usable[:, column[name]] for name in models]
        common = np.logical_and.reduce(masks)
        for side, name in enumerate(models):
            mask = masks[side] if choice.answers == "right only" else common
            key = (column[name], mask.tobytes())
            place[side, k] = wanted.setdefault(key, 2 + len(wanted))
    return _gathered(task, cost, [(p, np.frombuffer(mask, dtype=bool)) for p, mask in wanted], choice, place)


def _gathered(
    task: Task, cost: FloatArray, wanted: list[tuple[int, BoolArray]], choice: Choice, place: NDArray[np.intp]
) -> Sides:
    n = len(cost)
    found = [LeftOut(0.0, np.zeros(n)), LeftOut(np.nan, np.full(n, np.nan))]
    found += [_side(task, cost, column, mask, choice) for column, mask in wanted]
    used = [np.zeros(n, dtype=bool)] * 2 + [mask for _, mask in wanted]
    r, without = zip(*found, strict=True)
    return Sides(np.array(r), np.column_stack(without), np.column_stack(used), place)


def _side(task: Task, cost: FloatArray, column: int, mask: BoolArray, choice: Choice) -> LeftOut:
    x, y, length = cost[mask, column], task.human[choice.human][mask], task.log_prompt[mask, column]
    ranks = choice.correlation == "spearman"
    if choice.prompt == "matched":
        found = _within_strata(x, y, length, ranks)
    else:
        found = leave_one_out(x, y, length if choice.prompt == "partialled out" else None, ranks=ranks)
    without = np.full(len(mask), found.r)
    without[mask] = found.without
    return LeftOut(found.r, without)


def _within_strata(x: FloatArray, y: FloatArray, length: FloatArray, ranks: bool) -> LeftOut:
    """Mean over thirds of prompt length of the correlations within them, weighted by their items."""
    if len(x) == 0:
        return LeftOut(np.nan, np.empty(0))
    stratum = np.searchsorted(np.quantile(length, np.arange(1, STRATA) / STRATA), length)
    r, without = 0.0, np.empty(len(x))
    for k in np.unique(stratum):
        inside = stratum == k
        part = leave_one_out(x[inside], y[inside], ranks=ranks)
        r += inside.mean() * part.r
        without[inside] = inside.mean() * (part.without - part.r)
    return LeftOut(float(r), r + without)
