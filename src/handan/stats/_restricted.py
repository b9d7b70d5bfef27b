"""The restricted likelihood of statsmodels' MixedLM, its top, and the estimates and intervals there."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from ._common import FloatArray
from ._rotated import MODELS, Rows

if TYPE_CHECKING:
    from statsmodels.regression.mixed_linear_model import MixedLM

# Variances relative to the noise: the search's lower end, where it starts, how flat its top must be.
_LOWEST = 1e-8
_START = {"model": 1.0, "model x task": 0.3, "item": 1.0}
_TINIEST = 1e-100
_FLAT = 1e-3
_RESTARTS = 5


class Top(NamedTuple):
    """Where the likelihood is highest.

    Attributes
    ----------
    variances : dict of str to float
        Of each component and the ``residual``; 0 on the boundary.
    loglik : float
        Restricted log likelihood.
    converged : bool
        False when some variance could still be moved to a higher likelihood.
    """

    variances: dict[str, float]
    loglik: float
    converged: bool

    def components(self) -> pd.DataFrame:
        """Tabulate standard deviations: ``component, sd, note``."""
        notes = ["" if value > 0 else "estimated as zero" for value in self.variances.values()]
        deviations = np.sqrt(np.array(list(self.variances.values()), dtype=float))
        return pd.DataFrame({"component": list(self.variances), "sd": deviations, "note": notes})


def maximise(groups: Sequence[Rows], names: Sequence[str]) -> Top:
    """Find the variances at which statsmodels' restricted likelihood is highest.

    Parameters
    ----------
    groups : sequence of Rows
        Independent of one another.
    names : sequence of str
        Components to estimate.

    Returns
    -------
    Top
    """
    model = _mixed_lm(groups, names)
    ratios = np.array([_START.get(name.split(" (")[0], 0.1) for name in names])
    with warnings.catch_warnings():
        # A variance at its boundary is expected here, and reported.
        warnings.simplefilter("ignore")
        for _ in range(_RESTARTS):
            ratios, loglik = _climb(model, ratios)
            if converged := _flat(model, ratios):
                break
        effects, _ = model.get_fe_params(np.zeros((0, 0)), ratios)
        scale = float(model.get_scale(effects, np.zeros((0, 0)), ratios))
    variances = np.where(ratios > 10 * _LOWEST, ratios, 0.0) * scale
    return Top(dict(zip(names, variances.tolist(), strict=True)) | {"residual": scale}, loglik, converged)


def _climb(model: MixedLM, start: FloatArray) -> tuple[FloatArray, float]:
    """Search from a start whose size is also the unit of the search."""
    from scipy.optimize import minimize

    unit = np.maximum(start, 1e-3)

    def _downhill(x: FloatArray) -> tuple[float, FloatArray]:
        loglik, slope = _likelihood(model, x * unit)
        return -loglik, -slope * unit

    found = minimize(
        _downhill, start / unit, jac=True, method="L-BFGS-B",
        bounds=[(_LOWEST / one, None) for one in unit], options={"ftol": 1e-12, "gtol": 1e-6},
    )  # fmt: skip
    return found.x * unit, -float(found.fun)


def _flat(model: MixedLM, ratios: FloatArray) -> bool:
    """No variance gains by growing, nor by shrinking where it can."""
    gain = _likelihood(model, ratios)[1] * np.maximum(ratios, 1e-2)
    free = ratios > 2 * _LOWEST
    return bool((gain < _FLAT).all() and (gain[free] > -_FLAT).all())


def _mixed_lm(groups: Sequence[Rows], names: Sequence[str]) -> MixedLM:
    from statsmodels.regression.mixed_linear_model import MixedLM, VCSpec

    columns = [
        [group.random.get(name, np.zeros((len(group.value), 0))) for group in groups] for name in names
    ]
    labels = [[[str(k) for k in range(part.shape[1])] for part in parts] for parts in columns]
    number = np.repeat(np.arange(len(groups)), [len(group.value) for group in groups])
    value, fixed = (np.concatenate([getattr(group, side) for group in groups]) for side in ("value", "fixed"))
    model = MixedLM(value, fixed, number, exog_vc=VCSpec(list(names), labels, columns), use_sqrt=False)
    # What MixedLM.fit sets before its own search; it lets no other search in.
    model.reml, model.fe_pen, model.cov_pen = True, None, None
    model._cov_sing, model._freepat = 0, None
    return model


def _likelihood(model: MixedLM, ratios: FloatArray) -> tuple[float, FloatArray]:
    """Restricted log likelihood and its slopes; variances are relative to the noise."""
    from statsmodels.regression.mixed_linear_model import MixedLMParams

    none = np.zeros((0, 0))
    effects, _ = model.get_fe_params(none, ratios)
    params = MixedLMParams.from_components(effects, none, vcomp=ratios)
    slopes = model.score_full(params, calc_fe=False)[2]
    return float(model.loglike(params, profile_fe=False)), np.asarray(slopes, dtype=float)


def least_squares(
    head: Rows, variances: Mapping[str, float], sets: Mapping[str, np.ndarray]
) -> tuple[FloatArray, dict[str, FloatArray]]:
    """Generalised least squares, and the covariance of its estimates by cause.

    Parameters
    ----------
    head : Rows
        All n rows that carry fixed effects.
    variances : mapping of str to float
        Of components and the ``residual``; ordinary least squares when empty.
    sets : mapping of str to ndarray of shape (n,)
        Rows of each set of models, which together are all rows.

    Returns
    -------
    beta : ndarray of shape (k,)
        Estimates.
    shares : dict of str to ndarray of shape (k, k)
        Covariance due to each set of models (with its noise) and to ``items``; nothing without
        variances.
    """
    random = {name: head.random[name] for name in variances if name != "residual"}
    noise = variances.get("residual", 1.0)
    total = noise * np.eye(len(head.value))
    for name, columns in random.items():
        total += variances[name] * columns @ columns.T
    weighted = np.linalg.solve(total, head.fixed)
    weights = np.linalg.solve(head.fixed.T @ weighted, weighted.T)
    if not variances:
        return weights @ head.value, {}
    shares = {"items": np.zeros((len(weights), len(weights)))}
    for name, those in sets.items():
        own = weights * those
        shares[name] = noise * own @ own.T + _spread(own, random, variances, of_models=True)
    shares["items"] += _spread(weights, random, variances, of_models=False)
    return weights @ head.value, shares


def _spread(
    weights: FloatArray, random: Mapping[str, FloatArray], variances: Mapping[str, float], of_models: bool
) -> FloatArray:
    """Covariance that components of models, or of items, cause through these weights."""
    found = np.zeros((len(weights), len(weights)))
    for name, columns in random.items():
        if name.startswith(MODELS) == of_models:
            reached = weights @ columns
            found += variances[name] * reached @ reached.T
    return found


def interval(
    estimate: float, parts: Mapping[str, float], df: Mapping[str, float], confidence: float
) -> dict[str, float]:
    """Interval of an estimate whose variance is a sum of estimated parts (Banerjee, 1960).

    Every part reaches as far as its own t quantile says, and the squares of the reaches are
    added. Whatever the true parts are, the interval covers at least as often as it promises.

    Parameters
    ----------
    estimate : float
        Centre.
    parts, df : mapping of str to float
        Parts of the variance, and degrees of freedom with which each was estimated.
    confidence : float
        For example 0.95.

    Returns
    -------
    dict
        ``estimate, se, df, low, high, p``; ``df`` is that of the Student's t that would reach as
        far, ``p`` is 1 minus the confidence at which the interval would end at zero.

    References
    ----------
    Banerjee (1960), "Approximate confidence interval for linear functions of means of k populations
    when the population variances are not equal", Sankhya, 22, 357-358.
    """
    from scipy.optimize import brentq
    from scipy.special import stdtrit

    # Where effects cancel, rounding can leave less than nothing.
    variance = np.maximum(list(parts.values()), 0.0)
    freedom = np.array([df[name] for name in parts], dtype=float)
    se = float(np.sqrt(variance.sum()))

    def _reach(p: float) -> float:
        return float(np.sqrt(variance @ stdtrit(freedom, p / 2) ** 2))

    reach, tail = _reach(1 - confidence), (1 - confidence) / 2
    same = brentq(lambda df: -stdtrit(df, tail) * se - reach, 0.99 * freedom.min(), 1.01 * freedom.max())
    p = float(abs(estimate) <= _reach(1.0))
    if _reach(1.0) < abs(estimate) < _reach(_TINIEST):
        p = float(np.exp(brentq(lambda log: _reach(np.exp(log)) - abs(estimate), np.log(_TINIEST), 0.0)))
    return dict(estimate=estimate, se=se, df=float(same), low=estimate - reach, high=estimate + reach, p=p)
