"""The matrix of similarities of one study: every pair of fingerprints, with its draws."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from handan.findings.fingerprint import Fingerprints
from handan.findings.fingerprint_pairs import affordable, pair_draws, pair_values
from handan.findings.geometry_kin import NORMS_ROLE, Kin
from handan.stats._common import FloatArray
from handan.stats.percentile import percentile_interval
from handan.stats.similarity import disattenuated

# More than this share of resamples without r makes an interval doubtful.
_FEW = 0.05


@dataclass(frozen=True)
class Similarity:
    """Similarities of the fingerprints of one study.

    Attributes
    ----------
    prints : Fingerprints
        What is compared; the last name is that of the human measure.
    left, right : ndarray of int of shape (n_pairs,)
        Indices of each pair, the first below the second.
    found : DataFrame
        A result of `handan.findings.fingerprint_pairs.pair_values`.
    draws : ndarray of shape (n_boot, n_pairs)
        Item-bootstrap draws of r.
    """

    prints: Fingerprints
    left: np.ndarray
    right: np.ndarray
    found: pd.DataFrame
    draws: FloatArray

    def matrix(self, values: FloatArray | None = None) -> FloatArray:
        """Square matrix of r, or of other values per pair; ones on the diagonal.

        Parameters
        ----------
        values : ndarray of shape (..., n_pairs), optional
            By default r.

        Returns
        -------
        ndarray of shape (..., k, k)
        """
        given = self.found["r"].to_numpy() if values is None else values
        k = len(self.prints.names)
        square = np.ones((*given.shape[:-1], k, k))
        square[..., self.left, self.right] = square[..., self.right, self.left] = given
        return square

    def among(self, chosen: Sequence[int]) -> tuple[FloatArray, np.ndarray]:
        """Give the matrix of some fingerprints and, for each cell, the column of its pair in the draws.

        Returns
        -------
        tuple of (ndarray, ndarray)
            Both of shape (len(chosen), len(chosen)); the diagonal of the second is -1.
        """
        columns = self.matrix(np.arange(len(self.left), dtype=float)).astype(int)
        np.fill_diagonal(columns, -1)
        cut = np.ix_(list(chosen), list(chosen))
        return self.matrix()[cut], columns[cut]


def similarity(prints: Fingerprints, n_boot: int, seed: int) -> Similarity:
    """Compare every pair of fingerprints and resample items.

    Parameters
    ----------
    prints : Fingerprints
        Of one study.
    n_boot : int
        Resamples; fewer are drawn where the study is large.
    seed : int
        Of the bootstrap.
    """
    left, right = prints.pairs()
    n_items = sum(len(task.matrix) for task in prints.tasks)
    n = affordable(n_boot, len(left), n_items)
    draws = pair_draws(prints, left, right, n, seed)
    return Similarity(prints, left, right, pair_values(prints, left, right), draws)


def comparable(matrix: FloatArray, candidates: Sequence[int]) -> list[int]:
    """Choose fingerprints among which every similarity exists.

    The one with the most missing similarities goes first, until none is missing.

    Parameters
    ----------
    matrix : ndarray of shape (k, k)
        Similarities; NaN where there is none.
    candidates : sequence of int
        Indices to choose among.

    Returns
    -------
    list of int
        In the order of the candidates.
    """
    chosen = list(candidates)
    while chosen:
        missing = np.isnan(matrix[np.ix_(chosen, chosen)]).sum(axis=0)
        if not missing.any():
            break
        chosen.pop(int(missing.argmax()))
    return chosen


def pair_rows(found: Similarity, kin: Kin, covariate: str | None) -> pd.DataFrame:
    """Tidy table of all pairs of one study; see `handan.findings.geometry.Geometry`.

    Parameters
    ----------
    found : Similarity
        Of the study.
    kin : Kin
        Roles and relations.
    covariate : str or None
        What the prompt's length is measured in.
    """
    names = found.prints.names
    table = found.found.copy()
    interval = percentile_interval(found.draws, n_items=table["n"], n_tasks=table["n_tasks"])
    sides = {side: [names[k] for k in index] for side, index in (("a", found.left), ("b", found.right))}
    roles = {name: kin.role(name) for name in names[:-1]} | {names[-1]: NORMS_ROLE}
    people = np.array([names[-1] in pair for pair in zip(sides["a"], sides["b"], strict=True)])
    relations = [kin.relation(a, b) for a, b in zip(sides["a"], sides["b"], strict=True)]
    table = table.assign(
        study=found.prints.study, a=sides["a"], b=sides["b"],
        role_a=[roles[name] for name in sides["a"]], role_b=[roles[name] for name in sides["b"]],
        relation=np.where(people, NORMS_ROLE, relations), low=interval.low, high=interval.high,
        n_boot=interval.n_draws, covariate=covariate or "",
        corrected=disattenuated(table["r"], *(_unit(table[f"reliability_{side}"]) for side in "ab")),
    )  # fmt: skip
    lost = np.asarray(interval.n_missing) / interval.n_draws
    table["note"] = [
        _note(row, share, len(found.prints.tasks))
        for row, share in zip(table.itertuples(), lost, strict=True)
    ]
    return table


def _unit(values: pd.Series) -> FloatArray:
    return np.clip(values.to_numpy(float), -1, 1)


def _note(row: object, lost: float, n_tasks: int) -> str:
    said = []
    if np.isnan(row.r):  # type: ignore[attr-defined]
        return "no task with 3 common items on which both vary"
    if row.n_tasks < n_tasks:  # type: ignore[attr-defined]
        said.append(f"r exists in {row.n_tasks} of {n_tasks} tasks")  # type: ignore[attr-defined]
    if lost > _FEW:
        said.append(f"no r in {lost:.0%} of the resamples")
    if min(row.reliability_a, row.reliability_b) <= 0:  # type: ignore[attr-defined]
        said.append("a reliability is not above 0")
    if row.corrected > 1:  # type: ignore[attr-defined]
        said.append("the corrected r is above 1")
    return "; ".join(said)
