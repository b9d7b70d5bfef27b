"""A linear mixed model in which models and items are crossed, fitted by restricted likelihood.

A value (the log cost) depends on the role of a model, on the difficulty of an item and on
both together, and every model and every item is a draw from many that there could be::

    value ~ role * difficulty + (1 + difficulty || model) + (1 | item) + (0 + role || item)

in the notation of lme4; with several tasks also fixed effects of task and task x difficulty
and random ones of model x task. Intercepts and slopes of a model are taken as uncorrelated.
What an item does to all models of one role has a variance for each role: where one role handles
items in its own way, a common variance would be wrong for all of them.

**Which library.** The likelihood is that of statsmodels' MixedLM. Its crossed effects are
reported biased (statsmodels issue 9279). They are where one of the crossed factors is given as
``groups``, which makes the items of every model different ones; they are not where both factors
are variance components. Two things had to be added, and ``benchmarks/mixed_models.py`` shows why.

- *Speed.* One group with everything costs the cube of all rows. Rotated items and models fall
  apart into many groups (`handan.stats._rotated`). The likelihood stays the same.
- *The search.* MixedLM searches over standard deviations, where the gradient vanishes at zero,
  and often stops short of the maximum. Here variances are searched, bounded at zero.

**Few models.** A role has 2 to 11 models, so that a normal quantile is far too short. The variance
of an estimate has a part from models (with the noise), with ``n_models - n_roles`` degrees of
freedom, and a part from items, with two per task fewer than there are items. Student's t gets
those of Satterthwaite (1946) for their sum. They are close to those of Kenward and Roger (1997)
and don't jump, as those from the information matrix do, where a variance is estimated as zero.
In the simulated studies of the benchmark, differences between roles keep the level of 5 % within
simulation error, below it where slopes hardly vary; a single role's slope can lie slightly above.
Models that share a teacher or a base are not independent draws; no term of the model knows that.

References
----------
Satterthwaite (1946), doi:10.2307/3002019. Kenward and Roger (1997), doi:10.2307/2533558. Bates,
Mächler, Bolker and Walker (2015), doi:10.18637/jss.v067.i01 (lme4). Barr, Levy, Scheepers and
Tily (2013), doi:10.1016/j.jml.2012.11.001 (random slopes).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from . import _rotated
from ._common import FloatArray, check_confidence, two_sided_t
from ._restricted import Top, least_squares, maximise
from ._rotated import Block, Rows

COLUMNS = ("model", "role", "task", "item", "difficulty", "value")
# Rows that hold the fixed effects form one group, which must stay small enough to be solved often.
_HEAD = 1_200
# Rotated items beyond these only sharpen variances that are known well by then.
_ITEMS = 2_000


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
    _df: dict[str, float]

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
            ``estimate, se, df, low, high, p``.

        Raises
        ------
        LookupError
            When there is no such term.
        """
        from scipy.special import stdtrit

        check_confidence(confidence)
        terms = self.fixed["term"].tolist()
        if unknown := set(weights) - set(terms):
            raise LookupError(f"no term {', '.join(sorted(unknown))}; the model has: {', '.join(terms)}")
        weight = np.array([weights.get(term, 0.0) for term in terms])
        estimate = float(weight @ self.fixed["estimate"])
        parts = {name: float(weight @ share @ weight) for name, share in self._shares.items()}
        variance = sum(parts.values()) if parts else np.nan
        if not variance > 0:
            return dict(estimate=estimate, se=np.nan, df=np.nan, low=np.nan, high=np.nan, p=np.nan)
        df = variance**2 / sum(part**2 / self._df[name] for name, part in parts.items())
        se = float(np.sqrt(variance))
        reach = float(stdtrit(df, 0.5 + confidence / 2)) * se
        p = float(two_sided_t(estimate / se, df))
        return dict(estimate=estimate, se=se, df=df, low=estimate - reach, high=estimate + reach, p=p)


def crossed(frame: pd.DataFrame, *, leave_out: Sequence[str] = ()) -> MixedFit:
    """Fit the crossed model to one value per model and item.

    Parameters
    ----------
    frame : DataFrame
        ``model, role, task, item, difficulty, value``; a row per model × task × item, none of
        them missing. Any pattern of missing rows is allowed.
    leave_out : sequence of str
        Components to leave out, by the names that the fit gives them (``item x teacher``).

    Returns
    -------
    MixedFit
        By least squares and without standard errors where no role has two models, or no task
        three items.

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
    found = _identified(rows, roles)
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
        return _fit(blocks, roles, head, Top({}, np.nan, False), notes)
    if max(np.abs(part.value).max() for part in rest) <= 1e-9 * np.abs(rows["value"]).max():
        raise NotEstimable("the values do not vary beyond models and difficulty")
    top = maximise([head, *_rotated.contrasts(blocks), *rest], names)
    if not top.converged:
        notes.append("the maximum of the likelihood was not found")
    return _fit(blocks, roles, head, top, notes)


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


def _identified(rows: pd.DataFrame, roles: Sequence[str]) -> list[str]:
    """Components that these rows can tell from the others."""
    if rows["model"].nunique() == len(roles):
        return []
    names = ["model", "model x difficulty"]
    if rows.groupby("model")["task"].nunique().max() > 1:
        names += ["model x task", "model x task x difficulty"]
    shared = rows.groupby(["task", "item"])["role"].agg(["size", "nunique"])
    if (shared["size"] > 1).any():
        names.append("item")
    if (shared["nunique"] > 1).any() and (shared["size"] > shared["nunique"]).any():
        names += [f"item x {role}" for role in roles]
    return names


def _fit(blocks: list[Block], roles: list[str], head: Rows, top: Top, notes: list[str]) -> MixedFit:
    beta, shares = least_squares(head, top.variances)
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
        components=_components(top.variances),
        loglik=top.loglik,
        converged=top.converged,
        notes=tuple(notes),
        _shares={name: share[np.ix_(places, places)] for name, share in shares.items()},
        _df={"models": sizes["n_models"] - len(roles), "items": sizes["n_items"] - 2 * int(n_tasks)},
        **sizes,
    )
    return replace(fit, fixed=pd.DataFrame([{"term": term} | fit.combine({term: 1.0}) for term in terms]))


def _n_models(blocks: list[Block]) -> int:
    return int(np.vstack([block.model for block in blocks]).any(axis=0).sum())


def _components(variances: dict[str, float]) -> pd.DataFrame:
    note = "estimated as zero"
    return pd.DataFrame(
        [(name, float(np.sqrt(value)), "" if value > 0 else note) for name, value in variances.items()],
        columns=["component", "sd", "note"],
    )
