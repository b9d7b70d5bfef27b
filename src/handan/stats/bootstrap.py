"""Item bootstrap: one resample of items serves every model at once.

Models that answer the same items share whatever is odd about those items, so their
correlations with people are dependent. Resampling items once and recomputing every
correlation on the same resample keeps that dependence, and any contrast of the draws
(teacher minus student, a mean over tasks) inherits it.

A resample is stored as counts, how often each item was drawn, because a weighted
correlation needs only six weighted sums, and all of them come from one matrix product.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ._common import FloatArray

_CELLS_PER_CHUNK = 100_000


def resample_counts(n_items: int, n_boot: int, seed: int | np.random.Generator) -> NDArray[np.int64]:
    """Draw `n_items` items with replacement, `n_boot` times, as counts.

    Parameters
    ----------
    n_items, n_boot : int
        Number of items and of resamples, both at least 1.
    seed : int or Generator
        A generator continues its own stream, so two calls of 500 equal one of 1,000.

    Returns
    -------
    ndarray of int of shape (n_boot, n_items)
        Each row sums to `n_items`.

    Raises
    ------
    ValueError
        If `n_items` or `n_boot` is below 1.
    """
    if n_items < 1 or n_boot < 1:
        raise ValueError(
            f"a resample needs at least 1 item and 1 draw, got n_items={n_items}, n_boot={n_boot}"
        )
    rng = np.random.default_rng(seed)
    drawn = rng.integers(0, n_items, size=(n_boot, n_items), dtype=np.int64)
    drawn += np.arange(n_boot, dtype=np.int64)[:, None] * n_items
    return np.bincount(drawn.ravel(), minlength=n_boot * n_items).reshape(n_boot, n_items)


def weighted_correlations(counts: ArrayLike, x: ArrayLike, y: ArrayLike) -> FloatArray:
    """Pearson r of each column of `x` with `y`, under each row of counts.

    Parameters
    ----------
    counts : array_like of shape (n_boot, n_items)
        Non-negative weights, usually from `resample_counts`.
    x, y : array_like of shape (n_items,) or (n_items, k)
        Values per item. A single column goes with every column of the other. A
        missing value (NaN) leaves the item out of that column's correlation only.

    Returns
    -------
    ndarray of shape (n_boot, k)
        NaN where a side has no variance in the resample, or a column has fewer
        than 3 items with both values.

    Raises
    ------
    ValueError
        If shapes don't fit or a value is infinite.
    """
    columns, complete = _pairs(x, y)
    weights = np.asarray(counts, dtype=np.float64)
    if weights.ndim != 2 or weights.shape[1] != complete.shape[0]:
        raise ValueError(
            f"counts must have shape (n_boot, {complete.shape[0]}), one column per item, got {weights.shape}"
        )
    return _correlate(weights, columns, complete)


def bootstrap_correlations(
    x: ArrayLike,
    y: ArrayLike,
    n_boot: int = 10_000,
    seed: int | np.random.Generator = 0,
    chunk: int | None = None,
) -> FloatArray:
    """Resample items once for all columns and recompute every Pearson r.

    Parameters
    ----------
    x, y : array_like of shape (n_items,) or (n_items, k)
        As in `weighted_correlations`.
    n_boot : int
        Number of resamples.
    seed : int or Generator
        Same seed, same resamples, whatever the chunk.
    chunk : int, optional
        Resamples held in memory at a time. By default about 100,000 counts (1 MB).

    Returns
    -------
    ndarray of shape (n_boot, k)
        Row b holds every column's r on resample b, so differences of columns are paired.

    Raises
    ------
    ValueError
        If shapes don't fit, a value is infinite, or `n_boot` or `chunk` is below 1.
    """
    columns, complete = _pairs(x, y)
    draws = np.empty((n_boot, complete.shape[1]))
    start = 0
    for counts in resample_chunks(complete.shape[0], n_boot, seed, chunk):
        draws[start : start + len(counts)] = _correlate(counts.astype(np.float64), columns, complete)
        start += len(counts)
    return draws


def resample_chunks(
    n_items: int, n_boot: int, seed: int | np.random.Generator, chunk: int | None = None
) -> Iterator[NDArray[np.int64]]:
    """Yield the rows of `resample_counts` in blocks, so that memory stays bounded.

    Yields
    ------
    ndarray of int of shape (at most chunk, n_items)
        Together equal to one call of `resample_counts` with the same seed.

    Raises
    ------
    ValueError
        If `n_boot` or `chunk` is below 1.
    """
    rows = max(1, _CELLS_PER_CHUNK // max(n_items, 1)) if chunk is None else chunk
    if rows < 1 or n_boot < 1:
        raise ValueError(f"n_boot and chunk must be at least 1, got n_boot={n_boot}, chunk={chunk}")
    rng = np.random.default_rng(seed)
    for start in range(0, n_boot, rows):
        yield resample_counts(n_items, min(rows, n_boot - start), rng)


def _pairs(x: ArrayLike, y: ArrayLike) -> tuple[FloatArray, FloatArray]:
    """Six columns per pair whose weighted sums give r: (n_items, 6 k), and the mask (n_items, k)."""
    left, right = (_as_columns(values, name) for values, name in ((x, "x"), (y, "y")))
    if len(left) != len(right):
        raise ValueError(f"x and y must have one row per item, got {len(left)} and {len(right)} rows")
    if 1 not in (left.shape[1], right.shape[1]) and left.shape[1] != right.shape[1]:
        raise ValueError(f"x has {left.shape[1]} columns and y has {right.shape[1]}; give as many, or one")
    left, right = np.broadcast_arrays(left, right)
    complete = ~(np.isnan(left) | np.isnan(right))
    left, right = _standardise(left, complete), _standardise(right, complete)
    mask = complete.astype(np.float64)
    return np.hstack([mask, left, right, left**2, right**2, left * right]), mask


def _as_columns(values: ArrayLike, name: str) -> FloatArray:
    columns = np.asarray(values, dtype=np.float64)
    if columns.ndim not in (1, 2) or len(columns) == 0:
        raise ValueError(f"{name} must have shape (n_items,) or (n_items, k), got {columns.shape}")
    columns = columns.reshape(len(columns), -1)
    infinite = np.argwhere(np.isinf(columns))
    if len(infinite):
        row, column = infinite[0]
        raise ValueError(
            f"{name} has {len(infinite)} infinite value(s), the first in row {row}, column {column}; "
            "the log of a zero count? Set it to NaN to leave the item out of that column"
        )
    return columns


def _standardise(values: FloatArray, complete: NDArray[np.bool_]) -> FloatArray:
    """Centre on complete pairs, largest deviation 1: the squares then neither cancel nor overflow."""
    filled = np.where(complete, values, 0.0)
    mean = filled.sum(axis=0) / np.maximum(complete.sum(axis=0), 1)
    centred = np.where(complete, filled - mean, 0.0)
    largest = np.abs(centred).max(axis=0)
    return centred / np.where(largest > 0, largest, 1.0)


def _correlate(weights: FloatArray, columns: FloatArray, complete: FloatArray) -> FloatArray:
    total, sx, sy, sxx, syy, sxy = np.split(weights @ columns, 6, axis=1)
    # Rounding leaves a little variance in a resample that repeats one value; this is its scale.
    rounding = 16 * len(complete) * np.finfo(np.float64).eps
    vx = total * sxx - sx**2
    vy = total * syy - sy**2
    usable = (vx > rounding * total * sxx) & (vy > rounding * total * syy) & (complete.sum(axis=0) >= 3)
    with np.errstate(invalid="ignore", divide="ignore"):
        r = (total * sxy - sx * sy) / (np.sqrt(vx) * np.sqrt(vy))
    return np.where(usable, np.clip(r, -1.0, 1.0), np.nan)
