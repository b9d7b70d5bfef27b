"""A linear mixed model in which models and items are crossed, fitted by restricted likelihood.

A value (the log cost) depends on the role of a model, on the difficulty of an item and on
both together, and every model and every item is a draw from many that there could be::

    value ~ role * difficulty + (0 + role + role:difficulty || model) + (1 + role || item)

in the notation of lme4, with a variance for each role: where roles differ in how much their models
differ, or handle items in their own way, a common one is wrong for all. With several tasks there
are also fixed effects of task and task x difficulty and random ones of model x task. These and the
noise have common variances. Where a role has more, its own levels and slopes take that up; where
it has less, its intervals are too wide. Levels and slopes of models are taken as uncorrelated.

**Which library.** The likelihood is that of statsmodels' MixedLM. Its crossed effects are
reported biased (statsmodels issue 9279). They are where one of the crossed factors is given as
``groups``; not where both are variance components. Two things were added, and
``benchmarks/mixed_models.py`` shows why: rows are rotated, so that they fall apart into groups that
are quick to solve (`handan.stats._rotated`), and variances are searched instead of standard
deviations, whose gradient vanishes at zero (`handan.stats._restricted`).

**Few models.** The variance of an estimate is a sum: a part from the models of each role (with
their noise), with one degree of freedom less than models, and one from items, with two per task
less than items. Satterthwaite's t guesses the sum's degrees of freedom from variances that are
hardly known, and covers too little where a role with two models varies most. Instead every part
keeps its own quantile, and the squares of the reaches are added (Banerjee, 1960). In complete data
that covers at least as often as promised, and is wider than need be where parts are alike. The
benchmark has the numbers. Models that share a teacher or a base are not independent draws.

References
----------
Banerjee (1960), Sankhya 22, 357-358. Bates et al. (2015), doi:10.18637/jss.v067.i01 (lme4).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from . import _rotated
from ._common import FloatArray, check_confidence
from ._restricted import Top, interval, least_squares, maximise
from ._rotated import Block, Rows

COLUMNS = ("model", "role", "task", "item", "difficulty", "value")
# Rows that hold the fixed effects form one group, which must stay small enough to be solved often.
_HEAD = 1_200
# Rotated items beyond these only sharpen variances that are known well by then.
_ITEMS = 500


class NotEstimable(ValueError):
    """The model cannot be fitted to these data; the message says why, as a clause."""


@dataclass(frozen=True)
class MixedFit:
    """A fitted model.

    Attributes
    ----------
    fixed : DataFrame
        A row per term (``level: ROLE`` and ``slope: ROLE``, means over tasks): ``estimate, se, df,
        low, high, p``. Without variance between models only the estimate.
    components : DataFrame
        A row per component and ``residual``: ``sd, note``; the unit is that of the value.
    loglik : float
        Restricted log likelihood at its maximum; NaN where nothing was searched.
    converged : bool
        Whether no variance can be moved to a higher likelihood.
    n_models, n_items, n_rows : int
        What was fitted.
    notes : tuple of str
        What was left out, and what was not found.
    """

    fixed: pd.DataFrame
    components: pd.DataFrame
    loglik: float
    converged: bool
    n_models: int
    n_items: int
    n_rows: int
    notes: tuple[str, ...]
    _shares: dict[str, FloatArray]
    _df: Mapping[str, float]

    def combine(self, weights: Mapping[str, float], confidence: float = 0.95) -> dict[str, float]:
        """Estimate a weighted sum of terms, for example the difference of two slopes.

        Parameters
        ----------
        weights : mapping of str to float
            Weight of each term of `fixed`; others weigh nothing.
        confidence : float
            Of the interval.

        Returns
        -------
        dict
            As `handan.stats._restricted.interval`; only the estimate where a role has one model.

        Raises
        ------
        LookupError
            When there is no such term.
        """
        check_confidence(confidence)
        terms = self.fixed["term"].tolist()
        if unknown := set(weights) - set(terms):
            raise LookupError(f"no term {', '.join(sorted(unknown))}; the model has: {', '.join(terms)}")
        weight = np.array([weights.get(term, 0.0) for term in terms])
        estimate = float(weight @ self.fixed["estimate"])
        parts = {name: float(weight @ share @ weight) for name, share in self._shares.items()}
        alone = any(self._df.get(_models_of(term), 1) < 1 for term, one in weights.items() if one)
        if alone or not sum(parts.values()) > 0:
            return dict(estimate=estimate, se=np.nan, df=np.nan, low=np.nan, high=np.nan, p=np.nan)
        # What models of a third role add through the tasks that all share is little.
        df = {name: max(self._df[name], 1) for name in parts}
        return interval(estimate, parts, df, confidence)


def _models_of(term: str) -> str:
    return f"models: {term.split(': ', 1)[1]}"


def crossed(frame: pd.DataFrame, *, leave_out: Sequence[str] = (), by_role: bool = True) -> MixedFit:
    """Fit the crossed model to one value per model and item.

    Parameters
    ----------
    frame : DataFrame
        ``model, role, task, item, difficulty, value``; a row per model × task × item, none of
        them missing. Any pattern of missing rows is allowed.
    leave_out : sequence of str
        Components to leave out, by the names that the fit gives them (``item x teacher``).
    by_role : bool
        Whether levels and slopes of models have a variance for each role, or one for all.

    Returns
    -------
    MixedFit
        By least squares, without intervals, where no role has two models or no task three items.

    Raises
    ------
    NotEstimable
        When values do not vary beyond the fixed effects, roles and tasks or difficulties cannot
        be told apart, or there are too many models.
    LookupError
        When a column is absent, or a component that is to be left out.
    ValueError
        When a value is missing or infinite, or a model has two rows for an item or two roles.
    """
    rows = _checked(frame)
    roles = list(dict.fromkeys(rows["role"]))
    found = _identified(rows, roles, by_role)
    if unknown := set(leave_out) - set(found):
        raise LookupError(f"no component {', '.join(sorted(unknown))} to leave out, only {', '.join(found)}")
    names = [name for name in found if name not in leave_out]
    blocks, notes = _rotated.affordable(list(_rotated.blocks(rows, roles)), _HEAD)
    if not blocks:
        raise NotEstimable(f"more than {_HEAD // 2} models of different kinds did the same items")
    if (n_items := sum(len(block.turned) for block in blocks)) > _ITEMS + 2 * len(blocks):
        notes.append(f"variances of items and noise from {_ITEMS} of {n_items} items")
    head, rest = _rotated.head(blocks), list(_rotated.rest(blocks, _ITEMS))
    if np.linalg.matrix_rank(head.fixed) < head.fixed.shape[1]:
        raise NotEstimable("roles, tasks and difficulties cannot be told apart in these rows")
    if not rest or not names or _n_models(blocks) == len(roles):
        notes.append("too few models or items to estimate how models vary: least squares, no interval")
        return _fit(blocks, roles, head, Top({}, np.nan, False), notes, by_role)
    if max(np.abs(part.value).max() for part in rest) <= 1e-9 * np.abs(rows["value"]).max():
        raise NotEstimable("the values do not vary beyond models and difficulty")
    top = maximise([head, *_rotated.contrasts(blocks), *rest], names)
    if not top.converged:
        notes.append("the maximum of the likelihood was not found")
    return _fit(blocks, roles, head, top, notes, by_role)


def _checked(frame: pd.DataFrame) -> pd.DataFrame:
    if absent := [name for name in COLUMNS if name not in frame]:
        raise LookupError(f"no column {', '.join(absent)}; the frame has: {', '.join(map(str, frame))}")
    rows = frame[list(COLUMNS)].astype({"difficulty": float, "value": float})
    bad = rows.isna().any(axis=1) | ~np.isfinite(rows[["difficulty", "value"]]).all(axis=1)
    if bad.any() or rows.empty:
        raise ValueError(f"{bad.sum()} of {len(rows)} rows have a missing or infinite value; leave them out")
    for key, other in (("model", "role"), ("task's item", "difficulty"), ("model and item", "value")):
        columns = {"model": ["model"], "task's item": ["task", "item"]}.get(key, ["task", "item", "model"])
        once = rows if other == "value" else rows[[*columns, other]].drop_duplicates()
        if (twice := once.duplicated(columns)).any():
            which = ", ".join(map(str, once.loc[twice, columns].iloc[0]))
            raise ValueError(f"a {key} needs one {other}, but {which} has several")
    return rows


def _identified(rows: pd.DataFrame, roles: Sequence[str], by_role: bool) -> list[str]:
    """Components that these rows can tell from the others."""
    counted = rows.groupby("role")["model"].nunique()
    if counted.sum() == len(roles):
        return []
    names = ["model", "model x difficulty"]
    if by_role:
        names = [_rotated.OF_ROLE.format(name, role) for name in names for role in roles if counted[role] > 1]
    if rows.groupby("model")["task"].nunique().max() > 1:
        names += ["model x task", "model x task x difficulty"]
    shared = rows.groupby(["task", "item"])["role"].agg(["size", "nunique"])
    if (shared["size"] > 1).any():
        names.append("item")
    if (shared["nunique"] > 1).any() and (shared["size"] > shared["nunique"]).any():
        names += [f"item x {role}" for role in roles]
    return names


def _fit(
    blocks: list[Block], roles: list[str], head: Rows, top: Top, notes: list[str], by_role: bool
) -> MixedFit:
    # A lead stands for models of one role, and nothing of an item of other roles reaches it.
    sets = {f"models: {role}": np.abs(head.random[f"item x {role}"]).sum(axis=1) > 0 for role in roles}
    df = {f"models: {role}": _n_models(blocks, role) - 1 for role in roles}
    if not by_role:
        sets = {"models": np.ones(len(head.value), dtype=bool)}
        df = {"models": sum(df.values())}
    beta, shares = least_squares(head, top.variances, sets)
    width = head.fixed.shape[1] // 2
    places = [start + k for start in (0, width) for k in range(len(roles))]
    terms = [f"{kind}: {role}" for kind in ("level", "slope") for role in roles]
    sizes = dict(
        n_models=_n_models(blocks),
        n_items=sum(len(block.turned) for block in blocks),
        n_rows=sum(block.turned.size for block in blocks),
    )
    n_tasks = np.linalg.matrix_rank(head.fixed[:, :width]) - len(roles) + 1
    fit = MixedFit(
        fixed=pd.DataFrame({"term": terms, "estimate": beta[places]}),
        components=top.components(),
        loglik=top.loglik,
        converged=top.converged,
        notes=tuple(notes),
        _shares={name: share[np.ix_(places, places)] for name, share in shares.items()},
        _df=df | {"items": sizes["n_items"] - 2 * int(n_tasks)},
        **sizes,
    )
    return replace(fit, fixed=pd.DataFrame([{"term": term} | fit.combine({term: 1.0}) for term in terms]))


def _n_models(blocks: list[Block], role: str = "") -> int:
    there = np.vstack([block.model for block in blocks]).any(axis=0)
    return int((there & (blocks[0].kin[role] > 0)).sum() if role else there.sum())
