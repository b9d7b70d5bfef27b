"""The mean difference of two models' correlations, and how each item moves it.

Every item is left out in turn. What the estimate would be without it gives the standard
error (the jackknife), and, because all specifications of a study leave out the same items,
also how their estimates vary together. Items are taken as a sample; models, pairs and
tasks as given.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from handan.findings.specification_data import BoolArray, FloatArray
from handan.findings.specification_sides import NO_MODEL, Sides
from handan.findings.verdict import FEWEST, enough

MOST_ITEMS = 2_000

_Transform = Callable[[FloatArray], FloatArray]


class Estimate(NamedTuple):
    """A mean difference of correlations.

    Attributes
    ----------
    value, error : float
        The estimate and its standard error; NaN where undefined.
    df : int
        Degrees of freedom: items less tasks.
    n_pairs, n_tasks, n_items : int
        What it rests on.
    lost : int
        Pairs that were asked for and take no part.
    deviations : ndarray of shape (items of all tasks,)
        What each item adds to the estimate; the square of the error is their sum of squares.
    """

    value: float
    error: float
    df: int
    n_pairs: int
    n_tasks: int
    n_items: int
    lost: int
    deviations: FloatArray

    @property
    def reach(self) -> float:
        """Half of the length of the 95 % interval, by Student's t."""
        from scipy.special import stdtrit

        return float(stdtrit(self.df, 0.975)) * self.error if self.df > 0 else np.nan


def average(
    parts: Sequence[Sides], chosen: NDArray[np.intp], averaging: str = "plain", fewest: int = FEWEST
) -> Estimate:
    """Average the differences of chosen pairs over pairs and tasks.

    Tasks in which a pair has too few items are left out as in the chapters on collapse and
    transfer (`handan.findings.verdict.enough`).

    Parameters
    ----------
    parts : sequence of Sides
        One per task, with the same pairs.
    chosen : ndarray of int
        Which pairs.
    averaging : {"plain", "fisher"}
        The mean of the correlations as they are, or through Fisher's z and back.
    fewest : int
        A pair with fewer items, over its tasks, takes no part.

    Returns
    -------
    Estimate
        NaN when no pair is left, or the mean of Fisher's z is infinite. The error is NaN where
        a correlation hangs on a single item.
    """
    to, back = _TRANSFORMS[averaging]
    places = [part.place[:, chosen] for part in parts]
    valid = _valid(parts, places, fewest)
    cells = [(part, place[:, ok]) for part, place, ok in zip(parts, places, valid, strict=True)]
    n_cells, n_tasks = int(valid.sum()), int(valid.any(axis=1).sum())
    n_pairs = int(valid.any(axis=0).sum())
    used = [_used(part, cell) for part, cell in cells]
    n_items = sum(int(items.sum()) for items in used)
    value, error, deviations = np.nan, np.nan, np.zeros(sum(len(items) for items in used))
    if n_cells:
        total = np.sum([to(part.r[cell]).sum(axis=1) for part, cell in cells], axis=0)
        # Models that are the same must not differ by rounding: that would have a direction.
        value = float(np.round(_difference(back(total / n_cells)), 12))
        without = [_difference(back((total + _moves(*cell, to)) / n_cells)) for cell in cells]
        deviations = np.concatenate([_scaled(*one) for one in zip(without, used, strict=True)])
        error = float(np.sqrt((deviations**2).sum()))
    rest = (n_items - n_tasks, n_pairs, n_tasks, n_items, len(chosen) - n_pairs)
    return Estimate(value, error, *rest, deviations)


def contributions(deviations: FloatArray) -> FloatArray:
    """Sum the deviations of very many items in `MOST_ITEMS` random groups, so that they fit into memory.

    Parameters
    ----------
    deviations : ndarray of shape (items,)
        See `Estimate`.

    Returns
    -------
    ndarray of shape (at most `MOST_ITEMS`,)
        The same groups whenever there are as many items, so that sums of products over
        groups stand for those over items.
    """
    if len(deviations) <= MOST_ITEMS:
        return deviations
    return np.bincount(_groups(len(deviations)), deviations, minlength=MOST_ITEMS).astype(np.float64)


@cache
def _groups(n_items: int) -> NDArray[np.intp]:
    return np.random.default_rng(0).permutation(n_items) % MOST_ITEMS


def _valid(parts: Sequence[Sides], places: Sequence[NDArray[np.intp]], fewest: int) -> BoolArray:
    """Tell which pairs take part in which task, shape (tasks, pairs)."""
    defined = np.array(
        [np.isfinite(part.r[place]).all(axis=0) for part, place in zip(parts, places, strict=True)]
    )
    sizes = np.array([_sizes(part, place) for part, place in zip(parts, places, strict=True)])
    valid = defined.copy()
    valid[defined] = enough(pd.Series(sizes[defined]))
    return np.asarray(valid & ((sizes * valid).sum(axis=0) >= fewest))


def _sizes(part: Sides, place: NDArray[np.intp]) -> NDArray[np.intp]:
    """Items of each pair, of its smaller side where they differ."""
    n = part.used.sum(axis=0)[place]
    return np.where(place[1] == NO_MODEL, n[0], n.min(axis=0))


def _used(part: Sides, cell: NDArray[np.intp]) -> BoolArray:
    """Tell which items stand behind any side of these pairs, shape (n,)."""
    return np.asarray(part.used[:, np.unique(cell)].any(axis=1))


def _moves(part: Sides, cell: NDArray[np.intp], to: _Transform) -> FloatArray:
    """How leaving out each item moves the sums over pairs of a and of b, shape (n, 2)."""
    times = np.stack([np.bincount(side, minlength=len(part.r)) for side in cell], axis=1)
    asked = times.any(axis=1)
    return (to(part.without[:, asked]) - to(part.r[asked])) @ times[asked]


def _difference(means: FloatArray) -> FloatArray:
    return means[..., 0] - means[..., 1]


def _scaled(without: FloatArray, used: BoolArray) -> FloatArray:
    """Deviations whose squares sum to the jackknife's variance; 0 for items that take no part."""
    n = int(used.sum())
    if n < 2:
        return np.zeros(len(used))
    return np.where(used, (without[used].mean() - without) * np.sqrt((n - 1) / n), 0.0)


def _fisher(r: FloatArray) -> FloatArray:
    # An infinite z would turn the mean of all pairs into 1.
    return np.arctanh(np.where(np.abs(r) < 1, r, np.nan))


_TRANSFORMS: dict[str, tuple[_Transform, _Transform]] = {
    "plain": (np.asarray, np.asarray),
    "fisher": (_fisher, np.tanh),
}
