"""Power of Williams' t, the common test for one pair of models."""

from __future__ import annotations

from numpy.typing import ArrayLike

from ._common import FloatArray, normal_quantile
from .overlapping import williams_t


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
