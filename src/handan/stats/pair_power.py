"""Power of the two common tests for one pair of models: Williams' t and Steiger's Z.

References
----------
Dunn, O. J., & Clark, V. A. (1969). Correlation coefficients measured on the same
    individuals. J. Am. Stat. Assoc., 64, 366-377.
Faul, F., Erdfelder, E., Buchner, A., & Lang, A.-G. (2009). Statistical power analyses using
    G*Power 3.1. Behavior Research Methods, 41, 1149-1160.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from ._common import FloatArray, normal_quantile
from .overlapping import williams_t
from .pair_design import correlation_covariance


def williams_power(
    r_a: ArrayLike, r_b: ArrayLike, r_ab: ArrayLike, n_items: ArrayLike, alpha: float = 0.05
) -> FloatArray:
    """Power of Williams' t for one pair: its noncentral t, taken at the true correlations.

    Parameters
    ----------
    r_a, r_b, r_ab : array_like
        Observed correlations of a with people, b with people, a with b.
    n_items : array_like
        Items.
    alpha : float
        Two-sided level.

    Returns
    -------
    ndarray
        NaN below 4 items, or where no data can have the three correlations.

    Raises
    ------
    ValueError
        When a correlation lies outside -1 to 1, or `alpha` outside 0 to 1.
    """
    from scipy import special, stats

    normal_quantile(1 - alpha)
    t, df, _ = williams_t(r_a, r_b, r_ab, n_items)
    critical = special.stdtrit(df, 1 - alpha / 2)
    # The upper tail of both signs: SciPy's lower tail is NaN where t is large.
    return (stats.nct.sf(critical, df, t) + stats.nct.sf(critical, df, -t))[()]


def steiger_power(
    r_a: float,
    r_b: float,
    r_ab: float,
    n_items: ArrayLike,
    alpha: float = 0.05,
    null_r: float | None = None,
) -> FloatArray:
    """Power of Steiger's Z for one pair, as in Dunn and Clark (1969).

    Parameters
    ----------
    r_a, r_b, r_ab, n_items, alpha
        As in `williams_power`.
    null_r : float, optional
        Both correlations under the null hypothesis. The default is their mean, as the pooled
        test has it; G*Power (Faul et al., 2009) takes one of the two.

    Returns
    -------
    ndarray
        NaN below 4 items.

    Raises
    ------
    ValueError
        When a correlation is not between -1 and 1, or `alpha` not between 0 and 1.
    """
    from scipy import special

    n = np.asarray(n_items, dtype=np.float64)
    middle = (r_a + r_b) / 2 if null_r is None else null_r
    at_truth, at_null = _spread_of_z(r_a, r_b, r_ab), _spread_of_z(middle, middle, r_ab)
    distance = (np.arctanh(r_a) - np.arctanh(r_b)) * np.sqrt(np.where(n > 3, n - 3, np.nan))
    reach = normal_quantile(1 - alpha) * at_null
    return (special.ndtr((distance - reach) / at_truth) + special.ndtr((-distance - reach) / at_truth))[()]


def _spread_of_z(r_a: float, r_b: float, r_ab: float) -> float:
    """Give the standard error of the difference of two Fisher z, times ``sqrt(n - 3)``."""
    shared = correlation_covariance(r_a, r_b, r_ab) / ((1 - r_a**2) * (1 - r_b**2))
    return float(np.sqrt(2 - 2 * shared))
