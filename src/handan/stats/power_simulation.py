"""Simulated studies of pairs of models, and how often which verdict comes out.

The formulas of `handan.stats.power` take sampling errors as normal and their size as known.
Here nothing is taken as known: data are drawn, and every study gets its own interval from
its own item bootstrap.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ._common import FloatArray, two_sided_t
from .bootstrap import resample_counts, weighted_correlations
from .overlapping import williams_t
from .pair_design import PairDesign
from .percentile import percentile_interval
from .simulate import proportion_interval

if TYPE_CHECKING:
    import pandas as pd

_STUDIES_PER_BLOCK = 50
SUPPORTED, CANNOT_TELL, NOT_SUPPORTED = "supported", "cannot_tell", "not_supported"
REJECTED = "rejected"


def simulate_pairs(
    design: PairDesign,
    n_items: int,
    n_studies: int,
    seed: int | np.random.Generator,
    t_df: float | None = None,
) -> FloatArray:
    """Draw studies in which the true correlations are those of a design.

    Parameters
    ----------
    design : PairDesign
        Its number of pairs k must be whole.
    n_items, n_studies : int
        Items per study and number of studies.
    seed : int or Generator
        Source of randomness.
    t_df : float, optional
        Degrees of freedom of a multivariate t with the same correlations: extreme items
        are extreme for everybody. Above 2; the default is the normal.

    Returns
    -------
    ndarray of shape (n_studies, n_items, 1 + 2 k)
        People, first models, second models; each has mean 0 and variance 1.

    Raises
    ------
    ValueError
        When a count or `t_df` is too small, or k isn't whole.
    """
    if n_items < 1 or n_studies < 1:
        raise ValueError(
            f"n_items and n_studies must be at least 1, got n_items={n_items}, n_studies={n_studies}"
        )
    if t_df is not None and t_df <= 2:
        raise ValueError(f"t_df must be above 2 for a finite variance, got {t_df}")
    rng = np.random.default_rng(seed)
    matrix = design.matrix()
    # Eigenvalues rather than Cholesky, so that one teacher may serve several pairs.
    values, vectors = np.linalg.eigh(matrix)
    root = (vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T
    drawn = rng.standard_normal((n_studies, n_items, len(matrix))) @ root
    if t_df is not None:
        # Dividing by a chi-square that all variables share keeps their correlations.
        drawn /= np.sqrt(rng.chisquare(t_df, size=(n_studies, n_items, 1)) / (t_df - 2))
    return drawn


def simulated_power(
    design: PairDesign,
    n_items: int,
    smallest: float,
    *,
    alpha: float = 0.05,
    fewest: int = 0,
    n_studies: int = 2_000,
    n_boot: int = 500,
    t_df: float | None = None,
    seed: int = 0,
) -> pd.DataFrame:
    """Share of simulated studies that reach each verdict, and that two tests reject.

    Parameters
    ----------
    design : PairDesign
        The truth.
    n_items : int
        Items per study, at least 4.
    smallest : float
        Smallest difference of interest, positive: an interval wholly below it says *not
        supported*, unless it is wholly above 0.
    alpha : float
        Level of the tests; intervals have confidence ``1 - alpha``.
    fewest : int
        With fewer items every verdict is *cannot tell*.
    n_studies, n_boot : int
        Simulated studies, and resamples of items in each.
    t_df, seed
        As in `simulate_pairs`.

    Returns
    -------
    DataFrame
        A row per ``outcome``, with its ``share``, the 95 % Monte Carlo interval ``low, high``
        of the share, and ``n_studies``. Outcomes are the verdicts ``supported``,
        ``cannot_tell`` and ``not_supported`` of the item-bootstrap interval of the mean
        difference; ``rejected``, that interval excludes 0, on either side and with however
        few items; ``williams`` (one pair only), Williams' test rejects; ``unpaired_t`` (several
        pairs, each of two models of its own), a t test rejects that takes every r for an
        independent observation.

    Raises
    ------
    ValueError
        As in `simulate_pairs`, or when `n_items` is below 4 or `smallest` not positive.
    """
    import pandas as pd

    if n_items < 4 or not smallest > 0:
        raise ValueError(
            f"a study needs at least 4 items and a positive `smallest`, "
            f"got n_items={n_items}, smallest={smallest}"
        )
    counts: dict[str, int] = {}
    rng = np.random.default_rng(seed)
    for people, models in _blocks(design, n_items, n_studies, t_df, rng):
        resamples = np.vstack([np.ones((1, n_items)), resample_counts(n_items, n_boot, rng)])
        r = _correlations(resamples, people, models)
        verdict = _verdicts(r[1:], n_items, alpha, smallest, decides=n_items >= fewest)
        for outcome, hits in (verdict | _tests(design, r[0], models, alpha)).items():
            counts[outcome] = counts.get(outcome, 0) + int(hits.sum())
    rows = [
        dict(zip(("outcome", "share", "low", "high"), _share(outcome, hits, n_studies), strict=True))
        for outcome, hits in counts.items()
    ]
    return pd.DataFrame(rows).assign(n_studies=n_studies)


def _blocks(
    design: PairDesign, n_items: int, n_studies: int, t_df: float | None, rng: np.random.Generator
) -> Iterator[tuple[FloatArray, FloatArray]]:
    """Yield people (n_items, studies) and models (n_items, studies, 2, k), some studies at a time."""
    for start in range(0, n_studies, _STUDIES_PER_BLOCK):
        size = min(_STUDIES_PER_BLOCK, n_studies - start)
        drawn = simulate_pairs(design, n_items, size, rng, t_df).swapaxes(0, 1)
        yield drawn[..., 0], drawn[..., 1:].reshape(n_items, size, 2, -1)


def _correlations(counts: FloatArray, people: FloatArray, models: FloatArray) -> FloatArray:
    """Correlations with people of shape (resamples, studies, 2, k)."""
    n_items, studies, sides, k = models.shape
    repeated = np.repeat(people, sides * k, axis=1)
    r = weighted_correlations(counts, models.reshape(n_items, -1), repeated)
    return r.reshape(len(counts), studies, sides, k)


def _verdicts(
    draws: FloatArray, n_items: int, alpha: float, smallest: float, decides: bool
) -> dict[str, NDArray[np.bool_]]:
    difference = (draws[:, :, 0] - draws[:, :, 1]).mean(axis=2)
    interval = percentile_interval(difference, 1 - alpha, n_items=n_items)
    supported = (interval.low > 0) & decides
    not_supported = (interval.high < smallest) & ~supported & decides
    return {
        SUPPORTED: supported,
        CANNOT_TELL: ~(supported | not_supported),
        NOT_SUPPORTED: not_supported,
        REJECTED: (interval.low > 0) | (interval.high < 0),
    }


def _tests(
    design: PairDesign, r: FloatArray, models: FloatArray, alpha: float
) -> dict[str, NDArray[np.bool_]]:
    """Which studies each test rejects; `r` has shape (studies, 2, k)."""
    k = r.shape[2]
    if k == 1:
        r_ab = weighted_correlations(np.ones((1, len(models))), models[:, :, 0, 0], models[:, :, 1, 0])[0]
        return {"williams": williams_t(r[:, 0, 0], r[:, 1, 0], r_ab, len(models)).p < alpha}
    if max(design.alike_a, design.alike_b) > 1 - 1e-9:
        # One model serves several pairs: its r is one cell, not one per pair.
        return {}
    means, variances = r.mean(axis=2), r.var(axis=2, ddof=1)
    t = (means[:, 0] - means[:, 1]) / np.sqrt(variances.sum(axis=1) / k)
    return {"unpaired_t": two_sided_t(t, 2 * k - 2) < alpha}


def _share(outcome: str, hits: int, n_studies: int) -> tuple[str, float, float, float]:
    return outcome, hits / n_studies, *proportion_interval(hits, n_studies)
