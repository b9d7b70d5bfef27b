"""Differences between two models' alignment on the same items.

Two models that answer the same items are compared with the same people, so their
correlations are dependent. Each pair gets tests for dependent overlapping correlations;
all pairs together get one item bootstrap, whose resample of items serves every model at
once, so that pooling over pairs and tasks keeps the dependence among them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from handan.findings.join import Joined, ceilings, task_rng
from handan.findings.verdict import Claim, enough, judge
from handan.stats.bootstrap import bootstrap_correlations
from handan.stats.dependent import compare_overlapping
from handan.stats.percentile import end_errors, percentile_interval
from handan.stats.unpaired import unpaired_t

# The comparisons that the paper's words mean literally; they are reported first.
LITERAL = ("own teacher", "true base")
PAIR = ["study", "task", "relation", "a", "b"]


@dataclass(frozen=True)
class Contrast:
    """The comparison of pairs of models within every study.

    Attributes
    ----------
    pairs : DataFrame
        A row per study × task × pair (`a` minus `b`): ``n`` common items, ``r_a``,
        ``r_b``, ``r_ab`` (the two models with each other), ``difference`` with Zou's
        interval (``zou_low, zou_high``) and the item-bootstrap interval (``boot_low,
        boot_high``), the tests of Williams (``williams_t, williams_df, williams_p``),
        Steiger (``steiger_z, steiger_p``) and Meng, Rosenthal and Rubin (``meng_z,
        meng_p``), ``pooled`` (whether the pair enters the pooled difference: one with fewer
        than `handan.findings.verdict.FEWEST` items does not where others have more),
        ``williams_p_holm`` (corrected over the pairs of the study and
        relation), ``ceiling``, ``truncated_a``, ``truncated_b`` and
        ``note`` (why a test has no value).
    pooled : DataFrame
        A row per study × relation, and one for ``all`` where there are several:
        ``n_pairs``, ``n_tasks``, ``n_items`` over all tasks and in the ``largest``, mean
        ``r_a`` and ``r_b``, mean ``difference`` with its item-bootstrap interval (``low,
        high``), ``verdict``, ``on_edge`` (another seed could change the verdict) and ``sentence``.
    """

    pairs: pd.DataFrame
    pooled: pd.DataFrame


def contrast(
    joined: Joined,
    pairs: pd.DataFrame,
    claim: Claim,
    reliability: pd.DataFrame | None = None,
    *,
    n_boot: int = 100_000,
    seed: int = 0,
) -> Contrast:
    """Compare the alignment of model `a` with that of model `b`, for every pair.

    Parameters
    ----------
    joined : Joined
        Costs beside norms.
    pairs : DataFrame
        ``a, b, relation``; a pair is compared in every task that both models did.
    claim : Claim
        What the paper says about ``a`` minus ``b``; it decides the verdict.
    reliability : DataFrame, optional
        See `handan.tables`; gives the ceilings.
    n_boot, seed : int
        Item bootstrap.

    Returns
    -------
    Contrast
        Both tables are empty when no study holds both models of any pair.
    """
    rows: list[dict[str, Any]] = []
    for study, task, wide in joined.tasks():
        here = pairs[pairs["a"].isin(wide.columns) & pairs["b"].isin(wide.columns)]
        if not here.empty:
            rows += _compare(study, task, wide, here, n_boot, task_rng(seed, study, task))
    if not rows:
        return Contrast(pd.DataFrame(columns=PAIR), pd.DataFrame(columns=["study", "relation"]))
    table = pd.DataFrame(rows)
    known = table["difference"].notna()
    table["pooled"] = known & table["n"].where(known).groupby(table["study"]).transform(enough)
    pooled = _pool(table, claim)
    table = table.drop(columns="draws")
    table["williams_p_holm"] = table.groupby(["study", "relation"], sort=False)["williams_p"].transform(_holm)
    table["ceiling"] = ceilings(table, reliability)
    return Contrast(_with_truncation(table, joined), pooled)


def placed(joined: Joined, lineage: pd.DataFrame) -> tuple[list[str], list[str]]:
    """Split the measured models into those that the lineage places and those it doesn't name.

    Returns
    -------
    tuple of (list of str, list of str)
        Placed and unplaced models; the unplaced take no part in a comparison.
    """
    known = set(lineage["model"])
    models = list(dict.fromkeys(joined.rows["model"]))
    return [name for name in models if name in known], [name for name in models if name not in known]


def unpaired_cells(aligned: pd.DataFrame, groups: Mapping[str, str], a: str, b: str) -> pd.DataFrame:
    """Compare groups of model × task correlations with a two-sample t test, as the paper seems to do.

    The correlations of models that share items and people are not independent, so this
    test's degrees of freedom are too many. It is here to be compared with, not to be believed.

    Parameters
    ----------
    aligned : DataFrame
        A result of `handan.findings.alignment.alignment`.
    groups : mapping of str to str
        Group (role) of each model.
    a, b : str
        The two groups; the difference is a minus b.

    Returns
    -------
    DataFrame
        ``study, n_a, n_b, mean_a, mean_b, difference, low, high, t, df, p, hedges_g``. Left out
        are cells that a mean leaves out, too (`handan.findings.verdict.enough`), and studies
        with fewer than two cells in a group.
    """
    rows = []
    for study, part in aligned.groupby("study", sort=False):
        r = part.assign(group=part["model"].map(groups)).dropna(subset=["r", "group"])
        r = r[enough(r["n"].where(r["group"].isin([a, b])))]
        left, right = (r.loc[r["group"] == name, "r"].to_numpy() for name in (a, b))
        if min(len(left), len(right)) >= 2:
            result = unpaired_t(left, right)
            rows.append(
                dict(study=study, n_a=len(left), n_b=len(right), mean_a=left.mean(), mean_b=right.mean())
                | dict(difference=result.difference, low=result.low, high=result.high)
                | dict(t=result.t, df=result.df, p=result.p, hedges_g=result.hedges_g)
            )
    return pd.DataFrame(rows)


def _compare(
    study: str, task: str, wide: pd.DataFrame, pairs: pd.DataFrame, n_boot: int, rng: np.random.Generator
) -> list[dict[str, Any]]:
    human = wide["human"].to_numpy(dtype=float)
    left = wide[pairs["a"].tolist()].to_numpy(dtype=float)
    right = wide[pairs["b"].tolist()].to_numpy(dtype=float)
    common = ~(np.isnan(left) | np.isnan(right) | np.isnan(human)[:, None])
    left, right = np.where(common, left, np.nan), np.where(common, right, np.nan)
    draws = bootstrap_correlations(np.hstack([left, right]), human, n_boot=n_boot, seed=rng)
    differences = draws[:, : len(pairs)] - draws[:, len(pairs) :]
    interval = percentile_interval(differences, n_items=common.sum(axis=0))
    rows = []
    for k, pair in enumerate(pairs.itertuples()):
        triple = pd.DataFrame({"a": left[:, k], "b": right[:, k], "human": human}).dropna()
        rows.append(
            dict(study=study, task=task, relation=pair.relation, a=pair.a, b=pair.b)
            | _tests(triple)
            | dict(boot_low=interval.low[k], boot_high=interval.high[k], draws=differences[:, k])
        )
    return rows


def _tests(triple: pd.DataFrame) -> dict[str, Any]:
    r = triple.corr()
    r_a, r_b, r_ab, n = r.at["a", "human"], r.at["b", "human"], r.at["a", "b"], len(triple)
    test = compare_overlapping(r_a, r_b, r_ab, n)
    return (
        dict(n=n, r_a=r_a, r_b=r_b, r_ab=r_ab, difference=r_a - r_b)
        | dict(zou_low=test.zou_low, zou_high=test.zou_high)
        | dict(williams_t=test.williams_t, williams_df=test.williams_df, williams_p=test.williams_p)
        | dict(steiger_z=test.steiger_z, steiger_p=test.steiger_p)
        | dict(meng_z=test.meng_z, meng_p=test.meng_p, note=str(test.problem))
    )


def _pool(table: pd.DataFrame, claim: Claim) -> pd.DataFrame:
    rows = []
    for study, part in table[table["pooled"]].groupby("study", sort=False):
        names = sorted(part["relation"].unique(), key=lambda name: name not in LITERAL)
        relations = {name: part[part["relation"] == name] for name in names}
        if len(relations) > 1:
            relations["all"] = part
        rows += [_pooled_row(str(study), name, pairs, claim) for name, pairs in relations.items()]
    return pd.DataFrame(rows)


def _pooled_row(study: str, relation: str, pairs: pd.DataFrame, claim: Claim) -> dict[str, Any]:
    draws = np.mean(np.column_stack(pairs["draws"].tolist()), axis=1)
    sizes = pairs.groupby("task")["n"].max()
    n_items, n_tasks = int(sizes.sum()), len(sizes)
    interval = percentile_interval(draws, n_items=n_items, n_tasks=n_tasks)
    row = {
        "study": study,
        "relation": relation,
        "n_pairs": len(pairs[["a", "b"]].drop_duplicates()),
        "n_tasks": n_tasks,
        "n_items": n_items,
        "largest": int(pairs["n"].max()),
        **pairs[["r_a", "r_b", "difference"]].mean().to_dict(),
        "low": float(interval.low),
        "high": float(interval.high),
    }
    return row | judge(claim, row, end_errors(draws, n_items, n_tasks))


def _holm(p: pd.Series) -> np.ndarray:
    from statsmodels.stats.multitest import multipletests

    corrected = np.full(len(p), np.nan)
    known = p.notna().to_numpy()
    if known.any():
        corrected[known] = multipletests(p[known], method="holm")[1]
    return corrected


def _with_truncation(table: pd.DataFrame, joined: Joined) -> pd.DataFrame:
    share = joined.rows.groupby(["study", "task", "model"])["truncated"].mean()
    for side in ("a", "b"):
        keys = ["study", "task", side]
        table = table.join(share.rename(f"truncated_{side}").rename_axis(keys), on=keys)
    return table
