"""Summaries of costs that know a trace cut at the limit is a lower bound.

A trace that reaches the token limit is *right-censored*: it would have cost at least that
much. Taken at face value it pulls a mean down; left out, it pulls the mean down further,
because the longest traces are those that are cut. The Kaplan-Meier estimate uses what is
known of it, that the cost is not below the limit. Just as in a study of survival, it
assumes that being cut tells nothing beyond that: which holds for a limit set in advance.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd


@dataclass(frozen=True)
class Survival:
    """Kaplan-Meier summary of counts of which some are lower bounds.

    Attributes
    ----------
    km_median, km_median_low, km_median_high : float
        Count that half of the traces would have gone beyond, and its interval by the
        log-log transformation. NaN where the curve doesn't come down so far.
    km_mean, km_mean_low, km_mean_high : float
        Restricted mean and its interval (normal, Greenwood's variance). **Restricted**
        means that it is the mean of ``min(count, limit)``: of what is spent up to
        `km_limit`. What would have been spent beyond can't be known from these data, so
        means may be compared only at the same limit.
    km_limit : float
        That limit.
    """

    km_median: float
    km_median_low: float
    km_median_high: float
    km_mean: float
    km_mean_low: float
    km_mean_high: float
    km_limit: float


_NOTHING = dict.fromkeys(["mean", "median", *Survival.__dataclass_fields__], np.nan)


def survival(
    counts: Sequence[float], complete: Sequence[bool], *, limit: float | None = None, confidence: float = 0.95
) -> Survival:
    """Estimate the distribution of counts of which some are lower bounds.

    Parameters
    ----------
    counts : array of float, shape (n,)
        Counts, none missing.
    complete : array of bool, shape (n,)
        False where the count is a lower bound.
    limit : float, optional
        Where to restrict the mean; by default at the largest count. It is lowered to the
        largest count if that is a lower bound, as nothing is known beyond.
    confidence : float
        Confidence of the intervals, in (0, 1).

    Raises
    ------
    ValueError
        When there are no counts, one is missing, or `limit` isn't positive.

    References
    ----------
    Kaplan and Meier (1958), doi:10.1080/01621459.1958.10501452. Variance of the restricted
    mean: Klein and Moeschberger (2003), Survival Analysis, section 4.5.
    """
    from scipy.stats import norm
    from statsmodels.duration.survfunc import SurvfuncRight

    times, events = np.asarray(counts, dtype=float), np.asarray(complete, dtype=bool)
    if not len(times) or not np.isfinite(times).all():
        raise ValueError("survival needs at least one count, and none that is missing")
    if limit is not None and not limit > 0:
        raise ValueError(f"the limit of a restricted mean must be above 0, not {limit}")
    curve = SurvfuncRight(times, events.astype(int))
    top = times.max()
    ends = events[times == top].all()  # a lower bound at the very end leaves the curve open there
    limit = top if limit is None else limit if ends else min(limit, top)
    low, high = _median_interval(curve, confidence)
    mean, error = _restricted_mean(curve, limit)
    reach = float(norm.ppf((1 + confidence) / 2)) * error
    return Survival(_median(curve), low, high, mean, mean - reach, mean + reach, float(limit))


def summarise(
    costs: pd.DataFrame,
    by: Sequence[str] = ("model", "task"),
    *,
    cost: str = "reasoning_tokens",
    limit: float | None = None,
    confidence: float = 0.95,
) -> pd.DataFrame:
    """Summarise costs, plain and with regard to censoring.

    Parameters
    ----------
    costs : DataFrame
        Costs table, best one of `handan.costs.account`.
    by : sequence of str
        Columns to group by.
    cost : str
        Column to summarise. A trace that was cut after its reasoning had ended has a
        complete ``reasoning_tokens``, and a lower bound in any other column.
    limit : float, optional
        Limit of all restricted means, in tokens. By default each group has its own, and
        then the restricted means of two groups can't be compared.
    confidence : float
        Confidence of the intervals.

    Returns
    -------
    DataFrame
        A row per group: ``n`` traces, ``n_missing`` of them without a count; shares of all
        traces with a known ending that are ``censored`` (lower bounds of this cost), of
        those with known tags that are ``unclosed``, and that end in a ``loop`` (NaN where
        unknown); ``mean, median`` of the counts at face value; the attributes of
        `Survival`, whose interval takes traces for independent, so that several samples
        of one item make it too narrow.

    Raises
    ------
    LookupError
        When a column of `by`, or `cost`, is not there.
    """
    absent = [name for name in (*by, cost) if name not in costs]
    if absent:
        raise LookupError(f"the costs table has no column {', '.join(absent)}; it has: {', '.join(costs)}")
    table = costs.assign(_bound=_is_bound(costs, cost))
    rows = []
    for group, part in table.groupby(list(by), sort=False, dropna=False):
        counts = pd.to_numeric(part[cost]).astype("float64")
        known = counts.notna()
        row = dict(zip(by, group, strict=True)) | {"n": len(part), "n_missing": int((~known).sum())}
        row |= _shares(part) | _NOTHING
        if known.any():
            row |= {"mean": counts.mean(), "median": counts.median()}
            complete = ~part.loc[known, "_bound"].fillna(False).astype(bool)
            row |= asdict(survival(counts[known], complete, limit=limit, confidence=confidence))
        rows.append(row)
    return pd.DataFrame(rows)


def _is_bound(costs: pd.DataFrame, cost: str) -> pd.Series:
    """Whether each count is a lower bound; missing where no ending is recorded."""
    if "stop" not in costs:
        return pd.Series(pd.NA, costs.index, "boolean")
    stop = costs["stop"].astype("string")
    cut = (stop == "length").astype("boolean").mask(stop.isna() | (stop == "error"))
    if cost == "reasoning_tokens" and "tags" in costs:
        cut &= ~costs["tags"].astype("string").str.startswith("closed").fillna(False)
    return cut


def _shares(part: pd.DataFrame) -> dict[str, float]:
    shares = {"censored": part["_bound"].astype("float64").mean(), "unclosed": np.nan, "loop": np.nan}
    if "tags" in part:
        shares["unclosed"] = part["tags"].astype("string").str.startswith("unclosed").astype("float64").mean()
    if "loop" in part:
        # A table that was read from a file has the words True and False here.
        shares["loop"] = part["loop"].map({True: 1.0, False: 0.0, "True": 1.0, "False": 0.0}).mean()
    return shares


def _median(curve: Any) -> float:
    """First count at which at most half survive; midway to the next where it is exactly half."""
    times, alive = curve.surv_times, curve.surv_prob
    below = np.flatnonzero(alive <= 0.5 + 1e-12)
    if not len(below):
        return np.nan
    first = below[0]
    exactly = alive[first] > 0.5 - 1e-12 and first + 1 < len(times)
    return float((times[first] + times[first + 1]) / 2 if exactly else times[first])


def _median_interval(curve: Any, confidence: float) -> tuple[float, float]:
    if not len(curve.surv_times):
        return np.nan, np.nan
    # Where the curve reaches 0 its log-log transform doesn't exist, and numpy says so aloud.
    with np.errstate(divide="ignore", invalid="ignore"):
        ends = np.array(curve.quantile_ci(0.5, alpha=1 - confidence), dtype=float)
    low, high = np.where(np.isfinite(ends), ends, np.nan)
    return float(low), float(high)


def _restricted_mean(curve: Any, limit: float) -> tuple[float, float]:
    """Area under the curve up to a limit, and its standard error."""
    within = curve.surv_times < limit
    times, alive, risk, events = (
        np.asarray(getattr(curve, name), dtype=float)[within]
        for name in ("surv_times", "surv_prob", "n_risk", "n_events")
    )
    if not len(times):
        return float(limit), np.nan
    widths = np.diff(times, append=limit)
    left = np.cumsum((alive * widths)[::-1])[::-1]  # area from each event to the limit
    spread = np.where(risk > events, left**2 * events / np.maximum(risk * (risk - events), 1), 0.0)
    return float(times[0] + left[0]), float(np.sqrt(spread.sum()))
