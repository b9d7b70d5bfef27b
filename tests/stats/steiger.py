"""Power of Steiger's Z for one pair, as in Dunn and Clark (1969): a way to test the covariance of two correlations.

Others have published its values (Faul, F., Erdfelder, E., Buchner, A., & Lang, A.-G. (2009). Statistical power
analyses using G*Power 3.1. Behavior Research Methods, 41, 1149-1160), and have programs for it.

Dunn, O. J., & Clark, V. A. (1969). Correlation coefficients measured on the same individuals. J. Am. Stat. Assoc.,
64, 366-377.
"""

from __future__ import annotations

import numpy as np
from scipy import special

from handan.stats._common import normal_quantile
from handan.stats.pair_design import correlation_covariance


def power(r_a, r_b, r_ab, n_items, alpha, null_r):
    """Two-sided power at `n_items`; `null_r` is what both correlations are under the null hypothesis."""
    at_truth, at_null = _spread_of_z(r_a, r_b, r_ab), _spread_of_z(null_r, null_r, r_ab)
    distance = (np.arctanh(r_a) - np.arctanh(r_b)) * np.sqrt(n_items - 3)
    reach = normal_quantile(1 - alpha) * at_null
    return special.ndtr((distance - reach) / at_truth) + special.ndtr((-distance - reach) / at_truth)


def _spread_of_z(r_a, r_b, r_ab):
    """Give the standard error of the difference of two Fisher z, times ``sqrt(n - 3)``."""
    shared = correlation_covariance(r_a, r_b, r_ab) / ((1 - r_a**2) * (1 - r_b**2))
    return float(np.sqrt(2 - 2 * shared))
