"""What noise in the norms does to a correlation, and which correlations it allows.

References
----------
Spearman, C. (1904). The proof and measurement of association between two things.
    American Journal of Psychology, 15, 72-101.
"""

from __future__ import annotations

from ._common import as_correlations


def attenuate(r: float, ceiling: float = 1.0, model_reliability: float = 1.0) -> float:
    """Observed correlation that a true one becomes (Spearman, 1904).

    Parameters
    ----------
    r : float
        Correlation of what a model would spend on average with what people would take on average.
    ceiling : float
        Noise ceiling of the norms: the square root of their reliability.
    model_reliability : float
        Reliability of the model's costs over samples.

    Returns
    -------
    float
        ``r × ceiling × sqrt(model_reliability)``.

    Raises
    ------
    ValueError
        When `r` is no correlation, or the others don't lie above 0 and up to 1.
    """
    for name, value in (("ceiling", ceiling), ("model_reliability", model_reliability)):
        if not 0 < value <= 1:
            raise ValueError(f"{name} must lie above 0 and up to 1, got {value:g}")
    return float(as_correlations(r, "r")) * ceiling * model_reliability**0.5


def observed(
    r_a: float, r_b: float, ceiling: float | None = None, *, true: bool = False
) -> tuple[float, float]:
    """Make sure that two correlations with people are observed ones.

    Parameters
    ----------
    r_a, r_b : float
        Observed correlations, as a paper prints them, or true ones.
    ceiling : float, optional
        Noise ceiling of the norms, the square root of their reliability.
    true : bool
        Whether `r_a` and `r_b` are true ones, which the norms' noise then lowers.

    Returns
    -------
    tuple of (float, float)

    Raises
    ------
    ValueError
        When observed ones lie beyond the ceiling, true ones have none, or a value is out of
        its range.
    """
    if true:
        if ceiling is None:
            raise ValueError("true correlations need the ceiling of the norms, to say what would be observed")
        return attenuate(r_a, ceiling), attenuate(r_b, ceiling)
    limit = attenuate(1.0, 1.0 if ceiling is None else ceiling)
    for name, r in (("r_a", r_a), ("r_b", r_b)):
        if abs(float(as_correlations(r, name))) > limit:
            raise ValueError(
                f"{name} = {r:g} can't be observed with norms whose ceiling is {limit:g}: even a model "
                f"without error would reach only {limit:g}. Name a lower {name}, better norms, or say that "
                "the correlations are true ones"
            )
    return r_a, r_b
