"""A planned study: some pairs of models, the same items, and how alike the models are.

Model a of a pair follows people at r_a, model b at r_b; the study asks for the mean
difference over pairs. All pairs share items and people, so more pairs take away only that
part of the sampling error that the models don't have in common. How much they have in
common is said by *likeness*: the correlation of two models given people, that is of what
they do beside people. It is the same for all pairs.

All correlations are observed ones, with the noise of the norms in them, as a paper prints
them. `handan.stats.attenuation` turns true ones into observed ones.

References
----------
Olkin, I., & Siotani, M. (1976). Asymptotic distribution of functions of a correlation
    matrix. In Essays in probability and statistics.
Steiger, J. H. (1980). Tests for comparing elements of a correlation matrix.
    Psychological Bulletin, 87, 245-251.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ._common import FloatArray, as_correlations
from .correlation import partial_correlation

# What a correlation computed from data may lack to being possible.
_ROUNDING = 1e-9


class ImpossibleDesign(ValueError):
    """No data can have these correlations, or no number of items is enough for what is asked."""


@dataclass(frozen=True)
class PairDesign:
    """Observed correlations of pairs of models with people, and their likeness beside people.

    `pair_design` makes one from the correlation of the two models of a pair.

    Attributes
    ----------
    r_a, r_b : float
        Correlation with people of the first and of the second model of every pair.
    own : float
        Likeness of the two models of a pair.
    alike_a, alike_b : float
        Likeness of the first models of two pairs (1 where one teacher serves all), and of
        the second.
    across : float
        Likeness of the first model of a pair and the second of another.
    n_pairs : float
        Number of pairs; infinite for the limit that more pairs approach.

    Raises
    ------
    ValueError
        When a value is not a correlation, or there is less than one pair.
    ImpossibleDesign
        When no data can have these correlations.
    """

    r_a: float
    r_b: float
    own: float
    alike_a: float
    alike_b: float
    across: float
    n_pairs: float = 1

    def __post_init__(self) -> None:
        for name in ("r_a", "r_b", "own", "alike_a", "alike_b", "across"):
            if not np.isfinite(as_correlations(getattr(self, name), name)):
                raise ValueError(f"{name} is missing")
        if not self.n_pairs >= 1:
            raise ValueError(f"a design needs at least one pair, got n_pairs={self.n_pairs}")
        if self.n_pairs > 1 and not self._possible():
            raise ImpossibleDesign(
                f"no {self.n_pairs:g} pairs can have the likenesses own={self.own:.2f}, "
                f"alike_a={self.alike_a:.2f}, alike_b={self.alike_b:.2f}, across={self.across:.2f}: "
                "models that resemble the same model must also resemble one another"
            )

    @property
    def between(self) -> float:
        """Correlation of the two models of a pair, what they share with people included."""
        return _with_people(self.r_a, self.r_b, self.own)

    @property
    def difference(self) -> float:
        """Mean difference, ``r_a - r_b``."""
        return self.r_a - self.r_b

    @property
    def variance(self) -> float:
        """Large-sample variance of the mean difference, times ``n - 1`` (Steiger, 1980, eq. 3).

        ``v / k + (1 - 1 / k) w``: the v of a single pair falls with the k pairs, the w that
        pairs share doesn't.
        """
        single = 1 / self.n_pairs
        alone = self._spread(1, 1, self.own)
        shared = self._spread(self.alike_a, self.alike_b, self.across)
        return max(0.0, single * alone + (1 - single) * shared)

    def with_difference(self, difference: float) -> PairDesign:
        """Keep the likenesses and the mean r, and take another difference; an r beyond 1 is cut."""
        middle = (self.r_a + self.r_b) / 2
        r_a, r_b = np.clip([middle + difference / 2, middle - difference / 2], -1, 1)
        return replace(self, r_a=float(r_a), r_b=float(r_b))

    def matrix(self) -> FloatArray:
        """Correlation matrix of people, all first models and all second models.

        Returns
        -------
        ndarray of shape (1 + 2 k, 1 + 2 k)
            For k pairs.

        Raises
        ------
        ValueError
            When the number of pairs is not whole.
        """
        if not float(self.n_pairs).is_integer():
            raise ValueError(f"only a whole number of pairs has a matrix, not n_pairs={self.n_pairs}")
        r = np.repeat([1.0, self.r_a, self.r_b], [1, int(self.n_pairs), int(self.n_pairs)])
        rest = np.sqrt(1 - r**2)
        return np.outer(r, r) + np.outer(rest, rest) * self._beside(int(self.n_pairs))

    def _beside(self, k: int) -> FloatArray:
        """Likeness of all models to all; the first row and column, of people, don't matter."""
        same = np.eye(k, dtype=bool)
        a, b, ab = (np.where(same, own, other) for own, other in self._couples())
        return np.pad(np.block([[a, ab], [ab, b]]), ((1, 0), (1, 0)))

    def _spread(self, alike_a: float, alike_b: float, across: float) -> float:
        """Variance of a mean difference if the r of a had the covariance of this likeness, and so on."""
        covariance = [
            correlation_covariance(x, y, _with_people(x, y, likeness))
            for x, y, likeness in (
                (self.r_a, self.r_a, alike_a),
                (self.r_b, self.r_b, alike_b),
                (self.r_a, self.r_b, across),
            )
        ]
        return covariance[0] + covariance[1] - 2 * covariance[2]

    def _possible(self) -> bool:
        """Whether the likenesses are those of any models: mean over pairs and deviations from it apart."""
        single = 1 / self.n_pairs

        def _fits(a: float, b: float, ab: float) -> bool:
            return min(a, b, a * b - ab**2) >= -_ROUNDING

        mean = [single * same + (1 - single) * other for same, other in self._couples()]
        deviation = [same - other for same, other in self._couples()]
        return _fits(*mean) and _fits(*deviation)

    def _couples(self) -> list[tuple[float, float]]:
        return [(1.0, self.alike_a), (1.0, self.alike_b), (self.own, self.across)]


def pair_design(
    r_a: float,
    r_b: float,
    between: float,
    n_pairs: float = 1,
    *,
    one_teacher: bool = False,
    alike: float | None = None,
) -> PairDesign:
    """Plan a study from what a lab can guess: three correlations and a number of pairs.

    Parameters
    ----------
    r_a, r_b : float
        Observed correlation with people of the first and second model of a pair.
    between : float
        Correlation of these two with each other.
    n_pairs : float
        Number of pairs, or infinity.
    one_teacher : bool
        Whether one model is the first of all pairs.
    alike : float, optional
        Likeness of models of the same side in different pairs (see `PairDesign`). By default
        that of the two models of a pair, or where this is negative its square, the least
        that resembling one model makes them resemble one another.

    Raises
    ------
    ValueError, ImpossibleDesign
        As in `PairDesign`, or when the three correlations can't occur together.
    """
    own = float(partial_correlation(between, r_a, r_b))
    if np.isnan(own):
        raise ImpossibleDesign(
            f"no data can have r_a={r_a:g}, r_b={r_b:g} and a correlation of {between:g} between the models: "
            "two models that both follow people closely must also resemble each other, but no more than "
            "their difference allows"
        )
    likeness = max(own, own**2) if alike is None else alike
    across = own if one_teacher else max(own, 0.0)
    return PairDesign(r_a, r_b, own, 1.0 if one_teacher else likeness, likeness, across, n_pairs)


def correlation_covariance(r_x: float, r_y: float, r_xy: float) -> float:
    """Large-sample covariance, times ``n - 1``, of the correlations of x and y with a third variable.

    With ``r_xy = 1`` and ``r_x = r_y`` it is the variance ``(1 - r²)²`` (Olkin & Siotani, 1976;
    Steiger, 1980, eq. 3).
    """
    rest = 1 - r_x**2 - r_y**2
    return r_xy * rest - r_x * r_y / 2 * (rest - r_xy**2)


def _with_people(r_x: float, r_y: float, likeness: float) -> float:
    return r_x * r_y + likeness * float(np.sqrt((1 - r_x**2) * (1 - r_y**2)))
