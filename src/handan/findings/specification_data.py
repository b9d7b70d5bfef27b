"""What a choice of analysis does to the numbers: item × model matrices of cost under filters.

`handan.findings.join` answers the question once, with one cost column. Here the same rows are
read again under other choices: another column, only right answers, no cut traces. A trace that
`join` can't use, or a model's item without a trace that a filter keeps, is missing (NaN).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

if TYPE_CHECKING:
    from handan.inputs import Inputs

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

# An answer with more than half of the credit is right.
RIGHT = 0.5

# All filters of one cost column on one scale; a large table has no room for those of all.
_REMEMBERED = 8


@dataclass(frozen=True)
class Task:
    """All traces of one task of one study, in a form that filters quickly.

    Attributes
    ----------
    study, task : str
        Names.
    items, models : list of str
        The n items with a norm, and the m models.
    human : dict of str to ndarray of shape (n,)
        The human measure by scale: ``as is`` and, for times, ``log``.
    log_prompt : ndarray of shape (n, m)
        Log of the prompt's length; NaN where it is not known.
    cell : ndarray of shape (traces,)
        Place of each trace's item and model in a matrix of shape (n, m), counted row by row.
    costs : dict of str to ndarray of shape (traces,)
        Positive costs by column; NaN where missing or zero, and where the request failed.
    right : ndarray of shape (traces,)
        1, 0, or NaN where nobody judged the answer.
    cut : ndarray of shape (traces,)
        1 where the trace was cut at the limit, else 0; NaN where no ending is recorded.
    loop : ndarray of shape (traces,)
        1 where the trace ends in a loop, else 0; NaN where nobody looked.
    """

    study: str
    task: str
    items: list[str]
    models: list[str]
    human: dict[str, FloatArray]
    log_prompt: FloatArray
    cell: NDArray[np.intp]
    costs: dict[str, FloatArray]
    right: FloatArray
    cut: FloatArray
    loop: FloatArray
    _matrices: dict[tuple[str, str, bool, str, str], FloatArray] = field(default_factory=dict, repr=False)

    def matrix(self, cost: str, scale: str, answers: str, truncated: str, loops: str = "kept") -> FloatArray:
        """Mean cost of each item and model over the traces that the filters keep.

        Parameters
        ----------
        cost : str
            The cost column.
        scale : {"log", "raw"}
            Mean of the natural logs, or of the counts.
        answers : {"all", "right only", "both right"}
            The last two keep the traces with a right answer.
        truncated : {"kept", "dropped", "items dropped"}
            ``dropped`` leaves out traces that were cut; ``items dropped`` all traces of a model's
            item of which any was cut.
        loops : {"kept", "dropped"}
            Whether traces that end in a loop stay.

        Returns
        -------
        ndarray of shape (n, m)
            NaN where no trace is kept.
        """
        key = (cost, scale, answers != "all", truncated, loops)
        if key not in self._matrices:
            values = np.log(self.costs[cost]) if scale == "log" else self.costs[cost]
            keep = self._kept(answers, truncated, loops) & ~np.isnan(values)
            if len(self._matrices) >= _REMEMBERED:
                self._matrices.pop(next(iter(self._matrices)))
            self._matrices[key] = self._mean(values, keep)
        return self._matrices[key]

    def known(self, models: list[str], what: FloatArray) -> bool:
        """Say whether a record exists for at least one trace of these models."""
        return bool((~np.isnan(what) & self._of(models)).any())

    def any(self, models: list[str], what: FloatArray) -> bool:
        """Say whether at least one trace of these models is marked."""
        return bool(((what == 1) & self._of(models)).any())

    def _of(self, models: list[str]) -> BoolArray:
        wanted = np.isin(np.array(self.models, dtype=object), list(models))
        return wanted[self.cell % len(self.models)]

    def _kept(self, answers: str, truncated: str, loops: str) -> BoolArray:
        keep = np.ones(len(self.cell), dtype=bool)
        if answers != "all":
            keep &= self.right == 1
        if truncated == "dropped":
            keep &= self.cut != 1
        if truncated == "items dropped":
            keep &= ~np.isin(self.cell, self.cell[self.cut == 1])
        if loops == "dropped":
            keep &= self.loop != 1
        return keep

    def _mean(self, values: FloatArray, keep: BoolArray) -> FloatArray:
        return _cell_means(self.cell[keep], values[keep], (len(self.items), len(self.models)))


def tasks_of(inputs: Inputs, costs: list[str]) -> list[Task]:
    """Read every task of a study, under all filters at once.

    Parameters
    ----------
    inputs : Inputs
        The tables of one or several studies.
    costs : list of str
        Cost columns; one that the table lacks is NaN in `Task.costs`.

    Returns
    -------
    list of Task
        In the order of ``inputs.joined``, with its items and models.
    """
    measure = "log_rt" if inputs.norms["log_rt"].notna().any() else "difficulty"
    human = inputs.norms.set_index(["task", "item"])[measure].rename("human")
    rows = inputs.costs.join(human, on=["task", "item"])
    rows = rows[rows["human"].notna()]
    used = inputs.joined.rows.groupby(["study", "task"], sort=False)
    groups = {key: part for key, part in rows.groupby(["study", "task"], sort=False)}
    return [
        _task(key, part, groups[key], costs, measure == "log_rt", inputs.joined.covariate)
        for key, part in used
    ]


def _task(
    key: tuple[str, str],
    used: pd.DataFrame,
    rows: pd.DataFrame,
    costs: list[str],
    timed: bool,
    covariate: str | None,
) -> Task:
    items, models = pd.Index(used["item"].unique()), pd.Index(used["model"].unique())
    rows = rows[rows["item"].isin(items) & rows["model"].isin(models)]
    cell = items.get_indexer(rows["item"]) * len(models) + models.get_indexer(rows["model"])
    value = used.drop_duplicates("item").set_index("item")["human"].reindex(items).to_numpy(dtype=float)
    shape = (len(items), len(models))
    prompt = _numbers(rows, covariate) if covariate else np.full(len(rows), np.nan)
    given = prompt > 0
    return Task(
        study=str(key[0]),
        task=str(key[1]),
        items=items.tolist(),
        models=models.tolist(),
        human={"log": value, "as is": np.exp(value)} if timed else {"as is": value},
        log_prompt=_cell_means(cell[given], np.log(prompt[given]), shape),
        cell=cell,
        costs={name: _costs(rows, name) for name in costs},
        right=_flag(_numbers(rows, "correct") > RIGHT, rows["correct"].notna()),
        cut=_flag((rows["stop"] == "length").fillna(False), rows["stop"].notna()),
        loop=_numbers(rows, "loop") if "loop" in rows else np.full(len(rows), np.nan),
    )


def _costs(rows: pd.DataFrame, name: str) -> FloatArray:
    if name not in rows or not pd.api.types.is_numeric_dtype(rows[name]):
        return np.full(len(rows), np.nan)
    value = _numbers(rows, name)
    failed = (rows["stop"] == "error").fillna(False).to_numpy(dtype=bool)
    return np.where((value > 0) & ~failed, value, np.nan)


def _numbers(rows: pd.DataFrame, name: str) -> FloatArray:
    return pd.to_numeric(rows[name], errors="coerce").to_numpy(dtype=float, na_value=np.nan)


def _flag(marked: pd.Series | BoolArray, known: pd.Series) -> FloatArray:
    return np.where(known.to_numpy(dtype=bool), np.asarray(marked, dtype=float), np.nan)


def _cell_means(cell: NDArray[np.intp], values: FloatArray, shape: tuple[int, int]) -> FloatArray:
    size = shape[0] * shape[1]
    count = np.bincount(cell, minlength=size)
    total = np.bincount(cell, values, minlength=size)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan).reshape(shape)
