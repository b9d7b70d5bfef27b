"""Difficulty fingerprints: which items a model finds hard, told by what it spends on them.

Third parties report that the paper describes a model by the log cost of every item, z-scored
within its task, tasks one after the other. People, or what stands for them, are one more such
fingerprint. `handan.findings.fingerprint_pairs` compares them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from handan.stats._common import FloatArray

PEOPLE = "people"
TIMED = "human response time"


@dataclass(frozen=True)
class Task:
    """One task of a study: items × fingerprints.

    Attributes
    ----------
    name : str
        Its name.
    matrix : ndarray of shape (n_items, k)
        Mean log cost of each model; the last column is the human measure. NaN where missing.
    prompt : ndarray of shape (n_items, k)
        Log length of the prompt; NaN where unknown, and for people.
    reliability : ndarray of shape (k,)
        Share of the variance over items that is not noise; NaN where unknown.
    """

    name: str
    matrix: FloatArray
    prompt: FloatArray
    reliability: FloatArray


@dataclass(frozen=True)
class Fingerprints:
    """The fingerprints of one study.

    Attributes
    ----------
    study : str
        Its name.
    names : tuple of str of length k
        Models, then the row of the human measure.
    tasks : tuple of Task
        All tasks.
    """

    study: str
    names: tuple[str, ...]
    tasks: tuple[Task, ...]

    def pairs(self) -> tuple[np.ndarray, np.ndarray]:
        """Give the index of the first and of the second member of every pair."""
        return np.triu_indices(len(self.names), 1)


def fingerprints(
    rows: pd.DataFrame, reliability: pd.DataFrame | None = None, measure: str = PEOPLE
) -> Fingerprints:
    """Arrange the rows of one study.

    Parameters
    ----------
    rows : DataFrame
        A result of `handan.findings.fingerprint_rows.item_rows`, of one study.
    reliability : DataFrame, optional
        Reliability of the norms; see `handan.tables`.
    measure : str
        What stands for human difficulty. Its row is called ``people`` where people were timed,
        otherwise by the measure's name.

    Returns
    -------
    Fingerprints
    """
    study = str(rows["study"].iloc[0])
    models = [str(name) for name in dict.fromkeys(rows["model"])]
    tasks = tuple(
        _task(str(name), part, models, _norm_reliability(reliability, study, str(name)))
        for name, part in rows.groupby("task", sort=False)
    )
    return Fingerprints(study, (*models, people_row(measure, models)), tasks)


def people_row(measure: str, models: list[str]) -> str:
    """Name the row of the human measure so that no model has the same name."""
    name = PEOPLE if measure.startswith(TIMED) else measure
    return f"{name} (norms)" if name in models else name


def _task(name: str, part: pd.DataFrame, models: list[str], human_reliability: float) -> Task:
    wide = {
        column: part.pivot(index="item", columns="model", values=column).reindex(columns=models)
        for column in ("log_cost", "log_prompt", "noise")
    }
    items = wide["log_cost"].index
    human = part.drop_duplicates("item").set_index("item")["human"].reindex(items).to_numpy(float)
    costs = wide["log_cost"].to_numpy(float)
    unknown = np.full((len(items), 1), np.nan)
    reliability = np.append(_reliabilities(costs, wide["noise"].to_numpy(float)), human_reliability)
    prompt = np.hstack([wide["log_prompt"].to_numpy(float), unknown])
    return Task(name, np.hstack([costs, human[:, None]]), prompt, reliability)


def _reliabilities(costs: FloatArray, noise: FloatArray) -> FloatArray:
    n = (~np.isnan(costs)).sum(axis=0)
    centred = np.where(np.isnan(costs), 0.0, costs - np.nansum(costs, axis=0) / np.maximum(n, 1))
    variance = (centred**2).sum(axis=0) / np.maximum(n - 1, 1)
    error = np.where(np.isnan(noise), 0.0, noise).sum(axis=0) / np.maximum(n, 1)
    known = (~np.isnan(noise)).any(axis=0) & (variance > 1e-12) & (n > 2)
    return np.where(known, 1 - error / np.where(variance > 0, variance, 1.0), np.nan)


def _norm_reliability(reliability: pd.DataFrame | None, study: str, task: str) -> float:
    if reliability is None:
        return np.nan
    found = reliability.loc[
        (reliability["study"] == study) & (reliability["task"] == task), "reliability"
    ].astype(float)
    return float(found.iloc[0]) if len(found) else np.nan
