"""How much two difficulty fingerprints resemble each other.

Two models are compared on the items that both have, and z-scores are taken over these items. The
correlation of the two vectors is then the mean of the correlations within tasks, each weighted by
its number of items, which is how it is computed here.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from handan.findings.fingerprint import Fingerprints, Task
from handan.findings.join import task_rng
from handan.stats._common import FloatArray
from handan.stats.bootstrap import bootstrap_correlations, weighted_correlations
from handan.stats.correlation import partial_correlation

# Draws that are kept, operations of one bootstrap, and what one resampled item costs beside a product.
_KEPT, _OPERATIONS, _PER_ITEM, _FEWEST_DRAWS = 1_500_000, 1e10, 40, 100
# Items × pairs and pairs that are worked on at a time.
_CELLS, _WIDEST = 3_000_000, 256


def affordable(n_boot: int, n_pairs: int, n_items: int) -> int:
    """Limit the resamples of a large study, so that memory and time stay bounded.

    Parameters
    ----------
    n_boot : int
        Resamples asked for.
    n_pairs, n_items : int
        Size of the study.

    Returns
    -------
    int
        At most `n_boot`, and 100 or more where `n_boot` is.
    """
    blocks = -(-n_pairs // _width(n_items))
    by_time = int(_OPERATIONS / max(n_items * (6 * n_pairs + _PER_ITEM * blocks), 1))
    return min(n_boot, max(_FEWEST_DRAWS, min(_KEPT // max(n_pairs, 1), by_time)))


def pair_values(
    prints: Fingerprints, left: np.ndarray, right: np.ndarray, third: np.ndarray | None = None
) -> pd.DataFrame:
    """Compare fingerprints, pair by pair.

    Parameters
    ----------
    prints : Fingerprints
        Of one study.
    left, right : ndarray of int of shape (n_pairs,)
        Indices of the two fingerprints of each pair.
    third : ndarray of int of shape (n_pairs,), optional
        A fingerprint that must have an item, too, for the pair to be compared on it.

    Returns
    -------
    DataFrame
        A row per pair: ``n`` common items and ``n_tasks``, both of tasks in which r exists (3
        common items, and both vary); ``r``; ``partial``, r given log prompt length;
        ``reliability_a, reliability_b`` over the same items.
    """
    parts = [
        _block_values(prints, left[block], right[block], None if third is None else third[block])
        for block in _blocks(prints, len(left))
    ]
    return pd.concat(parts, ignore_index=True)


def pair_draws(
    prints: Fingerprints,
    left: np.ndarray,
    right: np.ndarray,
    n_boot: int,
    seed: int = 0,
    third: np.ndarray | None = None,
) -> FloatArray:
    """Resample the items of every task, once for all pairs.

    Parameters
    ----------
    prints, left, right, third
        As in `pair_values`.
    n_boot : int
        Resamples.
    seed : int
        The same seed resamples the same items, whatever the pairs.

    Returns
    -------
    ndarray of shape (n_boot, n_pairs)
        NaN where no task has an r in that resample.
    """
    draws = np.empty((n_boot, len(left)))
    for block in _blocks(prints, len(left)):
        sums, items = np.zeros((2, n_boot, block.stop - block.start))
        for task in prints.tasks:
            also = None if third is None else third[block]
            a, b, n = _common(task, left[block], right[block], also)
            # A generator of the same seed for every block: the resamples are the same.
            r = bootstrap_correlations(a, b, n_boot, task_rng(seed, prints.study, task.name))
            sums += np.where(np.isnan(r), 0.0, r * n)
            items += np.where(np.isnan(r), 0.0, n)
        draws[:, block] = np.where(items > 0, sums / np.maximum(items, 1), np.nan)
    return draws


def _width(n_items: int) -> int:
    return min(_WIDEST, max(1, _CELLS // max(n_items, 1)))


def _blocks(prints: Fingerprints, n_pairs: int) -> Iterator[slice]:
    longest = max(len(task.matrix) for task in prints.tasks)
    width = _width(longest)
    for start in range(0, n_pairs, width):
        yield slice(start, min(start + width, n_pairs))


def _common(
    task: Task, left: np.ndarray, right: np.ndarray, third: np.ndarray | None = None
) -> tuple[FloatArray, FloatArray, FloatArray]:
    a, b = task.matrix[:, left], task.matrix[:, right]
    missing = np.isnan(a) | np.isnan(b)
    if third is not None:
        other = np.where(missing, np.nan, task.matrix[:, third])
        # A task in which the third doesn't vary would count for one comparison and not for the other.
        missing |= np.isnan(other) | (_scores(other) == 0).all(axis=0)
    return np.where(missing, np.nan, a), np.where(missing, np.nan, b), (~missing).sum(axis=0).astype(float)


def _block_values(
    prints: Fingerprints, left: np.ndarray, right: np.ndarray, third: np.ndarray | None
) -> pd.DataFrame:
    n, n_tasks, xy, xp, yp, pp, noise_a, noise_b = np.zeros((8, len(left)))
    for task in prints.tasks:
        a, b, items = _common(task, left, right, third)
        r = weighted_correlations(np.ones((1, len(a))), a, b)[0]
        exists = ~np.isnan(r)
        n_tasks += exists
        with_prompt = _with_prompt(a, b, task.prompt[:, left], task.prompt[:, right])
        noises = (items * task.reliability[index] for index in (left, right))
        terms = (items, items * r, *with_prompt, *noises)
        for total, term in zip((n, xy, xp, yp, pp, noise_a, noise_b), terms, strict=True):
            total += np.where(exists, term, 0.0)
    share = np.where(n > 0, 1 / np.maximum(n, 1), np.nan)
    unit = np.sqrt(pp * share)
    scale = share / np.where(unit > 0, unit, np.nan)
    return pd.DataFrame(
        dict(n=n.astype(int), n_tasks=n_tasks.astype(int), r=xy * share)
        | dict(partial=partial_correlation(xy * share, xp * scale, yp * scale))
        | dict(reliability_a=noise_a * share, reliability_b=noise_b * share)
    )


def _with_prompt(a: FloatArray, b: FloatArray, prompt_a: FloatArray, prompt_b: FloatArray) -> FloatArray:
    """Give sums of products of the z-scores of both sides with the prompt's, and the prompt's squares."""
    both = np.stack([prompt_a, prompt_b])
    known = ~np.isnan(both)
    length = np.where(known, both, 0.0).sum(axis=0) / np.where(known.any(axis=0), known.sum(axis=0), np.nan)
    length = np.where(np.isnan(a), np.nan, length)
    if np.isnan(length[~np.isnan(a)]).any():
        return np.full((3, a.shape[1]), np.nan)
    x, y, p = (_scores(values) for values in (a, b, length))
    return np.stack([(x * p).sum(axis=0), (y * p).sum(axis=0), (p**2).sum(axis=0)])


def _scores(values: FloatArray) -> FloatArray:
    """Z-score each column; 0 where it is missing or does not vary."""
    known = ~np.isnan(values)
    n = np.maximum(known.sum(axis=0), 1)
    filled = np.where(known, values, 0.0)
    centred = np.where(known, filled - filled.sum(axis=0) / n, 0.0)
    spread = np.sqrt((centred**2).sum(axis=0) / n)
    return centred / np.where(spread > 1e-12, spread, np.inf)
