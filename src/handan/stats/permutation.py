"""Permutation tests of statements about a matrix of similarities.

Entries of such a matrix are not independent: each model has a hand in many. So models are
relabelled, never entries. All relabellings are tried where there are few, otherwise a random
sample of them, of which the observed one counts as one more: p = (b + 1) / (m + 1) (Phipson and
Smyth, 2010). Every test is one-sided, for *more similar*.

With few models there are few relabellings, and p can't be small whatever the data are. Every
result therefore says how small its p could have been.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ._common import FloatArray

_CELLS = 2_000_000
# Two relabellings with equal statistics differ by rounding.
_ROUNDING = 1e-10


@dataclass(frozen=True)
class Permuted:
    """Result of a permutation test.

    Attributes
    ----------
    statistic : float
        Of the data as they are; NaN where it is not defined.
    p : float
        Share of relabellings with a statistic at least as large.
    p_smallest : float
        The p of data that show the effect as clearly as this design allows.
    n : int
        Relabellings: all that there are when `exact`, else those drawn.
    exact : bool
        Whether all relabellings were tried.
    """

    statistic: float
    p: float
    p_smallest: float
    n: int
    exact: bool


def mantel(x: ArrayLike, y: ArrayLike, n_perm: int = 10_000, seed: int | np.random.Generator = 0) -> Permuted:
    """Correlate two similarity matrices of the same models (Mantel, 1967).

    Parameters
    ----------
    x, y : array_like of shape (k, k)
        Symmetric, without NaN, both similarities or both distances; diagonals are ignored.
    n_perm : int
        All k! relabellings are tried up to this number, otherwise so many are drawn.
    seed : int or Generator
        Of the draws.

    Returns
    -------
    Permuted
        The statistic is Pearson's r over pairs of models.

    Raises
    ------
    ValueError
        If the matrices are not square and of one shape, or hold NaN.
    """
    first, second = _square(x, "x"), _square(y, "y")
    if first.shape != second.shape:
        raise ValueError(f"x and y must be of the same models, got shapes {first.shape} and {second.shape}")
    k = len(first)
    i, j = np.triu_indices(k, 1)
    left, right = _unit(first[i, j]), _unit(second[i, j])
    if left is None or right is None:
        return _undefined()
    orders, exact = _orders(k, n_perm, seed)
    values, same = np.empty(len(orders)), np.empty(len(orders), dtype=bool)
    scaled = np.zeros((k, k))
    scaled[i, j] = scaled[j, i] = right
    for part in _chunks(len(orders), len(i)):
        moved = scaled[orders[part][:, i], orders[part][:, j]]
        values[part] = moved @ left
        same[part] = np.isclose(moved, right).all(axis=1)
    return _result(float(right @ left), values, same, exact)


def cohesion(
    similarity: ArrayLike, members: ArrayLike, n_perm: int = 10_000, seed: int | np.random.Generator = 0
) -> Permuted:
    """Ask whether the members of a group resemble one another more than they resemble others.

    Parameters
    ----------
    similarity : array_like of shape (k, k)
        Symmetric, without NaN; the diagonal is ignored.
    members : array_like of bool of shape (k,)
        Who belongs to the group: at least 2, and not all.
    n_perm : int
        All choices of as many members are tried up to this number, otherwise so many are drawn.
    seed : int or Generator
        Of the draws.

    Returns
    -------
    Permuted
        The statistic is the mean similarity within the group minus that of a member with
        anybody else. Pairs of two others have no part in it.

    Raises
    ------
    ValueError
        If the matrix is not square or holds NaN, or the group has fewer than 2 members or
        nobody outside it.
    """
    matrix, inside = _square(similarity, "similarity"), np.asarray(members, dtype=bool)
    k, size = len(matrix), int(inside.sum())
    if inside.shape != (k,) or size < 2 or size == k:
        raise ValueError(
            f"members must name at least 2 of the {k} models and not all, got {size} of shape {inside.shape}"
        )
    matrix = np.where(np.eye(k, dtype=bool), 0.0, matrix)
    exact = math.comb(k, size) <= n_perm
    groups = _all_groups(k, size) if exact else _random_groups(inside, n_perm, seed)
    values = _within_minus_between(matrix, groups, size)
    observed = float(_within_minus_between(matrix, inside[None], size)[0])
    return _result(observed, values, (groups == inside).all(axis=1), exact)


def own_reference(
    similarity: ArrayLike, own: ArrayLike, n_perm: int = 10_000, seed: int | np.random.Generator = 0
) -> Permuted:
    """Ask whether models resemble their own reference more than the other references.

    Parameters
    ----------
    similarity : array_like of shape (k, t)
        Of each model with each of at least 2 references, without NaN.
    own : array_like of int of shape (k,)
        Column of each model's own reference.
    n_perm : int
        All t! relabellings of the references are tried up to this number, otherwise so many
        are drawn.
    seed : int or Generator
        Of the draws.

    Returns
    -------
    Permuted
        The statistic is the mean similarity with the own reference minus that with the others.

    Raises
    ------
    ValueError
        If the shapes don't fit, there are fewer than 2 references, or a similarity is NaN.
    """
    matrix, columns = np.asarray(similarity, dtype=np.float64), np.asarray(own, dtype=np.int64)
    if matrix.ndim != 2 or matrix.shape[1] < 2 or columns.shape != matrix.shape[:1] or not columns.size:
        raise ValueError(
            f"similarity must be models x references (2 or more) and own of one column per model, "
            f"got {matrix.shape} and {columns.shape}"
        )
    if np.isnan(matrix).any():
        raise ValueError("similarity holds NaN; leave out models or references without a value")
    orders, exact = _orders(matrix.shape[1], n_perm, seed)
    maps = orders[:, columns]
    values = _own_minus_others(matrix, maps)
    observed = float(_own_minus_others(matrix, columns[None])[0])
    return _result(observed, values, (maps == columns).all(axis=1), exact)


def _result(observed: float, values: FloatArray, same: NDArray[np.bool_], exact: bool) -> Permuted:
    hits = int((values >= observed - _ROUNDING).sum())
    # All relabellings contain the observed one; a sample of them is given it.
    extra = 0 if exact else 1
    total = len(values) + extra
    return Permuted(observed, (hits + extra) / total, (int(same.sum()) + extra) / total, len(values), exact)


def _undefined() -> Permuted:
    return Permuted(np.nan, np.nan, np.nan, 0, False)


def _orders(k: int, n_perm: int, seed: int | np.random.Generator) -> tuple[NDArray[np.int64], bool]:
    if k < 20 and math.factorial(k) <= n_perm:
        return np.array(list(itertools.permutations(range(k))), dtype=np.int64), True
    rng = np.random.default_rng(seed)
    return rng.permuted(np.tile(np.arange(k, dtype=np.int64), (_positive(n_perm), 1)), axis=1), False


def _all_groups(k: int, size: int) -> NDArray[np.bool_]:
    chosen = np.array(list(itertools.combinations(range(k), size)))
    groups = np.zeros((len(chosen), k), dtype=bool)
    np.put_along_axis(groups, chosen, values=True, axis=1)
    return groups


def _random_groups(
    inside: NDArray[np.bool_], n_perm: int, seed: int | np.random.Generator
) -> NDArray[np.bool_]:
    return np.random.default_rng(seed).permuted(np.tile(inside, (_positive(n_perm), 1)), axis=1)


def _within_minus_between(matrix: FloatArray, groups: NDArray[np.bool_], size: int) -> FloatArray:
    chosen = groups.astype(np.float64)
    to_members = chosen @ matrix
    within = (to_members * chosen).sum(axis=1) / (size * (size - 1))
    return within - (to_members * (1 - chosen)).sum(axis=1) / (size * (len(matrix) - size))


def _own_minus_others(matrix: FloatArray, maps: NDArray[np.int64]) -> FloatArray:
    own = matrix[np.arange(len(matrix)), maps]
    return (own - (matrix.sum(axis=1) - own) / (matrix.shape[1] - 1)).mean(axis=1)


def _chunks(n: int, width: int) -> list[slice]:
    rows = max(1, _CELLS // max(width, 1))
    return [slice(start, start + rows) for start in range(0, n, rows)]


def _positive(n_perm: int) -> int:
    if n_perm < 1:
        raise ValueError(f"n_perm must be at least 1, got {n_perm}")
    return n_perm


def _unit(values: FloatArray) -> FloatArray | None:
    """Centre and scale to length one, so that a product of two is their r; None without variance."""
    centred = values - values.mean() if values.size else values
    length = float(np.sqrt((centred**2).sum()))
    return centred / length if length > _ROUNDING else None


def _square(values: ArrayLike, name: str) -> FloatArray:
    matrix = np.asarray(values, dtype=np.float64)
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1]:
        raise ValueError(f"{name} must be a square matrix of models, got shape {matrix.shape}")
    if np.isnan(matrix[~np.eye(len(matrix), dtype=bool)]).any():
        raise ValueError(f"{name} holds NaN; leave out the models without a value")
    return matrix
