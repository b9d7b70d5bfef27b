"""Similarity as geometry: correct a correlation for noise, put models in order, lay them out.

The distance of two standardised vectors scaled to length one is ``sqrt(2 (1 - r))``, so that
correlations can be drawn as a map without any further choice. SciPy is imported where it is
needed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ._common import FloatArray, as_correlations, check_confidence


@dataclass(frozen=True)
class Order:
    """A hierarchical order.

    Attributes
    ----------
    leaves : ndarray of int of shape (k,)
        Indices of the rows, so that similar ones stand side by side.
    cophenetic : float
        Correlation of the tree's distances with the true ones; NaN where either does not vary.
    """

    leaves: NDArray[np.int64]
    cophenetic: float


@dataclass(frozen=True)
class Layout:
    """Points whose distances come near to given ones.

    Attributes
    ----------
    points : ndarray of shape (k, 2)
        Centred at zero.
    share : float
        Share of the (absolute) eigenvalues that the two dimensions hold (Mardia, 1978).
    stress : float
        Kruskal's stress 1: 0 where the distances of the points are the given ones.
    """

    points: FloatArray
    share: float
    stress: float


@dataclass(frozen=True)
class Ellipse:
    """An ellipse around a cloud of points: full axes and the angle of the longer one.

    Attributes
    ----------
    width, height : float
        Lengths of the two axes, in the units of the points.
    angle : float
        Of the first axis against the horizontal, in degrees.
    """

    width: float
    height: float
    angle: float


def disattenuated(r: ArrayLike, reliability_a: ArrayLike, reliability_b: ArrayLike) -> FloatArray:
    """Correlation that two measures would have without their errors (Spearman, 1904).

    Parameters
    ----------
    r : array_like
        Observed correlations.
    reliability_a, reliability_b : array_like
        Reliabilities of the two measures, whose errors must be independent.

    Returns
    -------
    ndarray
        ``r / sqrt(reliability_a reliability_b)``, which can lie beyond 1 because all three are
        estimates. NaN where a reliability is unknown or not positive.

    Raises
    ------
    ValueError
        If a value lies outside -1 to 1.
    """
    a, b = (as_correlations(value, "reliability") for value in (reliability_a, reliability_b))
    usable = (a > 0) & (b > 0)
    return as_correlations(r, "r") / np.sqrt(np.where(usable, a * b, np.nan))


def chord(r: ArrayLike) -> FloatArray:
    """Euclidean distance ``sqrt(2 (1 - r))`` of two standardised vectors of length one.

    Raises
    ------
    ValueError
        If a correlation lies outside -1 to 1.
    """
    return np.sqrt(2 * (1 - as_correlations(r, "r")))


def hierarchical_order(r: ArrayLike) -> Order:
    """Order rows by average linkage on ``1 - r``, neighbours as similar as the tree allows.

    Parameters
    ----------
    r : array_like of shape (k, k)
        Symmetric correlations without NaN, k at least 2.

    Returns
    -------
    Order
        The leaves of the tree in optimal order (Bar-Joseph et al., 2001).

    Raises
    ------
    ValueError
        If the matrix is not square and symmetric, or holds NaN.
    """
    from scipy.cluster.hierarchy import cophenet, leaves_list, linkage, optimal_leaf_ordering
    from scipy.spatial.distance import squareform

    distances = squareform(1 - _symmetric(r), checks=False)
    tree = optimal_leaf_ordering(linkage(distances, method="average"), distances)
    return Order(leaves_list(tree).astype(np.int64), _correlation(cophenet(tree), distances))


def classical_layout(distances: ArrayLike) -> Layout:
    """Two-dimensional classical scaling (Torgerson, 1952).

    Parameters
    ----------
    distances : array_like of shape (k, k)
        Symmetric distances without NaN, k at least 2.

    Returns
    -------
    Layout
        On each axis the point farthest from zero lies on the positive side, so that the same
        distances always give the same picture.

    Raises
    ------
    ValueError
        If the matrix is not square and symmetric, or holds NaN.
    """
    d = _symmetric(distances)
    centre = np.eye(len(d)) - 1 / len(d)
    values, vectors = np.linalg.eigh(-0.5 * centre @ d**2 @ centre)
    values, vectors = values[::-1], vectors[:, ::-1]
    points = vectors[:, :2] * np.sqrt(np.maximum(values[:2], 0))
    farthest = points[np.abs(points).argmax(axis=0), [0, 1]]
    points *= np.where(farthest < 0, -1, 1)
    total, squares = np.abs(values).sum(), (d**2).sum()
    shown = np.sqrt(((points[:, None] - points[None]) ** 2).sum(axis=-1))
    return Layout(
        points,
        share=float(np.maximum(values[:2], 0).sum() / total) if total > 0 else np.nan,
        stress=float(np.sqrt(((shown - d) ** 2).sum() / squares)) if squares > 0 else np.nan,
    )


def superimposed(points: ArrayLike, target: ArrayLike) -> FloatArray:
    """Turn, mirror and shift points so that they lie as near as possible to their targets.

    Sizes stay as they are: a map that shrinks has changed.

    Parameters
    ----------
    points, target : array_like of shape (k, 2)
        Corresponding points.

    Returns
    -------
    ndarray of shape (k, 2)
        Least-squares solution (Schönemann, 1966).

    Raises
    ------
    ValueError
        If the shapes differ.
    """
    from scipy.linalg import orthogonal_procrustes

    moved, fixed = (np.asarray(values, dtype=np.float64) for values in (points, target))
    if moved.shape != fixed.shape or moved.ndim != 2:
        raise ValueError(f"points and target must have one shape (k, 2), got {moved.shape} and {fixed.shape}")
    middle = fixed.mean(axis=0)
    centred = moved - moved.mean(axis=0)
    return centred @ orthogonal_procrustes(centred, fixed - middle)[0] + middle


def covering_ellipse(points: ArrayLike, share: float = 0.95) -> Ellipse:
    """Ellipse that holds this share of a normal cloud with the points' covariance.

    Parameters
    ----------
    points : array_like of shape (n, 2)
        The cloud, n at least 2.
    share : float
        Between 0 and 1.

    Raises
    ------
    ValueError
        If `share` is not between 0 and 1 or there are fewer than 2 points.
    """
    cloud = np.asarray(points, dtype=np.float64)
    check_confidence(share)
    if cloud.ndim != 2 or cloud.shape[1] != 2 or len(cloud) < 2:
        raise ValueError(f"a cloud needs at least 2 points of 2 coordinates, got shape {cloud.shape}")
    values, vectors = np.linalg.eigh(np.cov(cloud.T))
    radius = np.sqrt(-2 * np.log(1 - share))
    height, width = 2 * radius * np.sqrt(np.maximum(values, 0))
    return Ellipse(float(width), float(height), float(np.degrees(np.arctan2(vectors[1, 1], vectors[0, 1]))))


def _symmetric(values: ArrayLike) -> FloatArray:
    matrix = np.asarray(values, dtype=np.float64)
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or len(matrix) < 2:
        raise ValueError(f"the matrix must be square, at least 2 x 2, got shape {matrix.shape}")
    if np.isnan(matrix).any():
        raise ValueError("the matrix holds NaN; leave out the rows that have no value with some other row")
    if not np.allclose(matrix, matrix.T):
        raise ValueError("the matrix is not symmetric")
    return (matrix + matrix.T) / 2


def _correlation(x: FloatArray, y: FloatArray) -> float:
    x, y = x - x.mean(), y - y.mean()
    scale = np.sqrt((x**2).sum() * (y**2).sum())
    return float((x * y).sum() / scale) if scale > 1e-12 else np.nan
