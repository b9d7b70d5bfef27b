"""The restricted likelihood of statsmodels' MixedLM, and a search for its top bounded at zero."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ._common import FloatArray
from ._rotated import MODELS, Rows

if TYPE_CHECKING:
    from statsmodels.regression.mixed_linear_model import MixedLM

# Variances relative to the noise: the search's lower end, where it starts, how flat its top must be.
_LOWEST = 1e-8
_START = {"model": 1.0, "model x task": 0.3, "item": 1.0}
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
    ratios = np.array([_START.get(name, 0.1) for name in names])
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


def least_squares(head: Rows, variances: Mapping[str, float]) -> tuple[FloatArray, dict[str, FloatArray]]:
    """Generalised least squares, and the covariance of its estimates that models and items cause.

    Parameters
    ----------
    head : Rows
        All rows that carry fixed effects.
    variances : mapping of str to float
        Of components and the ``residual``; ordinary least squares when empty.

    Returns
    -------
    beta : ndarray of shape (k,)
        Estimates.
    shares : dict of str to ndarray of shape (k, k)
        Covariance due to ``models`` (with the noise) and to ``items``; nothing without variances.
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
    shares = {"models": noise * weights @ weights.T, "items": np.zeros((len(weights), len(weights)))}
    for name, columns in random.items():
        reached = weights @ columns
        shares["models" if name in MODELS else "items"] += variances[name] * reached @ reached.T
    return weights @ head.value, shares
