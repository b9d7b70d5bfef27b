"""Simulated studies in which the truth is known: which tests keep their level, and what do they see.

Every study has `n` items with known correlations between two models and people. Where
the two models are equally aligned, a test at the 5 % level may reject in 5 % of studies;
where they differ, it should reject as often as possible.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ._common import FloatArray, as_correlations, normal_quantile
from .bootstrap import resample_counts, weighted_correlations
from .correlation import Interval, independent_difference
from .dependent import compare_overlapping
from .percentile import percentile_interval

if TYPE_CHECKING:
    import pandas as pd

_STUDIES_PER_BLOCK = 50


class _Verdict(NamedTuple):
    """Per study: was equality rejected, did the interval cover the truth; NaN where undefined."""

    rejected: FloatArray
    covered: FloatArray | None = None


def simulate_triples(
    rho_a: float,
    rho_b: float,
    rho_ab: float,
    n: int,
    n_studies: int,
    seed: int | np.random.Generator,
    t_df: float | None = None,
) -> FloatArray:
    """Draw studies with known correlations between two models and people.

    Parameters
    ----------
    rho_a, rho_b, rho_ab : float
        True correlations of model a with people, b with people, and a with b.
    n, n_studies : int
        Items per study and number of studies.
    seed : int or Generator
        Source of randomness.
    t_df : float, optional
        Degrees of freedom of a multivariate t with the same correlations: extreme
        items are extreme for all three. Above 2; the default is the normal.

    Returns
    -------
    ndarray of shape (n_studies, n, 3)
        Columns are model a, model b, people; each has mean 0 and variance 1.

    Raises
    ------
    ValueError
        If no data can have the three correlations, or a count or `t_df` is too small.
    """
    if n < 1 or n_studies < 1:
        raise ValueError(f"n and n_studies must be at least 1, got n={n}, n_studies={n_studies}")
    if t_df is not None and t_df <= 2:
        raise ValueError(f"t_df must be above 2 for a finite variance, got {t_df}")
    rng = np.random.default_rng(seed)
    triples = rng.standard_normal((n_studies, n, 3)) @ _square_root(rho_a, rho_b, rho_ab)
    if t_df is not None:
        # Dividing by a chi-square shared by the three variables keeps their correlations.
        shared = rng.chisquare(t_df, size=(n_studies, n, 1)) / (t_df - 2)
        triples /= np.sqrt(shared)
    return triples


def operating_characteristics(
    rho_a: float,
    rho_b: float,
    rho_ab: float,
    n: int,
    n_studies: int = 2_000,
    *,
    alpha: float = 0.05,
    n_boot: int = 1_000,
    t_df: float | None = None,
    seed: int = 0,
) -> pd.DataFrame:
    """How often each test rejects equal correlations, and each interval covers the true difference.

    Parameters
    ----------
    rho_a, rho_b, rho_ab, n, n_studies, t_df
        As in `simulate_triples`.
    alpha : float
        Level of the tests; intervals have confidence ``1 - alpha``.
    n_boot : int
        Item resamples per study.
    seed : int
        Same seed, same table.

    Returns
    -------
    DataFrame
        A row per ``test`` (williams, steiger, meng, zou, item-bootstrap,
        independent): ``quantity`` is ``level`` when ``rho_a = rho_b``, else
        ``power``; ``rejected`` with its 95 % Monte Carlo interval ``low, high``;
        ``coverage, coverage_low, coverage_high`` where the test has an interval;
        ``n_studies``; ``n_undefined``, studies where the test gave NaN, left out.

    Raises
    ------
    ValueError
        As in `simulate_triples`, or if `n` is below 4.
    """
    if n < 4:
        raise ValueError(f"the tests need at least 4 items per study, got n={n}")
    import pandas as pd

    rng = np.random.default_rng(seed)
    triples = simulate_triples(rho_a, rho_b, rho_ab, n, n_studies, rng, t_df)
    verdicts = _formula_verdicts(triples, rho_a, rho_b, alpha)
    boot = bootstrap_differences(triples, n_boot, rng, 1 - alpha)
    verdicts["item-bootstrap"] = _from_interval(boot, rho_a - rho_b)
    quantity = "level" if rho_a == rho_b else "power"
    order = ("williams", "steiger", "meng", "zou", "item-bootstrap", "independent")
    return pd.DataFrame([{"test": test, "quantity": quantity, **_row(verdicts[test])} for test in order])


def bootstrap_differences(
    triples: ArrayLike, n_boot: int, seed: int | np.random.Generator, confidence: float = 0.95
) -> Interval:
    """Item-bootstrap interval of ``r_a - r_b`` in each of many studies.

    Parameters
    ----------
    triples : array_like of shape (n_studies, n, 3)
        As `simulate_triples` returns them.
    n_boot : int
        Resamples. Studies share them in blocks of 50, which is fast and leaves each
        study's interval as it would be alone.
    seed : int or Generator
        Source of randomness.
    confidence : float
        Of the percentile intervals, expanded for few items.

    Returns
    -------
    Interval
        Ends of shape (n_studies,).
    """
    studies = np.asarray(triples, dtype=np.float64)
    rng = np.random.default_rng(seed)
    low, high = np.empty(len(studies)), np.empty(len(studies))
    for start in range(0, len(studies), _STUDIES_PER_BLOCK):
        block = slice(start, start + _STUDIES_PER_BLOCK)
        a, b, people = np.moveaxis(studies[block], [2, 1], [0, 1])
        counts = resample_counts(studies.shape[1], n_boot, rng)
        draws = weighted_correlations(counts, a, people) - weighted_correlations(counts, b, people)
        interval = percentile_interval(draws, confidence, n_items=studies.shape[1])
        low[block], high[block] = interval.low, interval.high
    return Interval(low, high)


def proportion_interval(hits: int, trials: int, confidence: float = 0.95) -> tuple[float, float]:
    """Wilson's interval of a proportion (1927); NaN without trials.

    Raises
    ------
    ValueError
        If `hits` is not between 0 and `trials`, or `confidence` between 0 and 1.
    """
    if not 0 <= hits <= trials:
        raise ValueError(f"hits must lie between 0 and trials, got {hits} of {trials}")
    q = normal_quantile(confidence)
    if trials == 0:
        return np.nan, np.nan
    share, penalty = hits / trials, q**2 / trials
    centre = (share + penalty / 2) / (1 + penalty)
    margin = np.sqrt(penalty * (share * (1 - share) + penalty / 4)) / (1 + penalty)
    return max(0.0, float(centre - margin)), min(1.0, float(centre + margin))


def _square_root(rho_a: float, rho_b: float, rho_ab: float) -> FloatArray:
    r_a, r_b, r_ab = as_correlations([rho_a, rho_b, rho_ab], "rho")
    matrix = np.array([[1, r_ab, r_a], [r_ab, 1, r_b], [r_a, r_b, 1]])
    # Eigenvalues rather than Cholesky, so that perfectly correlated models are allowed.
    values, vectors = np.linalg.eigh(matrix)
    if values[0] < -1e-10:
        raise ValueError(
            f"no data can have the correlations rho_a={rho_a}, rho_b={rho_b}, rho_ab={rho_ab}: "
            "two models that both follow people closely must also resemble each other"
        )
    return (vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T


def _formula_verdicts(triples: FloatArray, rho_a: float, rho_b: float, alpha: float) -> dict[str, _Verdict]:
    n = triples.shape[1]
    r_a, r_b, r_ab = _correlations(triples)
    found = compare_overlapping(r_a, r_b, r_ab, n, confidence=1 - alpha)
    true_z = float(np.arctanh(rho_a) - np.arctanh(rho_b))
    return {
        "williams": _from_p(found.williams_p, alpha),
        "steiger": _from_p(found.steiger_p, alpha),
        "meng": _from_interval(Interval(found.meng_low, found.meng_high), true_z),
        "zou": _from_interval(Interval(found.zou_low, found.zou_high), rho_a - rho_b),
        "independent": _from_p(independent_difference(r_a, r_b, n, n).p, alpha),
    }


def _correlations(triples: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Correlations a-people, b-people and a-b of every study."""
    centred = triples - triples.mean(axis=1, keepdims=True)
    unit = centred / np.sqrt((centred**2).sum(axis=1, keepdims=True))
    products = np.swapaxes(unit, 1, 2) @ unit
    return products[:, 0, 2], products[:, 1, 2], products[:, 0, 1]


def _from_p(p: FloatArray, alpha: float) -> _Verdict:
    return _Verdict(np.where(np.isnan(p), np.nan, p < alpha))


def _from_interval(interval: Interval, truth: float) -> _Verdict:
    undefined = np.isnan(interval.low) | np.isnan(interval.high)
    outside = (interval.low > 0) | (interval.high < 0)
    inside = (interval.low <= truth) & (truth <= interval.high)
    return _Verdict(np.where(undefined, np.nan, outside), np.where(undefined, np.nan, inside))


def _row(verdict: _Verdict) -> dict[str, float | int]:
    rejected, low, high, n_undefined = _share(verdict.rejected)
    covered = (np.nan, np.nan, np.nan) if verdict.covered is None else _share(verdict.covered)[:3]
    return {
        "rejected": rejected,
        "low": low,
        "high": high,
        **dict(zip(("coverage", "coverage_low", "coverage_high"), covered, strict=True)),
        "n_studies": verdict.rejected.size,
        "n_undefined": n_undefined,
    }


def _share(outcomes: NDArray[np.float64]) -> tuple[float, float, float, int]:
    defined = outcomes[~np.isnan(outcomes)]
    hits = int(defined.sum())
    share = hits / defined.size if defined.size else np.nan
    return share, *proportion_interval(hits, defined.size), outcomes.size - defined.size
